import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { arrange, fieldsHash, targetKey, type KubeObject, type ManagedFieldsEntry, type TargetKey } from '@plumb/core';
import { systemClock } from '@plumb/engine';
import { openLedger } from '@plumb/ledger';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: login}\nstringData: {password: from-git}\n';

const PART_OF = 'applyset.kubernetes.io/part-of';

test('an edit of a live object is healed, and the log names who made it', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { replicas: 2 }) });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await plumb.edit('apps/v1', 'deployments', 'app', { spec: { replicas: 5 } });
  await plumb.untilObject('apps/v1', 'deployments', 'app', (object) => object?.spec.replicas === 2);
  await plumb.edit('apps/v1', 'deployments', 'app', {
    spec: { template: { spec: { containers: [{ name: 'app', image: 'registry.example.com/evil:1' }] } } },
  });
  await plumb.untilObject(
    'apps/v1',
    'deployments',
    'app',
    (object) => imageOf(object) === 'registry.example.com/app:1',
  );

  await plumb.until('shop', isHealthy);
  const said = plumb.events.filter(({ message }) => message === 'Healed');
  assert.deepEqual(
    said.map(({ object, reason, by }) => ({ object, reason, by })),
    [
      { object: 'Deployment/app', reason: 'drifted', by: 'unknown user, manager kubectl-edit' },
      { object: 'Deployment/app', reason: 'drifted', by: 'unknown user, manager kubectl-edit' },
    ],
  );
});

test('an object that somebody deleted comes back, and so does a label of ours', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one'), 'deploy/two.yaml': configMap('two') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  const before = await plumb.get('v1', 'configmaps', 'one');

  await plumb.remove('v1', 'configmaps', 'one');
  await plumb.untilObject('v1', 'configmaps', 'one', (object) => object !== undefined);
  await plumb.edit('v1', 'configmaps', 'two', { metadata: { labels: { [PART_OF]: null } } });
  await plumb.untilObject('v1', 'configmaps', 'two', (object) => object?.metadata.labels?.[PART_OF] !== undefined);

  const after = await plumb.get('v1', 'configmaps', 'one');
  assert.notEqual(after?.metadata.uid, before?.metadata.uid);
  assert.deepEqual(after?.data, before?.data);
});

test('an edit of a field that is not ours is left alone', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one'), 'deploy/two.yaml': configMap('two') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  const edited = await plumb.edit('v1', 'configmaps', 'one', {
    metadata: { annotations: { 'example.com/note': 'mine' } },
    data: { extra: 'mine too' },
  });
  // Events of one kind come in order: when this one has been answered, the one before has been read.
  await plumb.edit('v1', 'configmaps', 'two', { data: { key: 'other' } });
  await plumb.untilObject('v1', 'configmaps', 'two', (object) => object?.data?.['key'] === 'value');
  await plumb.sync('shop');

  const after = await plumb.get('v1', 'configmaps', 'one');
  assert.equal(after?.metadata.resourceVersion, edited.metadata.resourceVersion);
});

test('an edit of a Secret that Git writes as stringData is healed', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/login.yaml': SECRET });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await plumb.edit('v1', 'secrets', 'login', { data: { password: base64('by hand') } });
  await plumb.untilObject('v1', 'secrets', 'login', hasPassword('from-git'));
  await plumb.edit('v1', 'secrets', 'login', { data: { password: null } });
  await plumb.untilObject('v1', 'secrets', 'login', hasPassword('from-git'));

  assert.deepEqual(ownFields(await plumb.get('v1', 'secrets', 'login')), ['f:data', 'f:metadata']);
});

