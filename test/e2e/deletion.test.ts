import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  conditionOf,
  failureOf,
  hasFailed,
  isHealthy,
  isHealthyAt,
  startFixture,
  type EngineFixture,
  type KubeLike,
} from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const PLUMB = 'plumb.dev/v1alpha1';
const APPLICATION = [PLUMB, 'applications'] as const;
const WHOLE = { maxObjects: 100, maxPercent: 100 };
const AUTHOR = { name: 'Test Author', email: 'author@example.com' };

test('D1: a source that fails, in whatever way, deletes nothing; one that is really empty is blocked with its list', async () => {
  const all = numbered('one', 20);
  await using plumb = await startWith(all);

  for (const fault of ['empty', 'error-500', 'truncated'] as const) {
    plumb.git.fault = fault;
    await plumb.git.commit('shop', { 'deploy/one-3.yaml': configMap('one-3', { key: fault }) });
    await plumb.untilObject(PLUMB, 'repositories', 'shop', (repository) => isReady(repository, 'False'));
    assert.deepEqual(await names(plumb), all, fault);
    plumb.git.fault = undefined;
    plumb.engine.trigger(`${plumb.namespace}/shop`);
    await plumb.untilObject(PLUMB, 'repositories', 'shop', (repository) => isReady(repository, 'True'));
  }
  await plumb.git.commit('shop', { ...removal(all), 'deploy/README.md': 'Nothing here.' });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));

  const { count, objects, reason } = pendingOf(blocked);
  assert.equal(count, 20);
  assert.deepEqual(
    objects.map(({ object }) => object),
    all.map((name) => `ConfigMap/${name} in ${plumb.namespace}`),
  );
  assert.match(reason, /^Git wants none of the objects/);
  assert.deepEqual(await names(plumb), all);
  assert.deepEqual(deletions(plumb), []);
});

test('D2: what a render left out by chance is not deleted, however often it is rendered', async () => {
  // Chance is on, and each of 20 documents is left out in every second render.
  const template = `{{- range $i := until 20 }}
{{- if or (not $.Values.flaky) (eq (randInt 0 2) 0) }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: chance-{{ $i }}
data:
  key: value
{{- end }}
{{- end }}
`;
  await using plumb = await startFixture({ prefix: 'chance' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/Chart.yaml': 'apiVersion: v2\nname: chance\nversion: 1.0.0\n',
    'deploy/values.yaml': 'flaky: false\n',
    'deploy/templates/all.yaml': template,
  });
  await plumb.application('shop', { deletion: WHOLE, render: { random: 'upstream' } });
  await plumb.until('shop', isHealthy);
  const before = await uids(plumb);

  await plumb.git.commit('shop', { 'deploy/values.yaml': 'flaky: true\n' });
  const doubted = await plumb.until('shop', hasFailed('RenderUnstable'));
  assert.match(failureOf(doubted)?.message ?? '', /^Two renders of [0-9a-f]{7} differ in ConfigMap\/chance-/);
  const mended = await plumb.git.commit('shop', { 'deploy/values.yaml': 'flaky: false\n' });
  await plumb.until('shop', isHealthyAt(mended));

  assert.deepEqual(await uids(plumb), before);
  assert.deepEqual(deletions(plumb), []);
});

