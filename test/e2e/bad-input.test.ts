import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEngine, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { startGitServer, type FileChange } from '@plumb/test-support/git-server';
import {
  conditionOf,
  failureOf,
  hasFailed,
  isHealthy,
  isHealthyAt,
  startFixture,
  type EngineFixture,
} from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const PLUMB = 'plumb.dev/v1alpha1';

interface BadFile {
  readonly title: string;
  readonly content: Extract<FileChange, string | Uint8Array>;
  readonly code: string;
  /** Default `bad/broken.yaml`. */
  readonly file?: string;
  readonly line?: number;
  /** What the message must say. */
  readonly says?: RegExp;
}

/** All of them stand in `bad/broken.yaml`, beside an object that is in order. */
const BAD_FILES: readonly BadFile[] = [
  {
    title: 'a YAML syntax error',
    content: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x\n',
    code: 'YamlSyntax',
  },
  {
    title: 'a tab as indent',
    content: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: x\n',
    code: 'YamlSyntax',
    line: 4,
  },
  { title: 'a duplicate key', content: `${configMap('x')}  key: "again"\n`, code: 'YamlDuplicateKey', line: 7 },
  { title: 'an unknown tag', content: 'apiVersion: v1\nkind: !!js/function ConfigMap\n', code: 'YamlTag', line: 2 },
  { title: 'an alias bomb', content: bomb(), code: 'YamlAliasLimit' },
  { title: 'nesting that has no end', content: `a: ${'['.repeat(100_000)}`, code: 'YamlDepthLimit' },
  {
    title: 'a number that does not fit',
    content: `${configMap('x')}  big: 123456789012345678901234567890\n`,
    code: 'NumberRange',
    line: 7,
  },
  { title: 'bytes that are not UTF-8', content: Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a]), code: 'Encoding' },
  { title: 'a list where an object belongs', content: '- one\n- two\n', code: 'NotAnObject', line: 1 },
  {
    title: 'an object without a name',
    content: 'apiVersion: v1\nkind: ConfigMap\n',
    code: 'ObjectInvalid',
    says: /metadata is missing/,
  },
  { title: 'a name with an invisible character', content: configMap('x\u200by'), code: 'NameInvalid' },
  {
    title: 'an object that two files define',
    content: configMap('fine', { key: 'other' }),
    code: 'DuplicateObject',
    file: 'bad/fine.yaml',
    says: /bad\/broken\.yaml.*bad\/fine\.yaml|bad\/fine\.yaml.*bad\/broken\.yaml/,
  },
  {
    title: 'a field that only the server sets',
    content: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  uid: abc\n',
    code: 'ForbiddenField',
    line: 1,
  },
  {
    title: 'a tracking mark in Git',
    content:
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  annotations: {plumb.dev/tracking: "a/b:/ConfigMap/a/x"}\n',
    code: 'ForbiddenField',
    line: 1,
  },
  {
    title: 'a variable that is set twice',
    content: deployment('x').replace('{name: app,', '{env: [{name: A, value: "1"}, {name: A, value: "2"}], name: app,'),
    code: 'DuplicateListKey',
  },
  { title: 'a ConfigMap that is too large', content: configMap('x', { key: 'x'.repeat(1_100_000) }), code: 'TooLarge' },
  {
    title: 'a Secret that is not base64',
    content: 'apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {password: "canary!"}\n',
    code: 'ObjectInvalid',
  },
  {
    title: 'an unknown field',
    content: deployment('x').replace('replicas', 'replicsa'),
    code: 'FieldUnknown',
    says: /replicsa/,
  },
  {
    title: 'a value of the wrong type',
    content: deployment('x').replace('replicas: 1', 'replicas: many'),
    code: 'FieldInvalid',
    says: /replicas/,
  },
  {
    title: 'an unknown kind',
    content: 'apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: x}\n',
    code: 'KindMissing',
    line: 1,
    says: /no kind Widget in example\.com\/v1/,
  },
];

