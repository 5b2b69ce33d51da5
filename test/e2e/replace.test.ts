import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, hasFailed, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const FORCE = 'plumb.dev/sync-options: Force=true';

test('D29: a field that cannot be changed is refused, with the field and the choices', async () => {
  await using plumb = await startWith(deployment('app'));
  const before = await plumb.get('apps/v1', 'deployments', 'app');

  await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { label: 'other' }) });
  const failed = await plumb.until('shop', hasFailed('FieldImmutable'));

  assert.match(failureOf(failed)?.message ?? '', /spec\.selector/);
  assert.match(failureOf(failed)?.fix ?? '', /Restore the old value, or .*plumb\.dev\/sync-options: Force=true/);
  assert.equal((await plumb.get('apps/v1', 'deployments', 'app'))?.metadata.uid, before?.metadata.uid);
});

for (const option of [
  FORCE,
  'plumb.dev/sync-options: Replace=true',
  'argocd.argoproj.io/sync-options: "Force=true,Replace=true"',
]) {
  test(`D29: an object that says ${option} is deleted, in the state that was judged, and made anew`, async () => {
    await using plumb = await startWith(annotated(deployment('app'), option));
    const before = await plumb.get('apps/v1', 'deployments', 'app');

    const commit = await plumb.git.commit('shop', {
      'deploy/app.yaml': annotated(deployment('app', { label: 'other' }), option),
      'deploy/config.yaml': configMap('config', { key: 'new' }),
    });
    await plumb.until('shop', isHealthyAt(commit));

    const after = await plumb.get('apps/v1', 'deployments', 'app');
    assert.notEqual(after?.metadata.uid, before?.metadata.uid);
    assert.equal(after?.spec.selector.matchLabels.app, 'other');
    const deletions = plumb.writes.filter(({ verb }) => verb === 'delete');
    assert.deepEqual(
      deletions.map(({ object, uid }) => ({ object, uid })),
      [{ object: 'Deployment/app', uid: before?.metadata.uid }],
    );
    assert.notEqual(deletions[0]?.resourceVersion, undefined);
  });
}

test('D18: with Force on, a typo is an error and the object is untouched', async () => {
  await using plumb = await startWith(annotated(deployment('app'), FORCE));
  const before = await plumb.get('apps/v1', 'deployments', 'app');
  const typo = (manifest: string): string =>
    annotated(manifest, FORCE).replace('{name: app,', '{resources: {requests: {cpu: 1OO}}, name: app,');

  await plumb.git.commit('shop', { 'deploy/app.yaml': typo(deployment('app')) });
  await plumb.until('shop', hasFailed('FieldInvalid'));
  assert.deepEqual(await identity(plumb), [before?.metadata.uid, before?.metadata.generation]);

  // The same beside a change that does call for a new object.
  await plumb.git.commit('shop', { 'deploy/app.yaml': typo(deployment('app', { label: 'other' })) });
  await plumb.sync('shop');
  await plumb.until('shop', hasFailed('FieldInvalid'));
  assert.deepEqual(await identity(plumb), [before?.metadata.uid, before?.metadata.generation]);
  assert.deepEqual(
    plumb.writes.filter(({ verb }) => verb === 'delete'),
    [],
  );
});

test('D18: an object that would be refused when it is new is not deleted for it', async () => {
  await using plumb = await startWith(annotated(deployment('app'), FORCE));
  const before = await plumb.get('apps/v1', 'deployments', 'app');

  // A selector that does not fit its own template: immutable, and wrong besides.
  const wrong = deployment('app').replace('matchLabels: {app: app}', 'matchLabels: {app: nothing}');
  await plumb.git.commit('shop', { 'deploy/app.yaml': annotated(wrong, FORCE) });
  const failed = await plumb.until('shop', hasFailed('FieldInvalid'));

  assert.match(failureOf(failed)?.message ?? '', /selector/);
  assert.deepEqual(await identity(plumb), [before?.metadata.uid, before?.metadata.generation]);
});

