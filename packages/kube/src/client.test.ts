import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { KubeObject } from '@plumb/core';
import { realClock, sharedCluster, type TestCluster } from '@plumb/test-support';
import type { ApiResource } from './api-resource.ts';
import { connect, type KubeClient } from './client.ts';
import { loadKubeconfig } from './kubeconfig.ts';

// Against a real API server: what it really answers, and that what we send is what it wants.

const { signal } = new AbortController();
let cluster: TestCluster;
let client: KubeClient;
let configMaps: ApiResource;

before(async () => {
  cluster = await sharedCluster();
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  client = connect(config, { clock: realClock, random: { next: () => 0.5 }, userAgent: 'plumb/test' });
  configMaps = await client.resource({ group: '', kind: 'ConfigMap' }, { signal });
});
after(() => client[Symbol.asyncDispose]());

test('asks the server for its version', async () => {
  const { gitVersion } = await client.version({ signal });

  assert.match(gitVersion, /^v1\.\d+\.\d+/);
});

test('creates, changes, reads and deletes an object', async () => {
  const namespace = await cluster.namespace('kube');
  const ref = { namespace, name: 'env' };

  const created = await client.apply(configMap(ref, { a: '1' }), { force: true, signal });
  const changed = await client.apply(configMap(ref, { a: '2' }), { force: true, signal });
  const live = await client.get(configMaps, ref, { signal });
  const uid = created.object.metadata.uid ?? '';
  await assert.rejects(client.delete(configMaps, ref, { uid: 'another', signal }), { code: 'Conflict' });
  const deletion = await client.delete(configMaps, ref, { uid, signal });

  assert.deepEqual([created.created, changed.created], [true, false]);
  assert.ok(created.auditId);
  assert.deepEqual(live?.['data'], { a: '2' });
  assert.equal(live?.metadata.managedFields?.[0]?.manager, 'plumb');
  assert.equal(deletion, 'deleted');
  assert.equal(await client.get(configMaps, ref, { signal }), undefined);
  assert.equal(await client.delete(configMaps, ref, { uid, signal }), 'absent');
});

test('a dry run answers what would be and stores nothing', async () => {
  const ref = { namespace: await cluster.namespace('kube'), name: 'env' };

  const applied = await client.apply(configMap(ref, { a: '1' }), { force: true, dryRun: true, signal });

  assert.deepEqual(applied.object['data'], { a: '1' });
  assert.equal(await client.get(configMaps, ref, { signal }), undefined);
});

test('says that an object with finalizers is being deleted', async () => {
  const ref = { namespace: await cluster.namespace('kube'), name: 'held' };
  const held = configMap(ref, {});
  await client.apply(
    { ...held, metadata: { ...held.metadata, finalizers: ['plumb.dev/test'] } },
    { force: true, signal },
  );

  const deletion = await client.delete(configMaps, ref, { signal });
  await client.apply(held, { force: true, signal });

  assert.equal(deletion, 'deleting');
  assert.equal(await client.get(configMaps, ref, { signal }), undefined);
});

test('names the field that is wrong, as the real server words it', async () => {
  const namespace = await cluster.namespace('kube');
  const ref = { namespace, name: 'env' };
  const deployment = (container: object, selector = { app: 'api' }): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'api' },
    spec: {
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: selector },
        spec: { containers: [{ name: 'api', image: 'api:1', ...container }] },
      },
    },
  });
  await client.apply(deployment({}), { force: true, signal });
  await client.apply(configMap(ref, { a: '1' }), { force: true, signal });
  const wrong: readonly (readonly [KubeObject, string, string | undefined])[] = [
    [configMap(ref, { a: 1 }), 'FieldInvalid', 'data.a'],
    [deployment({ imagee: 'x' }), 'FieldUnknown', 'spec.template.spec.containers[name="api"].imagee'],
    [
      deployment({ env: [{ name: 'A' }, { name: 'A' }] }),
      'DuplicateListKey',
      'spec.template.spec.containers[name="api"].env',
    ],
    [deployment({}, { app: 'other' }), 'FieldImmutable', 'spec.selector'],
    [
      deployment({ ports: [{ containerPort: 70_000 }] }),
      'FieldInvalid',
      'spec.template.spec.containers[0].ports[0].containerPort',
    ],
    [configMap({ namespace: 'kube-nowhere', name: 'env' }, {}), 'NamespaceMissing', undefined],
    [{ ...configMap(ref, {}), kind: 'ConfigMapp' }, 'KindMissing', undefined],
    [configMap(ref, { a: 'x'.repeat(1_100_000) }), 'TooLarge', undefined],
    [configMap(ref, { a: 'x'.repeat(4_000_000) }), 'TooLarge', undefined],
  ];

  for (const [object, code, field] of wrong) {
    await assert.rejects(client.apply(object, { force: true, signal }), { code, field });
  }
  await assert.rejects(client.apply(configMap(ref, { a: '2' }), { force: false, manager: 'plumb-cli', signal }), {
    code: 'FieldConflict',
    field: 'data.a',
    message: /"plumb" owns data\.a/,
  });
});

