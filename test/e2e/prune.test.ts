import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, hasFailed, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const APPLICATION = ['plumb.dev/v1alpha1', 'applications'] as const;
const TRACKING = 'plumb.dev/tracking';
const PART_OF = 'applyset.kubernetes.io/part-of';

test('a file that is removed from Git is deleted from the cluster, in exactly the state that was judged', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);
  const before = await plumb.get('v1', 'configmaps', 'two');

  const removal = await plumb.git.commit('shop', { 'deploy/two.yaml': null });
  await plumb.until('shop', isHealthyAt(removal));

  assert.deepEqual(await names(plumb), ['one', 'three']);
  assert.deepEqual(deletions(plumb), [
    {
      verb: 'delete',
      object: 'ConfigMap/two',
      annotations: {},
      uid: before?.metadata.uid,
      resourceVersion: before?.metadata.resourceVersion,
    },
  ]);
});

test('what bears our marks but is not ours is never deleted', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);
  const original = await plumb.get('v1', 'configmaps', 'two');
  const marks = { labels: original?.metadata.labels, annotations: original?.metadata.annotations };
  await plumb.create('v1', 'configmaps', { metadata: { name: 'copy', ...marks } });
  const itself = (original?.metadata.annotations?.[TRACKING] ?? '').replace(/two$/, 'forged');
  const forged = { labels: original?.metadata.labels, annotations: { [TRACKING]: itself } };
  await plumb.create('v1', 'configmaps', { metadata: { name: 'forged', ...forged } });

  const removal = await plumb.git.commit('shop', { 'deploy/two.yaml': null });
  await plumb.until('shop', isHealthyAt(removal));

  assert.deepEqual(await names(plumb), ['copy', 'forged', 'one', 'three']);
  assert.equal(deletions(plumb).length, 1);
});

test('an object that has lost its tracking is not deleted', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);

  // Suspended, so that it is not healed before Git lets go of it.
  await plumb.edit(...APPLICATION, 'shop', { spec: { suspend: true } });
  await plumb.until('shop', (application) => application.status?.state === 'Suspended');
  await plumb.edit('v1', 'configmaps', 'two', { metadata: { annotations: { [TRACKING]: null } } });
  const removal = await plumb.git.commit('shop', { 'deploy/two.yaml': null });
  await plumb.sync('shop');
  await plumb.edit(...APPLICATION, 'shop', { spec: { suspend: false } });
  await plumb.until('shop', isHealthyAt(removal));

  assert.deepEqual(await names(plumb), ['one', 'three', 'two']);
  assert.deepEqual(deletions(plumb), []);
});

test('a small application may shrink by two objects, but never to nothing', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);

  const removal = await plumb.git.commit('shop', {
    'deploy/one.yaml': null,
    'deploy/two.yaml': null,
    'deploy/README.md': 'Nothing here soon.',
  });
  await plumb.until('shop', isHealthyAt(removal));
  assert.deepEqual(await names(plumb), ['three']);

  await plumb.git.commit('shop', { 'deploy/three.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));

  assert.match(failureOf(blocked)?.message ?? '', /ConfigMap\/three is blocked: Git wants none of the objects/);
  assert.equal(blocked.status.environments[0].pendingDeletions.count, 1);
  assert.deepEqual(await names(plumb), ['three']);
});

