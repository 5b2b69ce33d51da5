import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, startFixture } from './engine-fixture.ts';

test('environments that wait for the same watch all go on when it has synced', async () => {
  await using plumb = await startFixture({ prefix: 'environments' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/values.yaml': '',
    'deploy/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Namespace }}"}\n',
    'deploy/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n',
  });
  const names = ['dev', 'staging', 'prod'];
  const namespaces = await Promise.all(names.map((name) => plumb.cluster.namespace(name)));

  await plumb.application('shop', {
    environments: names.map((name, index) => ({ name, namespace: namespaces[index] })),
  });
  const healthy = await plumb.until('shop', isHealthy);

  const states = healthy.status.environments.map(({ name, state }: { name: string; state: string }) => [name, state]);
  assert.deepEqual(
    states,
    names.map((name) => [name, 'Healthy']),
  );
});