test('never repeats the value of a Secret that the server quotes', async () => {
  const namespace = await cluster.namespace('kube');
  const secret = (more: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name: 'login' },
    ...more,
  });

  for (const object of [secret({ stringData: { a: { b: 'hunter2' } } }), secret({ data: { a: 'hunter2!' } })]) {
    const error = await client.apply(object, { force: true, signal }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Error);
    assert.doesNotMatch(`${error.message} ${error.stack}`, /hunter2/);
  }
});

test('acts with the rights of the service account that it is told to be', async () => {
  const namespace = await cluster.namespace('kube');
  const user = `system:serviceaccount:${namespace}:applier`;
  const object = configMap({ namespace, name: 'env' }, {});
  await assert.rejects(client.apply(object, { force: true, impersonate: user, signal }), {
    code: 'Forbidden',
    message: new RegExp(`User "${user}" cannot patch resource "configmaps"`),
  });
  // By the group that the headers must name, so that the groups are proven too.
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['create', 'patch', 'get'] }];
  const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { namespace, name: 'applier' } };
  await client.apply({ ...rbac, kind: 'Role', rules }, { force: true, signal });
  await client.apply(
    {
      ...rbac,
      kind: 'RoleBinding',
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'applier' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: `system:serviceaccounts:${namespace}` }],
    },
    { force: true, signal },
  );

  const groups = [`system:serviceaccounts:${namespace}`];
  for (const verb of ['create', 'patch']) {
    await cluster.untilAllowed({ user, groups, namespace, verb, resource: 'configmaps' });
  }

  const applied = await client.apply(object, { force: true, impersonate: user, signal });

  assert.equal(applied.created, true);
});

test('lists all pages of what a selector picks, whole or as metadata', async () => {
  const namespace = await cluster.namespace('kube');
  const names = Array.from({ length: 7 }, (_, i) => `c${i}`);
  const labelled = (name: string): KubeObject => {
    const object = configMap({ namespace, name }, { a: name });
    return { ...object, metadata: { ...object.metadata, labels: { pick: name === 'c0' ? 'no' : 'yes' } } };
  };
  await Promise.all(names.map((name) => client.apply(labelled(name), { force: true, signal })));

  const whole = await client.list(configMaps, { namespace, labelSelector: 'pick=yes', limit: 2, signal });
  const partial = await client.list(configMaps, { namespace, labelSelector: 'pick=yes', metadataOnly: true, signal });

  assert.deepEqual(
    whole.items.map(({ metadata }) => metadata.name),
    names.slice(1),
  );
  assert.ok(whole.items.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'));
  assert.match(whole.resourceVersion, /^\d+$/);
  assert.deepEqual(
    partial.items.map(({ metadata }) => metadata.name),
    names.slice(1),
  );
  assert.ok(partial.items.every((item) => item.kind === 'ConfigMap' && item['data'] === undefined));
});

for (const metadataOnly of [false, true]) {
  test(`reflects ${metadataOnly ? 'the metadata of ' : ''}a kind from before its start and follows its changes`, async () => {
    const namespace = await cluster.namespace('kube');
    const before = { namespace, name: 'before' };
    const later = { namespace, name: 'later' };
    await client.apply(configMap(before, {}), { force: true, signal });
    const events: string[] = [];
    const done = Promise.withResolvers<void>();

    await using reflector = client.reflect(configMaps, {
      namespace,
      fieldSelector: 'metadata.name!=kube-root-ca.crt',
      metadataOnly,
      signal,
      onChange: (event) => {
        events.push('object' in event ? `${event.type} ${event.object.metadata.name}` : event.type);
        if (events.at(-1) === 'deleted before') done.resolve();
      },
    });
    await reflector.whenSynced({ signal });
    await client.apply(configMap(later, { a: '1' }), { force: true, signal });
    await client.apply(configMap(later, { a: '2' }), { force: true, signal });
    await client.delete(configMaps, before, { signal });
    await done.promise;

    assert.deepEqual(events, ['added before', 'synced', 'added later', 'updated later', 'deleted before']);
    assert.equal(reflector.size, 1);
    const [object] = reflector.values();
    assert.equal(object?.kind, 'ConfigMap');
    assert.deepEqual(object?.['data'], metadataOnly ? undefined : { a: '2' });
    assert.equal(reflector.error, undefined);
  });
}

test('a wrong token is ClusterUnauthorized', async () => {
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  await using stranger = connect(
    { ...config, auth: { type: 'token', token: 'wrong' } },
    { clock: realClock, random: { next: () => 0.5 }, userAgent: 'plumb/test' },
  );

  await assert.rejects(stranger.version({ signal }), { code: 'ClusterUnauthorized' });
});

function configMap(ref: { readonly namespace: string; readonly name: string }, data: object): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: ref, data };
}
