import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openTestCluster, realClock } from '@plumb/test-support';
import { controlplaneArguments, startCluster, type Cluster, type ClusterOptions } from './cluster.ts';

const embeddedOnly = { skip: process.env['KUBEBUILDER_ASSETS'] ? 'only the embedded control plane does this' : false };

async function start(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const report = (line: string): boolean => process.stderr.write(`${line}\n`);
  return await startCluster({ signal: AbortSignal.timeout(900_000), clock: realClock, report, ...options });
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-test-'));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

test('a cluster keeps its objects, its port and its credentials over a restart', async () => {
  await using folder = await temporaryFolder();
  const dataDir = join(folder.path, 'data');
  const path = '/api/v1/namespaces/default/configmaps';

  const first = await start({ dataDir });
  const before = await openTestCluster(first.kubeconfig);
  const created = await before.request('POST', path, { body: { metadata: { name: 'kept' }, data: { a: '1' } } });
  await first[Symbol.asyncDispose]();
  await using second = await start({ dataDir });
  const after = await openTestCluster(second.kubeconfig);
  const found = await after.request('GET', `${path}/kept`);

  assert.equal(created.status, 201);
  assert.equal(found.status, 200);
  assert.equal(second.server, first.server);
  assert.equal(after.adminToken, before.adminToken);
});

test('a disposed cluster is gone, and its temporary folder with it', async () => {
  const cluster = await start();
  const wasRunning = isRunning(cluster.pid);

  await cluster[Symbol.asyncDispose]();

  assert.ok(wasRunning);
  assert.ok(!isRunning(cluster.pid));
  await assert.rejects(access(cluster.dataDir), { code: 'ENOENT' });
});

test('a second cluster on the same data is refused while the first one runs', embeddedOnly, async () => {
  await using folder = await temporaryFolder();
  await using _first = await start({ dataDir: folder.path });

  const second = start({ dataDir: folder.path });

  await assert.rejects(second, { code: 'ControlPlaneFailed', message: /is in use by another process/ });
});

test('an aborted start leaves nothing running', async () => {
  await using folder = await temporaryFolder();
  const stop = new AbortController();
  const reason = new Error('enough');

  const starting = start({ dataDir: folder.path, signal: stop.signal });
  stop.abort(reason);

  await assert.rejects(starting, reason);
  await using _other = await start({ dataDir: folder.path });
});

test('a cluster ends with the process that started it, even when that is killed', embeddedOnly, async () => {
  await using folder = await temporaryFolder();
  const program = new URL('../test/start-cluster.ts', import.meta.url).pathname;
  const parent = spawn(process.execPath, [program, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface({ input: parent.stdout }), 'line');

  parent.kill('SIGKILL');
  await once(parent, 'close');

  // The data can be had again only when the cluster on it has gone.
  await using _next = await startWhenFree(folder.path);
});

/** Tries again while the former cluster, which nobody can wait for, is stopping. */
async function startWhenFree(dataDir: string): Promise<Cluster> {
  for (;;) {
    try {
      return await start({ dataDir });
    } catch (error) {
      if (!/is in use by another process/.test(String(error))) throw error;
    }
  }
}

test('what is not set is left to the defaults of the control plane', () => {
  const bare = controlplaneArguments({});
  const audit = { auditLog: '/logs/audit.log', auditWebhook: '/logs/webhook' };
  const full = controlplaneArguments({ dataDir: '/data', port: 6443, nodes: 0, ...audit });

  assert.deepEqual(bare, ['--exit-with-stdin']);
  assert.deepEqual(full, [
    '--exit-with-stdin',
    '--data=/data',
    '--port=6443',
    '--nodes=0',
    '--audit-log=/logs/audit.log',
    '--apiserver-args=--audit-webhook-config-file=/logs/webhook --audit-webhook-batch-max-wait=100ms',
  ]);
});
