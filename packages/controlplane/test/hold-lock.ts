// Takes the lock given and says so; the test kills this process then.
import { realClock } from '@plumb/test-support';
import { lockFile } from '../src/file-lock.ts';

const { signal } = new AbortController();
using _lock = await lockFile(process.argv[2] ?? '', { signal, clock: realClock });
process.stdout.write('locked\n');
await realClock.sleep(600_000, { signal });
