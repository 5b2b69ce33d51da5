import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthy, startFixture, type KubeLike } from './engine-fixture.ts';

const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  replicas: {{ .Values.replicas | quote }}
  level: {{ .Values.level | quote }}
  region: {{ .Values.region | quote }}
`;

const FILES = {
  'deploy/settings.yaml': TEMPLATE,
  'deploy/values.yaml': 'replicas: 1\nlevel: info\nregion: none\n',
  'deploy/values-dev.yaml': 'level: debug\n',
  'deploy/values-prod.yaml': 'replicas: 3\n',
};

test('each environment gets its own values: the folder, then the file of its name, then what the spec says', async () => {
  await using plumb = await startFixture({ prefix: 'env' });
  const [dev, staging, prod] = await Promise.all(
    ['dev', 'staging', 'prod'].map((name) => plumb.cluster.namespace(name)),
  );
  await plumb.git.create('shop');
  const commit = await plumb.git.commit('shop', FILES);

  await plumb.application('shop', {
    render: { values: { region: 'eu' } },
    environments: [
      { name: 'dev', namespace: dev },
      { name: 'staging', namespace: staging, values: { replicas: 2 } },
      { name: 'prod', namespace: prod, values: { region: 'us' } },
    ],
  });
  const healthy = await plumb.until('shop', isHealthy);

  const settings = async (namespace: string | undefined): Promise<unknown> => {
    const answer = await plumb.cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/settings`);
    return (answer.body as KubeLike).data;
  };
  assert.deepEqual(await settings(dev), { replicas: '1', level: 'debug', region: 'eu' });
  assert.deepEqual(await settings(staging), { replicas: '2', level: 'info', region: 'eu' });
  assert.deepEqual(await settings(prod), { replicas: '3', level: 'info', region: 'us' });
  assert.equal(healthy.status.revision, commit);
  assert.deepEqual(
    healthy.status.environments.map(({ name, namespace, state }: Record<string, string>) => [name, namespace, state]),
    [
      ['dev', dev, 'Healthy'],
      ['staging', staging, 'Healthy'],
      ['prod', prod, 'Healthy'],
    ],
  );
});

test('an environment that is pinned stays at its commit, and one that is suspended as it is', async () => {
  await using plumb = await startFixture({ prefix: 'env' });
  const [dev, staging, prod] = await Promise.all(
    ['dev', 'staging', 'prod'].map((name) => plumb.cluster.namespace(name)),
  );
  await plumb.git.create('shop');
  const first = await plumb.git.commit('shop', FILES);
  const environments = [
    { name: 'dev', namespace: dev },
    { name: 'staging', namespace: staging },
    { name: 'prod', namespace: prod, revision: first },
  ];
  await plumb.application('shop', { environments });
  await plumb.until('shop', isHealthy);
  const suspended = environments.map((environment) => ({ ...environment, suspend: environment.name === 'staging' }));
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', { spec: { environments: suspended } });

  const second = await plumb.git.commit('shop', { 'deploy/values.yaml': 'replicas: 9\nlevel: warn\nregion: none\n' });
  const moved = await plumb.until('shop', (application) => environmentOf(application, 'dev')?.['revision'] === second);
  const after = await plumb.sync('shop');

  assert.equal(environmentOf(moved, 'dev')?.['state'], 'Healthy');
  assert.equal(environmentOf(after, 'staging')?.['state'], 'Suspended');
  assert.equal(environmentOf(after, 'prod')?.['revision'], first);
  assert.equal(environmentOf(after, 'prod')?.['state'], 'Healthy');
  const level = async (namespace: string | undefined): Promise<unknown> => {
    const answer = await plumb.cluster.request('GET', `/api/v1/namespaces/${namespace}/configmaps/settings`);
    return (answer.body as KubeLike).data?.['level'];
  };
  assert.deepEqual([await level(dev), await level(staging), await level(prod)], ['debug', 'info', 'info']);
});

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

function environmentOf(application: KubeLike, name: string): Record<string, unknown> | undefined {
  return application.status.environments?.find((environment: { name: string }) => environment.name === name);
}
