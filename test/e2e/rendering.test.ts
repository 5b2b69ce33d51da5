import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLedgerReadOnly } from '@plumb/ledger';
import { chartArchive } from '../../packages/charts/test/chart-archive.ts';
import { startHelmRepository } from '../../packages/charts/test/helm-repository-server.ts';
import { isHealthy, startFixture, type EngineFixture } from './engine-fixture.ts';

const LISTEN = { listen: { host: '127.0.0.1', port: 0 } };

const CHART = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\nversion: 1.0.0\n',
  'chart/values.yaml': 'level: info\n',
  'chart/values-prod.yaml': 'level: warn\n',
  'chart/templates/_names.tpl': '{{- define "name" }}{{ .Release.Name }}-web{{ end }}\n',
  'chart/templates/settings.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include "name" . }}\ndata:\n  level: {{ .Values.level }}\n',
  'chart/templates/password.yaml':
    'apiVersion: v1\nkind: Secret\nmetadata:\n  name: password\nstringData:\n  password: {{ randAlphaNum 24 }}\n',
  'chart/templates/migrate.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: migrate\n  annotations:\n    helm.sh/hook: pre-install\n',
};

function kustomization(...lines: readonly string[]): string {
  return `${['apiVersion: kustomize.config.k8s.io/v1beta1', 'kind: Kustomization', ...lines].join('\n')}\n`;
}

