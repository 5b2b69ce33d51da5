import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, startFixture, type KubeLike } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

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
