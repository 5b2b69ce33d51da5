import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCluster } from '@plumb/controlplane';
import { openTestCluster, realClock } from '@plumb/test-support';
import { isHealthy, isHealthyAt, startFixture, type KubeLike } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const { signal } = new AbortController();
const byOf = (object: KubeLike | undefined): string | undefined =>
  object?.metadata.annotations?.['plumb.dev/touched-by'];

test('where edits are stamped the user is on the object, and healing and releases go on as if nothing were there', async () => {
  // The policy is of the whole cluster: other tests would find its stamps on their objects.
  await using running = await startCluster({ nodes: 0, clock: realClock, signal });
  const cluster = await openTestCluster(running.kubeconfig);
  await using plumb = await startFixture({ prefix: 'stamped', cluster, stampEdits: true });
  await plumb.git.create('shop');
  const first = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'git' }) });
  await plumb.application('shop');
  await plumb.until('shop', isHealthyAt(first));
  const path = `/api/v1/namespaces/${plumb.namespace}/configmaps/one?fieldManager=kubectl-edit`;
  const edit = async (data: object): Promise<KubeLike> => {
    const options = { as: 'j.doe', contentType: 'application/merge-patch+json', body: { data } };
    return (await cluster.request('PATCH', path, options)).body as KubeLike;
  };

  // The policy counts a moment after it was written: until then edits are healed without a stamp.
  let round = 0;
  while (byOf(await edit({ extra: String((round += 1)) })) === undefined) assert.ok(round < 1_000);
  await edit({ key: 'edited' });
  await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.['key'] === 'git');
  await plumb.until('shop', isHealthy);
  const healed = await plumb.get('v1', 'configmaps', 'one');
  const writes = plumb.writes.length;
  const asked = await plumb.sync('shop');
  const second = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  await plumb.until('shop', isHealthyAt(second));
  const released = await plumb.get('v1', 'configmaps', 'one');

  assert.ok(isHealthy(asked));
  assert.deepEqual([byOf(healed), byOf(released)], ['j.doe', 'j.doe']);
  assert.equal(released?.data?.['key'], 'new');
  // The look that was asked for has nothing to write, and the release writes the one object.
  const since = plumb.writes.slice(writes).filter(({ object }) => object === 'ConfigMap/one');
  assert.equal(since.length, 1);
  await plumb.stop();
});
