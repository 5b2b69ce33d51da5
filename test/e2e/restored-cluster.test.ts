import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startCluster, type Cluster } from '@plumb/controlplane';
import { openTestCluster, realClock } from '@plumb/test-support';
import { failureOf, hasFailed, isHealthyAt, startFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const { signal } = new AbortController();
const ROUNDS = 10;

test('D36: a cluster that is restored under a running engine converges, loses nothing, and stays frozen over a restart', async () => {
  await using opening = new AsyncDisposableStack();
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-restore-')), (path) =>
    rm(path, { recursive: true }),
  );
  const dataDir = join(folder, 'data');
  let running: Cluster = await startCluster({ dataDir, nodes: 0, clock: realClock, signal });
  opening.defer(() => running[Symbol.asyncDispose]());
  const cluster = await openTestCluster(running.kubeconfig);
  const restart = async (before: () => Promise<void>): Promise<void> => {
    const port = Number(new URL(running.server).port);
    await running[Symbol.asyncDispose]();
    await before();
    running = await startCluster({ dataDir, port, nodes: 0, clock: realClock, signal });
  };
  await using plumb = await startFixture({ prefix: 'restore', cluster });
  await plumb.git.create('shop');
  const files = { 'deploy/kept.yaml': configMap('kept'), 'deploy/old.yaml': configMap('old') };
  const first = await plumb.git.commit('shop', files);
  await plumb.application('shop', { deletion: { maxObjects: 100, maxPercent: 100 } });
  await plumb.until('shop', isHealthyAt(first));
  await restart(() => cp(dataDir, join(folder, 'backup'), { recursive: true }));
  let last = await plumb.git.commit('shop', { 'deploy/old.yaml': null });
  await plumb.until('shop', isHealthyAt(last));
  for (let round = 1; round <= ROUNDS; round += 1) {
    const more = { [`deploy/new-${round}.yaml`]: configMap(`new-${round}`) };
    last = await plumb.git.commit('shop', { 'deploy/kept.yaml': configMap('kept', { round: String(round) }), ...more });
    await plumb.until('shop', isHealthyAt(last));
  }
  const deletions = (): readonly string[] =>
    plumb.writes.flatMap(({ verb, object }) => (verb === 'delete' ? object : []));
  const before = deletions();

  await restart(async () => {
    await rm(dataDir, { recursive: true });
    await cp(join(folder, 'backup'), dataDir, { recursive: true });
  });
  await plumb.untilAll('v1', 'configmaps', (objects) => {
    const names = new Set(objects.map(({ metadata }) => metadata.name));
    const kept = objects.find(({ metadata }) => metadata.name === 'kept');
    return kept?.data?.['round'] === String(ROUNDS) && names.has(`new-${ROUNDS}`) && names.has('old');
  });
  const frozen = await plumb.until('shop', hasFailed('DeletionBlocked'));
  await plumb.restart();
  const after = await plumb.sync('shop');

  // What the backup brought back is not wanted any more, and is not deleted for that.
  for (const application of [frozen, after]) {
    assert.match(
      failureOf(application, 'DeletionBlocked')?.message ?? '',
      /ConfigMap\/old.*set back to an older state/,
    );
  }
  assert.deepEqual(before, ['ConfigMap/old']);
  assert.deepEqual(deletions(), before);
  assert.equal(
    (await plumb.list('v1', 'configmaps')).filter(({ metadata }) => metadata.labels !== undefined).length,
    12,
  );
});