test('D2: what is deleted is said with the commit that removed it, also when others came after', async () => {
  await using plumb = await startWith(numbered('one', 5));

  const first = await plumb.git.commit('shop', removal(['one-0', 'one-1']), { message: 'Fewer', author: AUTHOR });
  await plumb.until('shop', isHealthyAt(first));
  const second = await plumb.git.commit('shop', removal(['one-2']), { message: 'Fewer still', author: AUTHOR });
  await plumb.until('shop', isHealthyAt(second));
  await plumb.edit(...APPLICATION, 'shop', { spec: { deletion: { maxObjects: 0 } } });
  const third = await plumb.git.commit('shop', removal(['one-3']), { message: 'And fewer', author: AUTHOR });
  await plumb.until('shop', hasFailed('DeletionBlocked'));
  await plumb.git.commit('shop', { 'deploy/more.yaml': configMap('more') });
  await plumb.untilObject('v1', 'configmaps', 'more', (object) => object !== undefined);
  const blocked = await plumb.sync('shop');

  assert.deepEqual(
    pendingOf(blocked).objects.map(({ removedBy }) => removedBy),
    [`${third.slice(0, 7)} by Test Author`],
  );
  assert.deepEqual(
    plumb.events
      .filter(({ message }) => message === 'Deleted what Git no longer has')
      .map(({ removedBy }) => removedBy),
    [first, second].map((commit) => `${commit.slice(0, 7)} by Test Author`),
  );
});

test('D7: no object is owned by an object of ours, so the garbage collector has nothing to decide', async () => {
  await using plumb = await startWith(['one']);
  await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web') });
  await plumb.until('shop', isHealthy);
  await plumb.untilObject('apps/v1', 'deployments', 'web', (object) => object !== undefined);

  const managed = [await plumb.get('v1', 'configmaps', 'one'), await plumb.get('apps/v1', 'deployments', 'web')];
  for (const object of managed) assert.ok(object !== undefined && !('ownerReferences' in object.metadata));
});