test('a deletion over the budget waits for an approval of exactly that set', async () => {
  const all = ['five', 'four', 'one', 'six', 'three', 'two'];
  await using plumb = await startWith(all);

  await plumb.git.commit('shop', { 'deploy/one.yaml': null, 'deploy/two.yaml': null, 'deploy/three.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  const { digest, count } = blocked.status.environments[0].pendingDeletions;

  assert.equal(count, 3);
  assert.match(
    failureOf(blocked)?.message ?? '',
    /ConfigMap\/one, ConfigMap\/three, ConfigMap\/two is blocked: 3 of 6 objects would go, and 2 may/,
  );
  assert.match(failureOf(blocked)?.fix ?? '', new RegExp(`--approve-deletion ${digest}`));
  assert.deepEqual(await names(plumb), all);

  await approve(plumb, '0123456789ab');
  await plumb.sync('shop');
  assert.deepEqual(await names(plumb), all);

  await approve(plumb, digest);
  const healthy = await plumb.until('shop', isHealthy);

  assert.equal(healthy.status.environments[0].pendingDeletions, undefined);
  assert.deepEqual(await names(plumb), ['five', 'four', 'six']);
});

test('kinds that hold data are not deleted without an approval', async () => {
  const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
`;
  const set = `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  replicas: 0
  selector:
    matchLabels: {app: db}
  template:
    metadata:
      labels: {app: db}
    spec:
      containers:
      - {name: db, image: "registry.example.com/db:1"}
`;
  await using plumb = await startFixture({ prefix: 'prune' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'claim/data.yaml': claim,
    'claim/one.yaml': configMap('one'),
    'set/db.yaml': set,
    'set/two.yaml': configMap('two'),
  });
  await plumb.application('claim', { source: { repository: 'shop', path: 'claim' } });
  await plumb.application('set', { source: { repository: 'shop', path: 'set' } });
  await plumb.until('set', isHealthy);
  await plumb.untilObject('v1', 'persistentvolumeclaims', 'data', (object) => object !== undefined);

  await plumb.git.commit('shop', { 'claim/data.yaml': null, 'set/db.yaml': null });
  const noClaim = await plumb.until('claim', hasFailed('DeletionBlocked'));
  const noSet = await plumb.until('set', hasFailed('DeletionBlocked'));

  assert.match(failureOf(noClaim)?.message ?? '', /PersistentVolumeClaim\/data is of a protected kind/);
  assert.match(failureOf(noSet)?.message ?? '', /StatefulSet\/db is of a protected kind/);
  assert.notEqual(await plumb.get('v1', 'persistentvolumeclaims', 'data'), undefined);
  assert.notEqual(await plumb.get('apps/v1', 'statefulsets', 'db'), undefined);
});

test('a new application whose folder holds no manifests says so', async () => {
  await using plumb = await startFixture({ prefix: 'prune' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/README.md': 'Soon.' });
  await plumb.application('shop');

  const failed = await plumb.until('shop', hasFailed('SuspiciouslyEmpty'));

  assert.equal(failed.status.state, 'Failed');
});

test('the objects of a deleted application stay, and the application takes them up again as they are', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);
  const before = await uids(plumb);

  await plumb.remove(...APPLICATION, 'shop');
  await plumb.git.commit('shop', { 'other/other.yaml': configMap('other') });
  await plumb.application('other', { source: { repository: 'shop', path: 'other' } });
  await plumb.until('other', isHealthy);
  assert.deepEqual(await names(plumb), ['one', 'other', 'three', 'two']);

  await plumb.remove('v1', 'configmaps', 'other');
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  await plumb.remove(...APPLICATION, 'other');

  const after = await uids(plumb);
  for (const [name, uid] of before) assert.equal(after.get(name), uid);
  assert.deepEqual(deletions(plumb), []);
});

test('without its Repository an application keeps its objects and names what is missing', async () => {
  await using plumb = await startWith(['one', 'two', 'three']);

  await plumb.remove('plumb.dev/v1alpha1', 'repositories', 'shop');
  const failed = await plumb.until('shop', hasFailed('RepositoryMissing'));

  assert.match(failureOf(failed)?.message ?? '', new RegExp(`There is no Repository ${plumb.namespace}/shop`));
  assert.deepEqual(await names(plumb), ['one', 'three', 'two']);

  await plumb.repository('shop', { url: plumb.git.url('shop'), interval: '1h' });
  await plumb.until('shop', isHealthy);
  assert.deepEqual(deletions(plumb), []);
});

test('D5: objects that move from one application to another in one commit are handed over, not made anew', async () => {
  const moving = Array.from({ length: 10 }, (_, index) => `moving-${index}`);
  const at = (folder: string): Record<string, string> =>
    Object.fromEntries(moving.map((name) => [`${folder}/${name}.yaml`, configMap(name)]));
  const gone = (folder: string): Record<string, null> =>
    Object.fromEntries(moving.map((name) => [`${folder}/${name}.yaml`, null]));
  await using plumb = await startFixture({ prefix: 'move' });
  await plumb.git.create('shop');
  // The one with values takes longer to render than the other, so that both orders come up.
  await plumb.git.commit('shop', {
    ...at('plain'),
    'plain/stays.yaml': configMap('plain'),
    'values/values.yaml': 'a: 1\n',
    'values/stays.yaml': configMap('values'),
  });
  const deletion = { maxObjects: 100, maxPercent: 100 };
  await plumb.application('plain', { source: { repository: 'shop', path: 'plain' }, deletion });
  await plumb.application('values', { source: { repository: 'shop', path: 'values' }, deletion });
  await plumb.until('plain', isHealthy);
  await plumb.until('values', isHealthy);
  const before = await uids(plumb);

  for (const [from, to] of [
    ['plain', 'values'],
    ['values', 'plain'],
  ] as const) {
    const move = await plumb.git.commit('shop', { ...gone(from), ...at(to) });
    await plumb.until(from, isHealthyAt(move));
    await plumb.until(to, isHealthyAt(move));

    assert.deepEqual(await uids(plumb), before);
    const moved = await plumb.get('v1', 'configmaps', 'moving-3');
    assert.equal(
      moved?.metadata.annotations?.[TRACKING],
      `${plumb.namespace}/${to}:/ConfigMap/${plumb.namespace}/moving-3`,
    );
    assert.equal(
      moved?.metadata.labels?.[PART_OF],
      (await plumb.get('v1', 'configmaps', to))?.metadata.labels?.[PART_OF],
    );
  }
  assert.deepEqual(deletions(plumb), []);
});

/** An application `shop` of ConfigMaps that is healthy. */
async function startWith(configMaps: readonly string[]): Promise<EngineFixture> {
  return await startFixture({ prefix: 'prune' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit(
      'shop',
      Object.fromEntries(configMaps.map((name) => [`deploy/${name}.yaml`, configMap(name)])),
    );
    await plumb.application('shop');
    await plumb.until('shop', isHealthy);
  });
}

async function approve(plumb: EngineFixture, digest: string): Promise<void> {
  const annotations = { 'plumb.dev/approved-deletions': `-=${digest}` };
  await plumb.edit(...APPLICATION, 'shop', { metadata: { annotations } });
}

async function uids(plumb: EngineFixture): Promise<ReadonlyMap<string, string>> {
  const objects = await plumb.list('v1', 'configmaps');
  return new Map(objects.map(({ metadata }): [string, string] => [metadata.name, metadata.uid]));
}

async function names(plumb: EngineFixture): Promise<readonly string[]> {
  return [...(await uids(plumb)).keys()].filter((name) => name !== 'kube-root-ca.crt').sort();
}

function deletions(plumb: EngineFixture) {
  return plumb.writes.filter(({ verb }) => verb === 'delete');
}