for (const { title, content, code, file = 'bad/broken.yaml', line, says = /./ } of BAD_FILES) {
  test(`${title} is reported as ${code}, harms nothing that runs and stops nobody else`, async () => {
    await using plumb = await startGoodAndBad();
    const fine = await plumb.get('v1', 'configmaps', 'fine');

    const commit = await plumb.git.commit('shop', {
      'bad/broken.yaml': content,
      'good/good.yaml': configMap('good', { key: 'new' }),
    });
    const bad = await plumb.until('bad', hasFailed(code));
    await plumb.until('good', isHealthyAt(commit));

    const failure = failureOf(bad);
    assert.equal(failure?.code, code);
    assert.equal(failure.file, file);
    if (line !== undefined) assert.equal(failure.line, line);
    assert.match(failure.message, says);
    assert.doesNotMatch(JSON.stringify(bad.status), /canary/);
    assert.deepEqual(
      { status: conditionOf(bad, 'Ready')?.status, reason: conditionOf(bad, 'Ready')?.reason },
      { status: 'False', reason: code },
    );
    assert.equal(
      (await plumb.get('v1', 'configmaps', 'fine'))?.metadata.resourceVersion,
      fine?.metadata.resourceVersion,
    );
    assert.equal(await plumb.get('v1', 'configmaps', 'x'), undefined);
    assert.equal(await plumb.get('apps/v1', 'deployments', 'x'), undefined);
    assert.ok(plumb.writes.every(({ verb }) => verb !== 'delete'));

    await plumb.git.commit('shop', { 'bad/broken.yaml': null });
    await plumb.until('bad', isHealthy);
  });
}

test('an error in a template is reported with its file and line', async () => {
  await using plumb = await startGoodAndBad();

  await plumb.git.commit('shop', {
    'bad/values.yaml': 'a: 1\n',
    'bad/broken.yaml': 'apiVersion: v1\nkind: {{ .Values.a.b.c | nope }}\n',
  });
  const bad = await plumb.until('bad', hasFailed('TemplateError'));

  assert.equal(failureOf(bad)?.file, 'bad/broken.yaml');
  assert.equal(failureOf(bad)?.line, 2);
});

test('an unknown kind is found by itself when its definition is installed', async () => {
  await using plumb = await startGoodAndBad();
  const group = `${plumb.namespace}.example.com`;
  await plumb.git.commit('shop', { 'bad/widget.yaml': widget(group) });
  await plumb.until('bad', hasFailed('KindMissing'));

  const crd = await plumb.cluster.request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    body: definition(group),
  });
  assert.equal(crd.status, 201);
  await plumb.until('bad', isHealthy);

  assert.notEqual(await plumb.get(`${group}/v1`, 'widgets', 'w'), undefined);
});

test('a definition and an object of its kind in one commit are applied one after the other', async () => {
  await using plumb = await startGoodAndBad();
  const group = `${plumb.namespace}.example.com`;

  const commit = await plumb.git.commit('shop', {
    'bad/a-widget.yaml': widget(group),
    'bad/crd.json': JSON.stringify(definition(group)),
  });
  await plumb.until('bad', isHealthyAt(commit));

  assert.notEqual(await plumb.get(`${group}/v1`, 'widgets', 'w'), undefined);
});

test('a namespace that is missing is named, and a request goes on when it is there', async () => {
  await using plumb = await startGoodAndBad();
  const missing = `${plumb.namespace}-missing`;
  await plumb.git.commit('shop', { 'far/far.yaml': configMap('far') });
  await plumb.application('far', { source: { repository: 'shop', path: 'far' }, namespace: missing });
  const failed = await plumb.until('far', hasFailed('NamespaceMissing'));
  assert.match(failureOf(failed)?.message ?? '', new RegExp(missing));
  assert.equal(failureOf(failed)?.file, 'far/far.yaml');

  await plumb.cluster.request('POST', '/api/v1/namespaces', { body: { metadata: { name: missing } } });
  await plumb.sync('far');
  await plumb.until('far', isHealthy);
});

