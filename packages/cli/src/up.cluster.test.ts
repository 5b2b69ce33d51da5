import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sharedCluster } from '@plumb/test-support';
import { runCaptured } from '../test/run-captured.ts';
import { listRuns } from './run-file.ts';

const BIN = fileURLToPath(new URL('../bin/plumb.mjs', import.meta.url));

test('up serves until Ctrl-C, is found by the other verbs meanwhile, and leaves nothing running', async () => {
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('up');
  const home = await mkdtemp(join(tmpdir(), 'plumb-up-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(home, { recursive: true, force: true }));
  const runs = join(home, '.local', 'state', 'plumb', 'run');
  const context = await contextOf(cluster.kubeconfig);
  const child = spawn(process.execPath, [BIN, 'up', '--context', context, '-n', namespace], {
    env: { PATH: process.env['PATH'], HOME: home, KUBECONFIG: cluster.kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  cleanup.defer(() => void child.kill('SIGKILL'));

  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('Ctrl-C')) break;
  const [run] = await listRuns(runs);
  // Without KUBECONFIG: only the run file leads to the cluster.
  const status = await runCaptured(['status', '-n', namespace], { home });
  child.kill('SIGINT');

  assert.equal(await exited, 0);
  assert.equal(run?.server, cluster.server);
  assert.equal(status.stdout, 'No applications yet. Add one with "plumb repo add" and "plumb app add".\n');
  assert.deepEqual(await readdir(runs), []);
});

async function contextOf(kubeconfig: string): Promise<string> {
  const { loadKubeconfig } = await import('@plumb/kube');
  return (await loadKubeconfig({ path: kubeconfig, env: {}, signal: new AbortController().signal })).context;
}
