import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFailed, isHealthy, startFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

test('a namespace that is missing is made where the application says so, and belongs to none of those that share it', async () => {
  await using plumb = await startFixture({ prefix: 'namespace' });
  const namespace = `${plumb.namespace}-new`;
  const job = `apiVersion: batch/v1
kind: Job
metadata:
  name: first
  annotations: {plumb.dev/hook: PreSync}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: job, image: "registry.example.com/job:1"}]
`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/one.yaml': configMap('one'),
    'deploy/job.yaml': job,
    'other/two.yaml': configMap('two'),
  });
  await plumb.application('refused', { source: { repository: 'shop', path: 'other' }, namespace });
  await plumb.until('refused', hasFailed('NamespaceMissing'));
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'refused', { spec: { suspend: true } });

  await plumb.application('shop', { namespace, createNamespace: true });
  await plumb.until('shop', isHealthy);
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'refused', {
    spec: { suspend: false, createNamespace: true },
  });
  await plumb.until('refused', isHealthy);

  const made = await plumb.cluster.request('GET', `/api/v1/namespaces/${namespace}`);
  assert.equal(made.status, 200);
  const { labels } = (made.body as { metadata: { labels?: Record<string, string> } }).metadata;
  assert.equal(labels?.['applyset.kubernetes.io/part-of'], undefined);
  for (const name of ['one', 'two']) {
    const { status } = await plumb.cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/${name}`);
    assert.equal(status, 200, name);
  }
});