test('what the service account may not write is named with verb and resource, and the rest is applied', async () => {
  await using plumb = await startGoodAndBad();
  await plumb.create('v1', 'serviceaccounts', { metadata: { name: 'applier' } });
  await plumb.create('rbac.authorization.k8s.io/v1', 'roles', {
    metadata: { name: 'applier' },
    rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'patch', 'delete'] }],
  });
  await plumb.create('rbac.authorization.k8s.io/v1', 'rolebindings', {
    metadata: { name: 'applier' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'applier' },
    subjects: [{ kind: 'ServiceAccount', name: 'applier', namespace: plumb.namespace }],
  });
  const { namespace } = plumb;
  for (const verb of ['create', 'patch']) {
    await plumb.cluster.untilAllowed({
      user: `system:serviceaccount:${namespace}:applier`,
      namespace,
      verb,
      resource: 'configmaps',
    });
  }
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: hidden}\nstringData: {password: canary}\n';
  await plumb.git.commit('shop', { 'tenant/secret.yaml': secret, 'tenant/map.yaml': configMap('map') });
  await plumb.application('tenant', { source: { repository: 'shop', path: 'tenant' }, serviceAccount: 'applier' });
  const failed = await plumb.until('tenant', hasFailed('Forbidden'));

  const failure = failureOf(failed);
  assert.match(failure?.message ?? '', new RegExp(`system:serviceaccount:${plumb.namespace}:applier`));
  assert.match(failure?.message ?? '', /patch/);
  assert.match(failure?.message ?? '', /secrets/);
  assert.equal(failure?.file, 'tenant/secret.yaml');
  assert.doesNotMatch(JSON.stringify(failed.status), /canary/);
  assert.notEqual(await plumb.get('v1', 'configmaps', 'map'), undefined);
  assert.equal(await plumb.get('v1', 'secrets', 'hidden'), undefined);

  await plumb.edit('rbac.authorization.k8s.io/v1', 'roles', 'applier', {
    rules: [{ apiGroups: [''], resources: ['configmaps', 'secrets'], verbs: ['get', 'create', 'patch', 'delete'] }],
  });
  await plumb.until('tenant', isHealthy);
});

test('a ref and a folder that do not exist are named', async () => {
  await using plumb = await startGoodAndBad();

  await plumb.application('no-ref', {
    source: { repository: 'shop', path: 'good' },
    environments: [{ name: 'prod', revision: 'nope' }],
  });
  await plumb.application('no-path', { source: { repository: 'shop', path: 'nope' } });
  const noRef = await plumb.until('no-ref', hasFailed('RefMissing'));
  const noPath = await plumb.until('no-path', hasFailed('PathMissing'));

  assert.match(failureOf(noRef)?.message ?? '', /nope/);
  assert.match(failureOf(noPath)?.message ?? '', /no folder nope/);
  assert.equal(conditionOf(noPath, 'Stalled')?.status, 'True');
});

for (const [fault, code] of [
  ['unauthorized', 'RepositoryUnauthorized'],
  ['not-found', 'RepositoryNotFound'],
  ['error-500', 'RepositoryUnreachable'],
  ['empty', 'RepositoryUnreachable'],
] as const) {
  test(`a Git host that answers "${fault}" is reported as ${code}, and what runs is still healed`, async () => {
    await using plumb = await startGoodAndBad();

    plumb.git.fault = fault;
    plumb.engine.trigger(`${plumb.namespace}/shop`);
    await plumb.untilObject(PLUMB, 'repositories', 'shop', (object) => conditionOf(object, 'Ready')?.reason === code);
    await plumb.remove('v1', 'configmaps', 'good');
    await plumb.untilObject('v1', 'configmaps', 'good', (object) => object !== undefined);
    await plumb.repository('other', { url: plumb.git.url('shop'), interval: '1h' });
    await plumb.application('late', { source: { repository: 'other', path: 'good' } });
    const late = await plumb.until('late', hasFailed(code));

    assert.equal(late.status.state, 'Failed');
    assert.equal((await plumb.get(PLUMB, 'applications', 'good'))?.status.state, 'Healthy');
    assert.ok(plumb.writes.every(({ verb }) => verb !== 'delete'));

    plumb.git.fault = undefined;
    plumb.engine.trigger(`${plumb.namespace}/shop`);
    await plumb.untilObject(PLUMB, 'repositories', 'shop', (object) => conditionOf(object, 'Ready')?.status === 'True');
  });
}