function settings(level: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  level: ${level}\n`;
}

async function rendersOf(plumb: EngineFixture): Promise<Readonly<Record<string, number>>> {
  const text = await (await fetch(`${plumb.engine.url}/metrics`)).text();
  const lines = [...text.matchAll(/^plumb_render_total\{result="(\w+)"\} (\d+)$/gm)];
  return Object.fromEntries(lines.map(([, result = '', count]) => [result, Number(count)]));
}

async function dataOf(plumb: EngineFixture, name: string): Promise<unknown> {
  return (await plumb.get('v1', 'configmaps', name))?.data;
}

function writesOf(plumb: EngineFixture): number {
  return plumb.writes.filter(({ object }) => object.startsWith('ConfigMap/')).length;
}

test('a Helm chart becomes objects, with the values of its environment; hooks wait for the day that they are run', async () => {
  await using plumb = await startFixture({ prefix: 'chart' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', CHART);

  await plumb.application('shop', {
    source: { repository: 'shop', path: 'chart' },
    render: {
      valuesFiles: ['values-{{ environment }}.yaml'],
      parameters: [{ name: 'extra', value: 'a,b' }],
    },
    environments: [{ name: 'prod', namespace: plumb.namespace }],
  });
  await plumb.until('shop', isHealthy);

  assert.deepEqual(await dataOf(plumb, 'shop-web'), { level: 'warn' });
  assert.equal(await dataOf(plumb, 'migrate'), undefined);
});

test('a generated password stays what it is when other values change and after a restart, and differs elsewhere', async () => {
  await using plumb = await startFixture({ prefix: 'random' });
  const other = await plumb.cluster.namespace('random-other');
  await plumb.git.create('shop');
  await plumb.git.commit('shop', CHART);
  await plumb.application('shop', {
    source: { repository: 'shop', path: 'chart' },
    environments: [
      { name: 'dev', namespace: plumb.namespace },
      { name: 'prod', namespace: other },
    ],
  });
  await plumb.until('shop', isHealthy);
  const password = async (namespace: string): Promise<string | undefined> => {
    const answer = await plumb.cluster.request('GET', `/api/v1/namespaces/${namespace}/secrets/password`);
    return (answer.body as { data?: Record<string, string> }).data?.['password'];
  };
  const before = await password(plumb.namespace);

  await plumb.git.commit('shop', { 'chart/values.yaml': 'level: debug\n' });
  await plumb.untilObject('v1', 'configmaps', 'shop-web', (object) => object?.data?.['level'] === 'debug');
  await plumb.restart();
  await plumb.sync('shop');

  assert.equal(Buffer.from(before ?? '', 'base64').length, 24);
  assert.equal(await password(plumb.namespace), before);
  assert.notEqual(await password(other), before);
});

test('a shared base that changes renders its users anew and nobody else, and a commit elsewhere nobody', async () => {
  await using plumb = await startFixture({ prefix: 'base', ...LISTEN });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'base/kustomization.yaml': kustomization('resources: [settings.yaml]'),
    'base/settings.yaml': settings('info'),
    'one/kustomization.yaml': kustomization('resources: [../base]', 'namePrefix: one-'),
    'two/kustomization.yaml': kustomization('resources: [../base]', 'namePrefix: two-'),
    'plain/settings.yaml': settings('plain').replace('name: settings', 'name: plain'),
  });
  for (const path of ['one', 'two', 'plain']) {
    await plumb.application(path, { source: { repository: 'shop', path } });
    await plumb.until(path, isHealthy);
  }
  const first = await rendersOf(plumb);

  await plumb.git.commit('shop', { 'README.md': 'nothing of anybody' });
  await plumb.sync('one');
  const untouched = await rendersOf(plumb);
  await plumb.git.commit('shop', { 'base/settings.yaml': settings('debug') });
  await plumb.untilObject('v1', 'configmaps', 'one-settings', (object) => object?.data?.['level'] === 'debug');
  await plumb.untilObject('v1', 'configmaps', 'two-settings', (object) => object?.data?.['level'] === 'debug');

  assert.deepEqual(untouched, first);
  assert.equal((await rendersOf(plumb))['rendered'], (first['rendered'] ?? 0) + 2);
});

test('after a restart nothing is rendered and nothing is written, also of a base outside of the folder', async () => {
  await using plumb = await startFixture({ prefix: 'kept', ...LISTEN });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'base/kustomization.yaml': kustomization('resources: [settings.yaml]'),
    'base/settings.yaml': settings('info'),
    'one/kustomization.yaml': kustomization('resources: [../base]'),
  });
  await plumb.application('one', { source: { repository: 'shop', path: 'one' } });
  await plumb.until('one', isHealthy);
  await plumb.stop();
  await plumb.git.commit('shop', { 'README.md': 'a commit that concerns nobody' });
  const written = writesOf(plumb);

  await plumb.start();
  await plumb.sync('one');

  assert.deepEqual(await rendersOf(plumb), { rendered: 0, kept: 0, failed: 0 });
  assert.equal(writesOf(plumb), written);
});

test('images, patches and components of the spec lie over the kustomization of the folder', async () => {
  await using plumb = await startFixture({ prefix: 'over' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/kustomization.yaml': kustomization('resources: [settings.yaml]'),
    'deploy/settings.yaml': settings('info'),
    'patches/more.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {more: "1"}\n',
    'component/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {component: "yes"}\n',
  });

  await plumb.application('shop', {
    render: { kustomize: { patches: [{ path: '../patches/more.yaml' }], components: ['../component'] } },
  });
  await plumb.until('shop', isHealthy);

  const live = await plumb.get('v1', 'configmaps', 'settings');
  assert.deepEqual(live?.data, { level: 'info', more: '1' });
  assert.equal(live?.metadata.annotations?.['component'], 'yes');
});

test('a chart of a Helm repository is rendered with values from Git, and the version that a range came to is on record', async () => {
  await using charts = await startHelmRepository();
  charts.publish({ name: 'note', version: '1.2.0', bytes: chartArchive({ name: 'note', version: '1.2.0' }) });
  charts.publish({ name: 'note', version: '2.0.0', bytes: chartArchive({ name: 'note', version: '2.0.0' }) });
  await using plumb = await startFixture({ prefix: 'fetched' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/prod.yaml': 'note: from git\n' });

  await plumb.application('shop', {
    source: { repository: 'shop', path: 'deploy', chart: { url: charts.url, name: 'note', version: '^1' } },
    render: { valuesFiles: ['prod.yaml'] },
  });
  await plumb.until('shop', isHealthy);

  assert.deepEqual(await dataOf(plumb, 'note'), { note: 'from git' });
  await using ledger = await openLedgerReadOnly(join(plumb.stateFolder, 'state'));
  const [target] = await ledger.targets();
  assert.match(
    (await ledger.latestRelease(target ?? assert.fail()))?.chart ?? '',
    /^note 1\.2\.0 sha256:[0-9a-f]{64}$/,
  );
});

test('a chart that is not there fails its own application alone, with the versions that there are', async () => {
  await using charts = await startHelmRepository();
  charts.publish({ name: 'note', version: '1.2.0', bytes: chartArchive({ name: 'note', version: '1.2.0' }) });
  await using plumb = await startFixture({ prefix: 'nochart' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/settings.yaml': settings('info') });
  await plumb.application('good');
  await plumb.application('bad', {
    source: { repository: 'shop', path: 'deploy', chart: { url: charts.url, name: 'note', version: '^7' } },
  });

  await plumb.until('good', isHealthy);
  const bad = await plumb.until('bad', ({ status }) => status?.state === 'Failed');

  assert.match(bad.status.message, /\^7.*1\.2\.0/);
});

test('when variables or a chart cannot be read any more, what was read last stays in force', async () => {
  await using plumb = await startFixture({ prefix: 'lost' });
  await plumb.create('v1', 'configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-vars' },
    data: { LEVEL: 'info' },
  });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/settings.yaml': settings(`"\${LEVEL}"`) });
  await plumb.application('shop', {
    render: { substitute: { from: [{ kind: 'ConfigMap', name: 'cluster-vars' }] } },
  });
  await plumb.until('shop', isHealthy);

  await plumb.remove('v1', 'configmaps', 'cluster-vars');
  await plumb.untilEvent(({ message }) => message === 'A chart or variables could not be read');
  await plumb.remove('v1', 'configmaps', 'settings');
  await plumb.untilObject('v1', 'configmaps', 'settings', (object) => object?.data?.['level'] === 'info');
  const still = await plumb.sync('shop');

  assert.equal(still.status.state, 'Healthy');
});

test('variables come from the spec, a ConfigMap and a Secret, and a change of them is a change of the application', async () => {
  await using plumb = await startFixture({ prefix: 'vars' });
  await plumb.create('v1', 'configmaps', {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-vars' },
    data: { REGION: 'eu', COUNT: '2' },
  });
  await plumb.create('v1', 'secrets', {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'cluster-secrets' },
    stringData: { TOKEN: 'x: y\n---\nkind: Namespace' },
  });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/settings.yaml': settings(`"\${CLUSTER}-\${REGION} \${TOKEN} \${MISSING:-none}"`),
  });

  await plumb.application('shop', {
    render: {
      substitute: {
        variables: { CLUSTER: 'prod' },
        from: [
          { kind: 'ConfigMap', name: 'cluster-vars' },
          { kind: 'Secret', name: 'cluster-secrets' },
          { kind: 'Secret', name: 'absent', optional: true },
        ],
      },
    },
  });
  await plumb.until('shop', isHealthy);
  assert.deepEqual(await dataOf(plumb, 'settings'), { level: 'prod-eu x: y\n---\nkind: Namespace none' });

  await plumb.edit('v1', 'configmaps', 'cluster-vars', { data: { REGION: 'us' } });

  await plumb.untilObject(
    'v1',
    'configmaps',
    'settings',
    (object) => object?.data?.['level']?.startsWith('prod-us') === true,
  );
});

test('a chart that asks for a kind is rendered anew when the cluster gets it', async () => {
  await using plumb = await startFixture({ prefix: 'caps' });
  const group = `${plumb.namespace}.example.com`;
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/Chart.yaml': 'apiVersion: v2\nname: caps\nversion: 1.0.0\n',
    'deploy/templates/settings.yaml': settings(`"{{ .Capabilities.APIVersions.Has "${group}/v1/Widget" }}"`),
  });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  assert.deepEqual(await dataOf(plumb, 'settings'), { level: 'false' });

  // By somebody else, not by an application of ours.
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const created = await plumb.cluster.request('POST', crds, { body: widgetDefinition(group) });
  assert.equal(created.status, 201);

  await plumb.untilObject('v1', 'configmaps', 'settings', (object) => object?.data?.['level'] === 'true');
});

function widgetDefinition(group: string): object {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Widget', plural: 'widgets', singular: 'widget', listKind: 'WidgetList' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
}

test('with the randomness of upstream a password is another one with every render, and still there is no loop', async () => {
  await using plumb = await startFixture({ prefix: 'chance', ...LISTEN });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', CHART);
  await plumb.application('shop', { source: { repository: 'shop', path: 'chart' }, render: { random: 'upstream' } });
  await plumb.until('shop', isHealthy);
  const first = (await plumb.get('v1', 'secrets', 'password'))?.data?.['password'];

  await plumb.git.commit('shop', { 'README.md': 'nothing of it' });
  await plumb.sync('shop');
  await plumb.restart();
  await plumb.sync('shop');
  assert.equal((await plumb.get('v1', 'secrets', 'password'))?.data?.['password'], first);

  await plumb.git.commit('shop', { 'chart/values.yaml': 'level: debug\n' });
  await plumb.untilObject('v1', 'configmaps', 'shop-web', (object) => object?.data?.['level'] === 'debug');
  // Both go out at once, and either may be there first.
  await plumb.untilObject(
    'v1',
    'secrets',
    'password',
    (object) => ![undefined, first].includes(object?.data?.['password']),
  );
});

test('a release says where each object came from: repository, commit, file, line and patches', async () => {
  await using plumb = await startFixture({ prefix: 'origin' });
  await plumb.git.create('shop');
  const commit = await plumb.git.commit('shop', {
    'base/kustomization.yaml': kustomization('resources: [settings.yaml]'),
    'base/settings.yaml': `# first line\n${settings('info')}`,
    'prod/kustomization.yaml': kustomization('resources: [../base]', 'patches: [{path: level.yaml}]'),
    'prod/level.yaml': settings('warn'),
  });
  await plumb.application('shop', { source: { repository: 'shop', path: 'prod' } });
  await plumb.until('shop', isHealthy);

  await using ledger = await openLedgerReadOnly(join(plumb.stateFolder, 'state'));
  const [target = assert.fail()] = await ledger.targets();
  const release = (await ledger.latestRelease(target)) ?? assert.fail();
  const objects = await ledger.releaseObjects(target, release.number);

  assert.deepEqual([release.repository, release.commit], [plumb.git.url('shop'), commit]);
  assert.deepEqual(
    objects?.map(({ origin }) => origin),
    [{ file: 'base/settings.yaml', line: 2, patches: ['prod/level.yaml'] }],
  );
});
