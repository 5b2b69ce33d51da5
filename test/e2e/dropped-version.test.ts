import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFailed, isHealthy, isHealthyAt, startFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

test('D32: an API version that is served no more deletes nothing, and the next version takes the object over', async () => {
  await using plumb = await startFixture({ prefix: 'version' });
  const group = `${plumb.namespace}.example.com`;
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const version = (name: string, more: object): object => ({
    name,
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
      },
    },
    ...more,
  });
  const versions = (served: boolean): object[] => [
    version('v1beta1', { served, storage: false }),
    version('v1', { served: true, storage: true }),
  ];
  const definition = await plumb.cluster.request('POST', path, {
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `widgets.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
        versions: versions(true),
      },
    },
  });
  assert.equal(definition.status, 201);
  const widget = (at: string, size: number): string =>
    `apiVersion: ${group}/${at}\nkind: Widget\nmetadata: {name: w}\nspec: {size: ${size}}\n`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/w.yaml': widget('v1beta1', 1), 'deploy/map.yaml': configMap('map') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  const before = await plumb.get(`${group}/v1`, 'widgets', 'w');
  assert.notEqual(before, undefined);

  const dropped = await plumb.cluster.request('PATCH', `${path}/widgets.${group}`, {
    body: { spec: { versions: versions(false) } },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(dropped.status, 200);
  await plumb.restart();
  await plumb.git.commit('shop', { 'deploy/w.yaml': widget('v1beta1', 2) });
  await plumb.until('shop', hasFailed('KindMissing'));
  assert.equal((await plumb.get(`${group}/v1`, 'widgets', 'w'))?.metadata.uid, before?.metadata.uid);

  const commit = await plumb.git.commit('shop', { 'deploy/w.yaml': widget('v1', 3) });
  await plumb.until('shop', isHealthyAt(commit));
  const after = await plumb.get(`${group}/v1`, 'widgets', 'w');
  assert.equal(after?.metadata.uid, before?.metadata.uid);
  assert.equal(after?.spec.size, 3);
  assert.deepEqual(
    plumb.writes.filter(({ verb }) => verb === 'delete'),
    [],
  );
});