test('a Secret that a former Plumb has sent as stringData is taken over at the start, without a release', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  const commit = await plumb.git.commit('shop', { 'deploy/login.yaml': SECRET, 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  await plumb.stop();
  const target = targetKey({ namespace: plumb.namespace, application: 'shop', environment: undefined });
  await releaseAsBefore(plumb, target);
  const before = [await plumb.get('v1', 'secrets', 'login'), await plumb.get('v1', 'configmaps', 'one')];

  await plumb.start();
  await plumb.untilObject('v1', 'secrets', 'login', (object) => ownFields(object).includes('f:data'));
  const after = await plumb.sync('shop');

  const [login, one] = [await plumb.get('v1', 'secrets', 'login'), await plumb.get('v1', 'configmaps', 'one')];
  assert.deepEqual(ownFields(before[0]), ['f:metadata', 'f:stringData']);
  assert.deepEqual(ownFields(login), ['f:data', 'f:metadata']);
  assert.deepEqual(login?.data, before[0]?.data);
  assert.equal(one?.metadata.resourceVersion, before[1]?.metadata.resourceVersion);
  assert.ok(isHealthyAt(commit)(after));
  assert.equal(after.status.environments[0].release, 'r2');
  assert.deepEqual(
    plumb.events.filter(({ message }) => message === 'Healed'),
    [],
  );

  await plumb.edit('v1', 'secrets', 'login', { data: { password: base64('by hand') } });
  await plumb.untilObject('v1', 'secrets', 'login', hasPassword('from-git'));
});

/** Makes ledger and cluster as if what runs had been released with Secrets as Git writes them: r2. */
async function releaseAsBefore(plumb: EngineFixture, target: TargetKey): Promise<void> {
  await using ledger = await openLedger({ folder: join(plumb.stateFolder, 'state'), clock: systemClock });
  const last = await ledger.latestRelease(target);
  const objects = (await ledger.releaseObjects(target, last?.number ?? 0)) ?? [];
  assert.ok(last !== undefined && objects.length === 2);
  const before = objects.map(({ object, origin }) => {
    if (object.kind !== 'Secret') return { object, origin: origin ?? { file: '' } };
    const { data: _data, ...rest } = object;
    return { object: { ...rest, stringData: { password: 'from-git' } }, origin: origin ?? { file: '' } };
  });
  const { digest, objects: placed } = arrange(before, []);
  const { number } = await ledger.saveRelease({ ...last, digest, objects: before });
  await ledger.concludeRelease(target, number, 'healthy');
  for (const { key, object, hash } of placed.filter(({ object: { kind } }) => kind === 'Secret')) {
    const { status, body } = await plumb.cluster.request(
      'PATCH',
      `/api/v1/namespaces/${plumb.namespace}/secrets/login?fieldManager=plumb&force=true`,
      { body: object, contentType: 'application/apply-patch+yaml' },
    );
    assert.equal(status, 200);
    const { apiVersion, metadata } = body as KubeObject;
    const fields = fieldsHash(body as KubeObject) ?? '';
    const applied = {
      key,
      uid: metadata.uid ?? '',
      apiVersion,
      desiredHash: hash,
      fieldsHash: fields,
      release: number,
    };
    await ledger.saveApplied(target, [applied], []);
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function hasPassword(text: string): (object: KubeLike | undefined) => boolean {
  return (object) => object?.data?.['password'] === base64(text);
}

/** The top of what the manager `plumb` has applied. */
function ownFields(object: KubeLike | undefined): readonly string[] {
  const entries = (object?.metadata.managedFields ?? []) as readonly ManagedFieldsEntry[];
  const own = entries.find(({ manager, operation }) => manager === 'plumb' && operation === 'Apply');
  return Object.keys(own?.fieldsV1 ?? {}).sort();
}

test('somebody who keeps changing an object back meets longer and longer pauses, not a hot loop', async () => {
  await using plumb = await startFixture({ prefix: 'heal' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  for (let round = 1; round <= 3; round += 1) {
    await plumb.edit('v1', 'configmaps', 'one', { data: { key: `round ${round}` } });
    await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.['key'] === 'value');
  }
  const fourth = await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'round 4' } });
  const drifted = await plumb.until('shop', (application) => application.status?.state === 'Drifted');
  const left = await plumb.get('v1', 'configmaps', 'one');

  assert.match(drifted.status.message, /ConfigMap\/one keeps being changed by kubectl-edit/);
  assert.equal(drifted.status.environments[0].reason, 'Fighting');
  assert.equal(left?.metadata.resourceVersion, fourth.metadata.resourceVersion);

  await plumb.sync('shop');
  const healed = await plumb.get('v1', 'configmaps', 'one');

  assert.equal(healed?.data?.['key'], 'value');
});

function imageOf(object: KubeLike | undefined): unknown {
  return object?.spec.template.spec.containers[0].image;
}