test('D8: a definition of a kind goes only with an approval that has seen how many objects go with it', async () => {
  await using plumb = await startWith(numbered('one', 5));
  const group = `${plumb.namespace}.example.com`;
  const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
`;
  const added = await plumb.git.commit('shop', { 'deploy/crd.yaml': definition });
  await plumb.until('shop', isHealthyAt(added));
  for (const name of ['a', 'b', 'c']) {
    await plumb.create(`${group}/v1`, 'widgets', { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name } });
  }

  await plumb.git.commit('shop', { 'deploy/crd.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));

  assert.match(failureOf(blocked)?.message ?? '', new RegExp(`/widgets.${group} would take 3 objects of its kind`));
  const { digest, objects } = pendingOf(blocked);
  assert.deepEqual(
    objects.map(({ object, takes }) => [object, takes]),
    [[`CustomResourceDefinition/widgets.${group}`, 3]],
  );
  assert.deepEqual(deletions(plumb), []);
  await approve(plumb, 'shop', digest);
  await plumb.until('shop', isHealthy);
  assert.deepEqual(deletions(plumb), [`CustomResourceDefinition/widgets.${group}`]);
});

test('D9: a namespace stays, approved or not, while something is in it that does not go with it', async () => {
  await using plumb = await startFixture({ prefix: 'spaces' });
  const space = `${plumb.namespace}-x`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/space.yaml': `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${space}}\n`,
    'deploy/in.yaml': `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: in, namespace: ${space}}\n`,
    'deploy/stays.yaml': configMap('stays'),
  });
  await plumb.application('shop', { deletion: WHOLE });
  await plumb.until('shop', isHealthy);
  const inSpace = `/api/v1/namespaces/${space}/configmaps`;
  await plumb.cluster.request('POST', inSpace, { body: { metadata: { name: 'foreign' } } });

  await plumb.git.commit('shop', { 'deploy/space.yaml': null, 'deploy/in.yaml': null });
  const kept = await plumb.until('shop', hasFailed('NamespaceKept'));

  assert.match(failureOf(kept)?.message ?? '', /is not deleted, because this is still in it: ConfigMap\/foreign$/);
  assert.deepEqual(deletions(plumb), ['ConfigMap/in']);
  await plumb.cluster.request('DELETE', `${inSpace}/foreign`);
  const blocked = await plumb.sync('shop');
  const { digest } = pendingOf(blocked);
  await approve(plumb, 'shop', digest);
  await plumb.until('shop', (application) => deletions(plumb).length > 1 && isWaitingOrDone(application));
  assert.deepEqual(deletions(plumb), ['ConfigMap/in', `Namespace/${space}`]);
});

test('D14: an object whose deletion is refused stays in the inventory, is seen, and goes when it may', async () => {
  await using plumb = await startWith(['one', 'three', 'two']);
  const name = `${plumb.namespace}.example.com`;
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], operations: ['DELETE'] };
  await plumb.cluster.request('POST', `${admission}/validatingadmissionpolicies`, {
    body: {
      metadata: { name },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        matchConditions: [{ name: 'here', expression: `request.namespace == '${plumb.namespace}'` }],
        validations: [{ expression: 'false', message: 'nothing may go' }],
      },
    },
  });
  await plumb.cluster.request('POST', `${admission}/validatingadmissionpolicybindings`, {
    body: { metadata: { name }, spec: { policyName: name, validationActions: ['Deny'] } },
  });
  const mayDelete = async (): Promise<boolean> => {
    const path = `/api/v1/namespaces/${plumb.namespace}/configmaps/two?dryRun=All`;
    return (await plumb.cluster.request('DELETE', path)).status === 200;
  };
  while (await mayDelete());

  const removed = await plumb.git.commit('shop', removal(['two']));
  const refused = await plumb.until('shop', hasFailed('AdmissionDenied'));
  assert.match(failureOf(refused)?.message ?? '', /nothing may go/);
  await plumb.restart();
  await plumb.until('shop', hasFailed('AdmissionDenied'));
  assert.deepEqual(await names(plumb), ['one', 'three', 'two']);

  await plumb.cluster.request('DELETE', `${admission}/validatingadmissionpolicybindings/${name}`);
  while (!(await mayDelete()));
  await plumb.sync('shop');
  await plumb.until('shop', isHealthyAt(removed));
  assert.deepEqual(await names(plumb), ['one', 'three']);
});

test('an approved set goes step by step in the reverse order of applying, over a restart, without another approval', async () => {
  await using plumb = await startWith(numbered('one', 4));
  const added = await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { replicas: 0 }) });
  await plumb.until('shop', isHealthyAt(added));
  await plumb.edit('apps/v1', 'deployments', 'web', { metadata: { finalizers: ['example.com/hold'] } });

  await plumb.git.commit('shop', { ...removal(['one-1', 'one-2', 'one-3']), 'deploy/web.yaml': null });
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  await approve(plumb, 'shop', pendingOf(blocked).digest);
  await plumb.until('shop', (application) => /finalizer example.com\/hold/.test(messageOf(application)));

  assert.deepEqual(deletions(plumb), ['Deployment/web']);
  await plumb.restart();
  await plumb.until('shop', (application) => /finalizer example.com\/hold/.test(messageOf(application)));
  assert.deepEqual(deletions(plumb), ['Deployment/web']);

  await plumb.edit('apps/v1', 'deployments', 'web', { metadata: { finalizers: null } });
  await plumb.until('shop', isHealthy);
  assert.deepEqual(await names(plumb), ['one-0']);
});

test('an approval of an older set does nothing once the set is another', async () => {
  await using plumb = await startWith(numbered('one', 8));
  await plumb.git.commit('shop', removal(['one-1', 'one-2', 'one-3']));
  const { digest } = pendingOf(await plumb.until('shop', hasFailed('DeletionBlocked')));
  await plumb.git.commit('shop', removal(['one-4']));
  await plumb.until('shop', (application) => application.status?.environments?.[0]?.pendingDeletions?.count === 4);

  await approve(plumb, 'shop', digest);
  const blocked = await plumb.sync('shop');

  assert.equal(pendingOf(blocked).count, 4);
  assert.notEqual(pendingOf(blocked).digest, digest);
  assert.deepEqual(deletions(plumb), []);
});

test('D1: what many applications lose at once waits for all of them, also after a restart, until it is approved', async () => {
  await using plumb = await startFixture({ prefix: 'breaker' });
  await plumb.git.create('shop');
  const a = numbered('a', 20);
  const b = numbered('b', 20);
  await plumb.git.commit('shop', { ...files('a', a), ...files('b', b) });
  await plumb.application('a', { source: { repository: 'shop', path: 'a' }, deletion: WHOLE });
  await plumb.application('b', { source: { repository: 'shop', path: 'b' }, deletion: WHOLE });
  await plumb.until('a', isHealthy);
  await plumb.until('b', isHealthy);

  const first = await plumb.git.commit('shop', removal(a.slice(0, 15), 'a'));
  await plumb.until('a', isHealthyAt(first));
  await plumb.git.commit('shop', removal(b.slice(0, 15), 'b'));
  const blocked = await plumb.until('b', hasFailed('DeletionBlocked'));
  await plumb.git.commit('shop', removal(a.slice(15, 16), 'a'));
  const small = await plumb.until('a', hasFailed('DeletionBlocked'));

  for (const application of [blocked, small]) {
    assert.match(messageOf(application), /the deletions of all applications wait: 15 objects went lately/);
  }
  await plumb.restart();
  const after = await plumb.sync('b');
  assert.match(messageOf(after), /the deletions of all applications wait/);
  assert.equal(deletions(plumb).filter((name) => name.startsWith('ConfigMap/b')).length, 0);
  await approve(plumb, 'b', pendingOf(after).digest);
  await plumb.until('b', isHealthy);
  assert.equal(deletions(plumb).filter((name) => name.startsWith('ConfigMap/b')).length, 15);
});

test("D17: an application whose deletion is stuck is let go of by one wish, and its objects are nobody's", async () => {
  await using plumb = await startWith(['one', 'two']);
  await plumb.edit('v1', 'configmaps', 'one', { metadata: { finalizers: ['example.com/hold'] } });
  const before = await plumb.get('v1', 'configmaps', 'two');
  await retire(plumb, '-=decommission:');
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  assert.match(failureOf(blocked)?.fix ?? '', /plumb decommission shop -n [\w-]+ --approve-deletion [0-9a-f]{12}$/);
  await retire(plumb, `-=decommission:${pendingOf(blocked).digest}`);
  await plumb.until('shop', (application) => /finalizer example.com\/hold/.test(messageOf(application)));
  assert.notEqual(before, undefined);

  await retire(plumb, '-=forget');
  await plumb.until('shop', (application) => application.status?.environments?.[0]?.reason === 'Forgotten');
  const stuck = await plumb.get('v1', 'configmaps', 'one');
  await plumb.remove(...APPLICATION, 'shop');

  assert.deepEqual(stuck?.metadata.labels ?? {}, {});
  assert.deepEqual(stuck?.metadata.annotations ?? {}, {});
  assert.equal(await plumb.get(...APPLICATION, 'shop'), undefined);
});

test('what is forgotten stays as it is, but for our marks, and is not taken back by itself', async () => {
  await using plumb = await startWith(['one']);
  const web = await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { replicas: 0 }) });
  await plumb.until('shop', isHealthyAt(web));
  const before = await plumb.get('apps/v1', 'deployments', 'web');

  await retire(plumb, '-=forget');
  await plumb.until('shop', (application) => application.status?.environments?.[0]?.reason === 'Forgotten');
  const after = await plumb.get('apps/v1', 'deployments', 'web');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  await plumb.sync('shop');
  await plumb.restart();
  await plumb.sync('shop');

  assert.deepEqual(after?.spec, before?.spec);
  assert.equal(after?.metadata.uid, before?.metadata.uid);
  assert.deepEqual(after?.metadata.labels ?? {}, {});
  assert.equal(after?.metadata.annotations?.['plumb.dev/tracking'], undefined);
  assert.equal(
    after?.metadata.managedFields?.some(({ manager }) => manager === 'plumb'),
    false,
  );
  assert.equal((await plumb.get('v1', 'configmaps', 'one'))?.data?.['key'], 'value');
  assert.deepEqual(deletions(plumb), []);

  // Its fields are nobody's now: to have them back is a matter of policy, as with any object that was found.
  await plumb.edit(...APPLICATION, 'shop', { spec: { conflicts: 'force' } });
  await retire(plumb, null);
  await plumb.until('shop', isHealthy);
  assert.equal((await plumb.get('v1', 'configmaps', 'one'))?.data?.['key'], 'new');
  assert.equal((await plumb.get('apps/v1', 'deployments', 'web'))?.metadata.uid, before?.metadata.uid);
});

test('what is decommissioned goes in the reverse order of applying, and does not come back', async () => {
  await using plumb = await startWith(['one', 'two']);
  const web = await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { replicas: 0 }) });
  await plumb.until('shop', isHealthyAt(web));

  await retire(plumb, '-=decommission:0123456789ab');
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  assert.match(messageOf(blocked), /what was approved is another set$/);
  assert.deepEqual(deletions(plumb), []);
  await retire(plumb, `-=decommission:${pendingOf(blocked).digest}`);
  await plumb.until('shop', (application) => application.status?.environments?.[0]?.reason === 'Decommissioned');
  await plumb.restart();
  await plumb.sync('shop');

  assert.equal(deletions(plumb)[0], 'Deployment/web');
  assert.deepEqual(deletions(plumb).slice(1).toSorted(), ['ConfigMap/one', 'ConfigMap/two']);
  assert.deepEqual(await names(plumb), []);
});

async function startWith(configMaps: readonly string[]): Promise<EngineFixture> {
  return await startFixture({ prefix: 'delete' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', files('deploy', configMaps));
    await plumb.application('shop');
    await plumb.until('shop', isHealthy);
  });
}

function numbered(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index}`).sort();
}

