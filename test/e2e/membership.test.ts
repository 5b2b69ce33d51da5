import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { conditionOf, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const PLUMB = 'plumb.dev/v1alpha1';
const KINDS = 'applyset.kubernetes.io/contains-group-kinds';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: two}\nstringData: {key: value}\n';

test('the marks are exactly those of the ApplySet convention', async () => {
  await using plumb = await startFixture({ prefix: 'member' });
  await start(plumb, { 'deploy/one.yaml': configMap('one') });

  const parent = await plumb.get(PLUMB, 'applications', 'shop');
  const object = await plumb.get('v1', 'configmaps', 'one');

  // KEP-3659: base64url(sha256("<name>.<namespace>.<kind>.<group>")).
  const text = `shop.${plumb.namespace}.Application.plumb.dev`;
  const id = `applyset-${createHash('sha256').update(text).digest('base64url')}-v1`;
  assert.deepEqual(parent?.metadata.labels, { 'applyset.kubernetes.io/id': id });
  assert.deepEqual(parent.metadata.annotations, { 'applyset.kubernetes.io/tooling': 'plumb/v1', [KINDS]: 'ConfigMap' });
  assert.deepEqual(object?.metadata.labels, { 'applyset.kubernetes.io/part-of': id });
  assert.deepEqual(object.metadata.annotations, {
    'plumb.dev/tracking': `${plumb.namespace}/shop:/ConfigMap/${plumb.namespace}/one`,
  });
});

test('the kinds on the parent are widened before the first apply and narrowed after the last deletion', async () => {
  await using plumb = await startFixture({ prefix: 'member' });
  await start(plumb, { 'deploy/one.yaml': configMap('one'), 'deploy/keep.yaml': SECRET.replace('two', 'keep') });

  const commit = await plumb.git.commit('shop', {
    'deploy/one.yaml': null,
    'deploy/two.yaml': 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: two}\n',
  });
  await plumb.until('shop', isHealthyAt(commit));

  assert.deepEqual(story(plumb), [
    'apply Application/shop ConfigMap,Secret',
    'apply ConfigMap/one',
    'apply Secret/keep',
    'apply Application/shop ConfigMap,Secret,ServiceAccount',
    'apply ServiceAccount/two',
    'delete ConfigMap/one',
    'apply Application/shop Secret,ServiceAccount',
  ]);
});

test('other namespaces of the application are named on the parent', async () => {
  await using plumb = await startFixture({ prefix: 'member' });
  const far = await plumb.cluster.namespace('member-far');
  await start(plumb, { 'deploy/one.yaml': configMap('one') }, { namespace: far });

  const parent = await plumb.get(PLUMB, 'applications', 'shop');

  assert.equal(parent?.metadata.annotations?.['applyset.kubernetes.io/additional-namespaces'], far);
});

test('Ready carries the generation that it is about, so that "kubectl wait" cannot be early', async () => {
  await using plumb = await startFixture({ prefix: 'member' });
  await start(plumb, { 'deploy/one.yaml': configMap('one'), 'other/two.yaml': configMap('two') });

  const edited = await plumb.edit(PLUMB, 'applications', 'shop', {
    spec: { source: { path: 'other' }, deletion: { maxPercent: 100 } },
  });
  const ready = await plumb.until(
    'shop',
    (application) => conditionOf(application, 'Ready')?.observedGeneration === edited.metadata.generation,
  );

  assert.equal(edited.metadata.generation, 2);
  assert.equal(ready.status.observedGeneration, 2);
  assert.equal(conditionOf(ready, 'Ready')?.status, 'True');
  assert.equal(await plumb.get('v1', 'configmaps', 'one'), undefined);
});

test('"kubectl get" shows the state, the revision and the age', async () => {
  await using plumb = await startFixture({ prefix: 'member' });
  const commit = await start(plumb, { 'deploy/one.yaml': configMap('one') });

  const answer = await plumb.cluster.request('GET', `/apis/${PLUMB}/namespaces/${plumb.namespace}/applications`, {
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  });
  const table = answer.body as {
    columnDefinitions: { name: string; priority: number }[];
    rows: { cells: unknown[] }[];
  };

  const shown = table.columnDefinitions.flatMap(({ name, priority }, at) =>
    priority === 0 ? [[name, table.rows[0]?.cells[at]]] : [],
  );
  const cells = new Map(shown.map(([name, cell]) => [name, cell]));
  assert.equal(cells.get('Name'), 'shop');
  assert.equal(cells.get('State'), 'Healthy');
  assert.equal(cells.get('Revision'), commit.slice(0, 7));
  assert.ok(cells.has('Age'));
});

async function start(
  plumb: EngineFixture,
  files: Record<string, string>,
  spec: Record<string, unknown> = {},
): Promise<string> {
  await plumb.git.create('shop');
  const commit = await plumb.git.commit('shop', files);
  await plumb.application('shop', spec);
  await plumb.until('shop', isHealthy);
  return commit;
}

/** What was written to the application and its objects, in order; objects of one batch by name. */
function story(plumb: EngineFixture): readonly string[] {
  const own = /^(Application|ConfigMap|Secret|ServiceAccount)\//;
  return plumb.writes
    .filter(({ verb, object }) => verb !== 'status' && own.test(object))
    .map(({ verb, object, annotations }) => [verb, object, annotations[KINDS] ?? []].flat().join(' '));
}
