// Starts a cluster on the folder given and says so; the test kills this process then.
import { realClock } from '@plumb/test-support';
import { startCluster } from '../src/cluster.ts';

const { signal } = new AbortController();
const cluster = await startCluster({
  ...(process.argv[2] === undefined ? {} : { dataDir: process.argv[2] }),
  signal,
  clock: realClock,
});
process.stdout.write(`${cluster.pid}\n`);
await realClock.sleep(600_000, { signal });