test('a host that is not there and a certificate that nobody vouches for are told apart', async () => {
  await using plumb = await startGoodAndBad();
  await using tls = await startGitServer({ tls: true });
  await tls.create('shop');

  await plumb.repository('gone', { url: 'http://127.0.0.1:1/shop', interval: '1h' });
  await plumb.repository('untrusted', { url: tls.url('shop'), interval: '1h' });
  await plumb.untilObject(
    PLUMB,
    'repositories',
    'gone',
    (object) => conditionOf(object, 'Ready')?.reason === 'RepositoryUnreachable',
  );
  await plumb.untilObject(
    PLUMB,
    'repositories',
    'untrusted',
    (object) => conditionOf(object, 'Ready')?.reason === 'TlsUntrusted',
  );

  await plumb.create('v1', 'secrets', { metadata: { name: 'ca' }, stringData: { 'ca.crt': tls.caPem } });
  await tls.commit('shop', { 'deploy/tls.yaml': configMap('tls') });
  await plumb.edit(PLUMB, 'repositories', 'untrusted', { spec: { secretRef: { name: 'ca' } } });
  await plumb.application('tls', { source: { repository: 'untrusted', path: 'deploy' } });
  await plumb.until('tls', isHealthy);
});

test('a spec that the API server took and Plumb cannot read stops this application alone', async () => {
  await using plumb = await startGoodAndBad();

  // One text or a list of them: a structural schema has no word for that, so the API server lets everything through.
  await plumb.edit(PLUMB, 'applications', 'bad', { spec: { render: { manifests: { include: 5 } } } });
  await plumb.untilObject(
    PLUMB,
    'applications',
    'bad',
    (object) => conditionOf(object, 'Ready')?.reason === 'SpecInvalid',
  );
  const commit = await plumb.git.commit('shop', { 'good/good.yaml': configMap('good', { key: 'new' }) });
  await plumb.until('good', isHealthyAt(commit));
  await plumb.remove('v1', 'configmaps', 'fine');
  await plumb.untilObject('v1', 'configmaps', 'fine', (object) => object !== undefined);

  await plumb.edit(PLUMB, 'applications', 'bad', { spec: { render: null } });
  await plumb.until('bad', isHealthy);
});

test('an engine whose cluster cannot be reached says so and ends', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-e2e-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const signal = new AbortController().signal;
  const path = join(folder, 'kubeconfig');
  await writeFile(path, KUBECONFIG_OF_NOBODY);
  const config = await loadKubeconfig({ path, env: {}, signal });
  await using client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });

  const starting = startEngine({
    client,
    clock: systemClock,
    random: systemRandom,
    stateFolder: join(folder, 'state'),
    cacheFolder: join(folder, 'cache'),
    identity: 'nobody',
    log: () => undefined,
    signal,
  });

  await assert.rejects(starting, { code: 'ClusterUnreachable' });
});

/** Two healthy applications, `good` and `bad`, from two folders of one repository. */
async function startGoodAndBad(files: Readonly<Record<string, FileChange>> = {}): Promise<EngineFixture> {
  return await startFixture({ prefix: 'bad' }, async (plumb) => {
    await plumb.git.create('shop');
    const first = { 'good/good.yaml': configMap('good'), 'bad/fine.yaml': configMap('fine'), ...files };
    await plumb.git.commit('shop', first);
    await plumb.application('good', { source: { repository: 'shop', path: 'good' } });
    await plumb.application('bad', { source: { repository: 'shop', path: 'bad' } });
    await plumb.until('good', isHealthy);
    await plumb.until('bad', isHealthy);
  });
}

const KUBECONFIG_OF_NOBODY = `apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {token: none}}]
`;

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const before = level === 0 ? '"lol"' : `*l${level - 1}`;
    return `l${level}: &l${level} [${Array.from({ length: 9 }, () => before).join(',')}]\n`;
  });
  return levels.join('');
}

function widget(group: string): string {
  return `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: w}\nspec: {size: 1}\n`;
}

function definition(group: string) {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