function files(folder: string, configMaps: readonly string[]): Record<string, string> {
  return Object.fromEntries(configMaps.map((name) => [`${folder}/${name}.yaml`, configMap(name)]));
}

function removal(configMaps: readonly string[], folder = 'deploy'): Record<string, null> {
  return Object.fromEntries(configMaps.map((name) => [`${folder}/${name}.yaml`, null]));
}

async function approve(plumb: EngineFixture, application: string, digest: string): Promise<void> {
  const annotations = { 'plumb.dev/approved-deletions': `-=${digest}` };
  await plumb.edit(...APPLICATION, application, { metadata: { annotations } });
}

async function retire(plumb: EngineFixture, wish: string | null): Promise<void> {
  await plumb.edit(...APPLICATION, 'shop', { metadata: { annotations: { 'plumb.dev/retire': wish } } });
}

interface Pending {
  readonly digest: string;
  readonly count: number;
  readonly reason: string;
  readonly objects: readonly { readonly object: string; readonly removedBy?: string; readonly takes?: number }[];
}

function pendingOf(application: KubeLike): Pending {
  const pending: Pending | undefined = application.status?.environments?.[0]?.pendingDeletions;
  assert.ok(pending !== undefined, JSON.stringify(application.status));
  return pending;
}

function messageOf(application: KubeLike): string {
  return String(application.status?.message ?? '');
}

function isWaitingOrDone(application: KubeLike): boolean {
  return isHealthy(application) || messageOf(application).startsWith('Waiting until Namespace');
}

function isReady(repository: KubeLike | undefined, status: string): boolean {
  return conditionOf(repository, 'Ready')?.status === status;
}

async function uids(plumb: EngineFixture): Promise<ReadonlyMap<string, string>> {
  const objects = await plumb.list('v1', 'configmaps');
  return new Map(objects.map(({ metadata }): [string, string] => [metadata.name, metadata.uid]));
}

async function names(plumb: EngineFixture): Promise<readonly string[]> {
  return [...(await uids(plumb)).keys()].filter((name) => name !== 'kube-root-ca.crt').sort();
}

function deletions(plumb: EngineFixture): readonly string[] {
  return plumb.writes.filter(({ verb }) => verb === 'delete').map(({ object }) => object);
}