test('what holds data is made anew once its very plan was approved, for that release and no other', async () => {
  const set = (service: string): string =>
    annotated(
      `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  replicas: 0
  serviceName: ${service}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "db:1"}]}
`,
      FORCE,
    );
  await using plumb = await startWith(set('first'));
  const read = () => plumb.get('apps/v1', 'statefulsets', 'db');
  const before = await read();

  const commit = await plumb.git.commit('shop', { 'deploy/app.yaml': set('second') });
  const refused = await plumb.until('shop', hasFailed('FieldImmutable'));
  await approve(plumb, 'other', 'aaaaaaaaaaaa');
  await plumb.sync('shop');
  assert.equal((await read())?.metadata.uid, before?.metadata.uid);
  assert.match(
    failureOf(refused)?.message ?? '',
    /^StatefulSet\/db: spec\.serviceName cannot be changed\. .* takes an approval: its pods/,
  );
  const { digest, summary, required } = refused.status?.environments?.[0]?.pendingPlan ?? {};
  assert.match(failureOf(refused)?.fix ?? '', new RegExp(`plumb approve ${digest} shop -n ${plumb.namespace}$`));
  assert.match(summary ?? '', /^1 to replace, StatefulSet\/db loses data: /);
  assert.equal(required, 1);

  await approve(plumb, 'seen', digest);
  await plumb.until('shop', isHealthyAt(commit));
  const after = await read();
  assert.notEqual(after?.metadata.uid, before?.metadata.uid);
  assert.equal(after?.spec.serviceName, 'second');
  assert.deepEqual(
    plumb.writes.filter(({ verb }) => verb === 'delete').map(({ object, uid }) => ({ object, uid })),
    [{ object: 'StatefulSet/db', uid: before?.metadata.uid }],
  );

  await plumb.git.commit('shop', { 'deploy/app.yaml': set('third') });
  await plumb.until('shop', hasFailed('FieldImmutable'));
  assert.equal((await read())?.metadata.uid, after?.metadata.uid);
});

test('D18: what holds data is not replaced, whatever it says, but for an approval of exactly that', async () => {
  const claim = (size: string): string =>
    annotated(
      `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data
spec:
  accessModes: [${size}]
  resources: {requests: {storage: 1Gi}}
`,
      FORCE,
    );
  await using plumb = await startFixture({ prefix: 'replace' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/claim.yaml': claim('ReadWriteOnce') });
  await plumb.application('shop');
  await plumb.untilObject('v1', 'persistentvolumeclaims', 'data', (object) => object !== undefined);
  const before = await plumb.get('v1', 'persistentvolumeclaims', 'data');

  await plumb.git.commit('shop', { 'deploy/claim.yaml': claim('ReadWriteMany') });
  const refused = await plumb.until('shop', hasFailed('FieldImmutable'));
  assert.equal((await plumb.get('v1', 'persistentvolumeclaims', 'data'))?.metadata.uid, before?.metadata.uid);

  // An engine that is started anew asks for the same approval, and finds it.
  await plumb.stop();
  await approve(plumb, 'seen', refused.status?.environments?.[0]?.pendingPlan?.digest);
  await plumb.start();
  await plumb.untilObject('v1', 'persistentvolumeclaims', 'data', (object) => {
    return object !== undefined && object.metadata.uid !== before?.metadata.uid;
  });
  const after = await plumb.get('v1', 'persistentvolumeclaims', 'data');
  assert.deepEqual(after?.spec.accessModes, ['ReadWriteMany']);
});

async function approve(plumb: EngineFixture, name: string, digest: string = 'none'): Promise<void> {
  await plumb.create('plumb.dev/v1alpha1', 'approvals', {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Approval',
    metadata: { name },
    spec: { application: 'shop', digest, by: await userOf(plumb) },
  });
}

/** Who the tests are to the API server. */
async function userOf({ cluster }: EngineFixture): Promise<string> {
  const { body } = await cluster.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
  });
  return (body as { readonly status: { readonly userInfo: { readonly username: string } } }).status.userInfo.username;
}

function startWith(manifest: string): Promise<EngineFixture> {
  return startFixture({ prefix: 'replace' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', { 'deploy/app.yaml': manifest, 'deploy/config.yaml': configMap('config') });
    await plumb.application('shop');
    await plumb.until('shop', isHealthy);
  });
}

function annotated(manifest: string, annotation: string): string {
  return manifest.replace(/^metadata:\n/m, `metadata:\n  annotations:\n    ${annotation}\n`);
}

/** What a write would change: the rollout's status may change. */
async function identity(plumb: EngineFixture): Promise<readonly unknown[]> {
  const { metadata } = (await plumb.get('apps/v1', 'deployments', 'app')) ?? {};
  return [metadata?.uid, metadata?.generation];
}
