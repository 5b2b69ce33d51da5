import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

async function scale(plumb: EngineFixture, replicas: number, manager: string): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${plumb.namespace}/deployments/app/scale?fieldManager=${manager}`;
  const answer = await plumb.cluster.request('PATCH', path, {
    body: { spec: { replicas } },
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200);
}

function applies(plumb: EngineFixture): number {
  return plumb.writes.filter(({ object }) => object === 'Deployment/app').length;
}

test('D10: what an autoscaler scales is not fought, and a new image does not reset it', async () => {
  await using plumb = await startFixture({ prefix: 'scale' });
  await plumb.git.create('shop');
  const marker = (key: string) => ({ 'deploy/marker.yaml': configMap('marker', { key }) });
  await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { replicas: 2 }), ...marker('value') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await scale(plumb, 5, 'kube-controller-manager');
  await plumb.untilObject('apps/v1', 'deployments', 'app', (object) => object?.status?.readyReplicas === 5);
  const next = await plumb.git.commit('shop', marker('next'));
  await plumb.until('shop', isHealthyAt(next));
  assert.equal(applies(plumb), 1);

  const image = 'registry.example.com/app:2';
  const update = await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { replicas: 2, image }) });
  await plumb.until('shop', isHealthyAt(update));
  const updated = await plumb.get('apps/v1', 'deployments', 'app');
  assert.equal(updated?.spec.replicas, 5);
  assert.equal(updated?.spec.template.spec.containers[0].image, image);
  assert.equal(applies(plumb), 2);
});

test('D10: a person who scales is healed', async () => {
  await using plumb = await startFixture({ prefix: 'scale' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/app.yaml': deployment('app', { replicas: 2 }) });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);

  await scale(plumb, 5, 'kubectl');
  await plumb.untilObject('apps/v1', 'deployments', 'app', (object) => object?.spec.replicas === 2);
});
