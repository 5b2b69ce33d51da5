import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, hasFailed, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
const TRACKING_ID = 'argocd.argoproj.io/tracking-id';

/** Writes an object as another tool does: under its name, by an update or by server-side apply. */
async function writeAs(
  plumb: EngineFixture,
  manager: string,
  operation: 'Apply' | 'Update',
  object: object,
): Promise<void> {
  const path = `/api/v1/namespaces/${plumb.namespace}/configmaps`;
  const body = { apiVersion: 'v1', kind: 'ConfigMap', ...object };
  const { name } = (object as { metadata: { name: string } }).metadata;
  const answer =
    operation === 'Update'
      ? await plumb.cluster.request('POST', `${path}?fieldManager=${manager}`, { body })
      : await plumb.cluster.request('PATCH', `${path}/${name}?fieldManager=${manager}&force=true`, {
          body,
          contentType: 'application/apply-patch+yaml',
        });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
}

function managersOf(object: Awaited<ReturnType<EngineFixture['get']>>): readonly string[] {
  return (object?.metadata.managedFields ?? []).map(({ manager, operation }) => `${manager} ${operation}`);
}

test('D28: a field of an object that kubectl applied goes when it leaves Git, and the object is never made anew', async () => {
  await using plumb = await startFixture({ prefix: 'adopt' });
  const applied = { metadata: { name: 'one' }, data: { key: 'value', more: 'value', dropped: 'before' } };
  const annotations = { [LAST_APPLIED]: JSON.stringify(applied) };
  await writeAs(plumb, 'kubectl-client-side-apply', 'Update', {
    ...applied,
    metadata: { name: 'one', annotations },
  });
  const before = await plumb.get('v1', 'configmaps', 'one');
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'value', more: 'value' }) });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  const adopted = await plumb.get('v1', 'configmaps', 'one');
  assert.deepEqual(adopted?.data, { key: 'value', more: 'value' });
  assert.equal(adopted?.metadata.annotations?.[LAST_APPLIED], undefined);
  assert.deepEqual(managersOf(adopted), ['plumb Apply']);

  const removal = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'value' }) });
  await plumb.until('shop', isHealthyAt(removal));

  const after = await plumb.get('v1', 'configmaps', 'one');
  assert.deepEqual(after?.data, { key: 'value' });
  assert.equal(after?.metadata.uid, before?.metadata.uid);
});

test('D5, D28: what Argo CD or Flux applied is taken over with their marks, and not made anew', async () => {
  await using plumb = await startFixture({ prefix: 'adopt' });
  const tools = [
    ['argo', 'argocd-controller', { annotations: { [TRACKING_ID]: 'shop:/ConfigMap:shop/argo' } }],
    ['flux', 'kustomize-controller', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'shop' } }],
  ] as const;
  for (const [name, manager, marks] of tools) {
    await writeAs(plumb, manager, 'Apply', { metadata: { name, ...marks }, data: { key: 'value' } });
  }
  const before = await Promise.all(tools.map(([name]) => plumb.get('v1', 'configmaps', name)));
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/argo.yaml': configMap('argo'), 'deploy/flux.yaml': configMap('flux') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  const [argo, flux] = await Promise.all(tools.map(([name]) => plumb.get('v1', 'configmaps', name)));
  assert.equal(argo?.metadata.annotations?.[TRACKING_ID], undefined);
  assert.equal(flux?.metadata.labels?.['kustomize.toolkit.fluxcd.io/name'], undefined);
  for (const after of [argo, flux]) assert.deepEqual(managersOf(after), ['plumb Apply']);
  assert.deepEqual(
    [argo, flux].map((object) => object?.metadata.uid),
    before.map((object) => object?.metadata.uid),
  );
  assert.deepEqual(
    plumb.writes.filter(({ verb }) => verb === 'delete'),
    [],
  );
});

test('D27: a value of a former tool that differs from Git is reported, and taken over once the policy says so', async () => {
  await using plumb = await startFixture({ prefix: 'adopt' });
  await writeAs(plumb, 'argocd-controller', 'Apply', { metadata: { name: 'one' }, data: { key: 'theirs' } });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop');

  const failed = await plumb.until('shop', hasFailed('FieldConflict'));
  assert.match(failureOf(failed)?.message ?? '', /argocd-controller.*data\.key/);
  assert.deepEqual((await plumb.get('v1', 'configmaps', 'one'))?.data, { key: 'theirs' });

  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', { spec: { conflicts: 'force' } });
  await plumb.sync('shop');
  await plumb.until('shop', isHealthy);
  const after = await plumb.get('v1', 'configmaps', 'one');
  assert.deepEqual(after?.data, { key: 'value' });
  assert.deepEqual(managersOf(after), ['plumb Apply']);
});

test('of several unmarked objects that are taken over by force none changes where one would be refused', async () => {
  await using plumb = await startFixture({ prefix: 'adopt' });
  await writeAs(plumb, 'helm', 'Update', { metadata: { name: 'one' }, data: { key: 'before' } });
  await writeAs(plumb, 'helm', 'Update', { metadata: { name: 'two' }, data: { key: 'before' }, immutable: true });
  const before = await plumb.list('v1', 'configmaps');
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one'), 'deploy/two.yaml': configMap('two') });
  await plumb.application('shop', { conflicts: 'force' });

  const failed = await plumb.until('shop', hasFailed('FieldImmutable'));
  assert.match(failureOf(failed)?.object ?? '', /ConfigMap\/two/);
  assert.deepEqual(await plumb.list('v1', 'configmaps'), before);

  const commit = await plumb.git.commit('shop', {
    'deploy/two.yaml': `${configMap('two', { key: 'before' })}immutable: true\n`,
  });
  await plumb.until('shop', isHealthyAt(commit));
  assert.equal((await plumb.get('v1', 'configmaps', 'one'))?.data?.['key'], 'value');
});
