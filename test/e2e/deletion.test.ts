import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configMap,
  failureOf,
  hasFailed,
  isHealthyAt,
  isHealthy,
  startFixture,
  type EngineFixture,
} from './engine-fixture.ts';

const APPLICATION = ['plumb.dev/v1alpha1', 'applications'] as const;

test('D8: deleting a definition is blocked and says how many objects of it would go', async () => {
  await using plumb = await startFixture({ prefix: 'd8' });
  const group = `${plumb.namespace}.example.org`;
  const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/crd.yaml': definition, 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  for (let index = 0; index < 7; index += 1) {
    const widget = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name: `w${index}` } };
    await plumb.create(`${group}/v1`, 'widgets', widget);
  }

  const removal = await plumb.git.commit('shop', { 'deploy/crd.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));

  const message = failureOf(blocked)?.message ?? '';
  assert.match(message, new RegExp(`CustomResourceDefinition/widgets.${group} takes 7 objects with it`));
  assert.match(message, new RegExp(`removed from Git by ${removal.slice(0, 7)} by `));
  assert.equal((await plumb.list(`${group}/v1`, 'widgets')).length, 7);
});

test('D9: a namespace that holds what is not ours stays, although its deletion is approved', async () => {
  await using plumb = await startFixture({ prefix: 'd9' });
  const other = `${plumb.namespace}-other`;
  await startShop(plumb, {
    'deploy/namespace.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${other}}\n`,
    'deploy/ours.yaml': configMap('ours').replace('name: ours', `name: ours\n  namespace: ${other}`),
    'deploy/stays.yaml': configMap('stays'),
  });
  const theirs = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'theirs' } };
  const path = `/api/v1/namespaces/${other}/configmaps`;
  await plumb.cluster.request('POST', path, { body: theirs });

  await plumb.git.commit('shop', { 'deploy/namespace.yaml': null, 'deploy/ours.yaml': null });
  const kept = await plumb.until('shop', hasFailed('DeletionBlocked'));

  assert.match(failureOf(kept)?.message ?? '', new RegExp(`Namespace/${other} stays: it holds ConfigMap/theirs`));
  assert.equal((await plumb.cluster.request('GET', `${path}/ours`)).status, 404);
  assert.equal((await plumb.cluster.request('GET', `${path}/theirs`)).status, 200);

  await plumb.cluster.request('DELETE', `${path}/theirs`);
  await plumb.sync('shop');
  const blocked = await plumb.until('shop', (application) => digestOf(application) !== undefined);
  await approve(plumb, digestOf(blocked) ?? '');
  await plumb.until('shop', isHealthy);

  assert.equal((await plumb.cluster.request('GET', `/api/v1/namespaces/${other}`)).status, 404);
});

test('D14: what a finalizer holds is waited for, and named, until it is gone', async () => {
  await using plumb = await startFixture({ prefix: 'd14' });
  await startShop(plumb, { 'deploy/held.yaml': configMap('held'), 'deploy/stays.yaml': configMap('stays') });
  await plumb.edit('v1', 'configmaps', 'held', { metadata: { finalizers: ['example.org/hold'] } });

  const removal = await plumb.git.commit('shop', { 'deploy/held.yaml': null });
  const waiting = await plumb.until('shop', (application) => /example.org\/hold/.test(application.status?.message));

  assert.equal(waiting.status.state, 'Syncing');
  assert.match(waiting.status.message, /Waiting until ConfigMap\/held is gone, which waits for example.org\/hold/);

  await plumb.edit('v1', 'configmaps', 'held', { metadata: { finalizers: [] } });
  await plumb.until('shop', isHealthyAt(removal));
  assert.equal(await plumb.get('v1', 'configmaps', 'held'), undefined);
});

test('an approved deletion goes on after a restart, although less is left of it', async () => {
  await using plumb = await startFixture({ prefix: 'warrant' });
  const workload = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, finalizers: [example.org/hold]}
spec:
  replicas: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example.com/web:1"}]}
`;
  const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
  await startShop(plumb, {
    'deploy/claim.yaml': claim,
    'deploy/stays.yaml': configMap('stays'),
    'deploy/web.yaml': workload,
  });

  const removal = await plumb.git.commit('shop', { 'deploy/claim.yaml': null, 'deploy/web.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  await approve(plumb, digestOf(blocked) ?? '');
  await plumb.until('shop', (application) => /Waiting until Deployment\/web is gone/.test(application.status?.message));
  assert.notEqual(await plumb.get('v1', 'persistentvolumeclaims', 'data'), undefined);

  await plumb.restart();
  await plumb.edit('apps/v1', 'deployments', 'web', { metadata: { finalizers: [] } });
  await plumb.until('shop', isHealthyAt(removal));

  await plumb.untilObject('v1', 'persistentvolumeclaims', 'data', (object) => object === undefined);
});

async function startShop(plumb: EngineFixture, files: Record<string, string>): Promise<void> {
  await plumb.git.create('shop');
  await plumb.git.commit('shop', files);
  await plumb.application('shop');
  await plumb.until('shop', (application) => isHealthy(application) || application.status?.state === 'Syncing');
  await plumb.until('shop', (application) => application.status?.release === 'r1');
}

function digestOf(application: { readonly status?: { environments?: { pendingDeletions?: { digest: string } }[] } }) {
  return application.status?.environments?.[0]?.pendingDeletions?.digest;
}

async function approve(plumb: EngineFixture, digest: string): Promise<void> {
  const annotations = { 'plumb.dev/approved-deletions': `-=${digest}` };
  await plumb.edit(...APPLICATION, 'shop', { metadata: { annotations } });
}
