import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { fieldAt, type JsonObject, type KubeObject } from '@plumb/core';
import { sharedCluster, type ApiAnswer, type TestCluster } from '@plumb/test-support';
import { CRDS } from './crds.ts';
import { decodeApplication, decodeRepository } from './decode.ts';
import { API_VERSION, APPLICATION, REPOSITORY } from './names.ts';

let cluster: TestCluster;
let namespace: string;

before(async () => {
  cluster = await sharedCluster();
  namespace = await cluster.namespace('api');
  for (const crd of CRDS) await install(crd);
});

async function install(crd: KubeObject): Promise<void> {
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
  const applied = await cluster.request('PATCH', `${path}?fieldManager=test&force=true`, {
    body: crd,
    contentType: 'application/apply-patch+yaml',
  });
  assert.ok(applied.status < 300, JSON.stringify(applied.body));
  // A CRD is served some time after it is Established: until its storage has started, a list answers 429.
  await until(path, (answer) => conditionStatus(answer.body, 'Established') === 'True');
  const plural = String(fieldAt(crd, 'spec', 'names', 'plural'));
  await until(`/apis/${API_VERSION}/namespaces/${namespace}/${plural}`, ({ status }) => status === 200);
}

async function until(path: string, holds: (answer: ApiAnswer) => boolean): Promise<void> {
  while (!holds(await cluster.request('GET', path)));
}

function conditionStatus(object: unknown, type: string): string | undefined {
  const conditions = (fieldAt(object, 'status', 'conditions') ?? []) as readonly JsonObject[];
  const condition = conditions.find((one) => one['type'] === type);
  return condition === undefined ? undefined : String(condition['status']);
}

async function create(names: { kind: string; plural: string }, name: string, spec: unknown): Promise<ApiAnswer> {
  return await cluster.request(
    'POST',
    `/apis/${API_VERSION}/namespaces/${namespace}/${names.plural}?fieldValidation=Strict`,
    { body: { apiVersion: API_VERSION, kind: names.kind, metadata: { name }, spec } },
  );
}

function messageOf(answer: ApiAnswer): string {
  return String(fieldAt(answer.body, 'message'));
}

test('the API server takes the CRDs as structural, without a complaint', async () => {
  for (const crd of CRDS) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`;
    const { body } = await cluster.request('GET', path);

    assert.equal(conditionStatus(body, 'Established'), 'True');
    assert.equal(conditionStatus(body, 'NonStructuralSchema'), undefined);
  }
});

test('the smallest objects get the defaults from the API server that the decoder fills in', async () => {
  const repository = await create(REPOSITORY, 'small', { url: 'https://git.example.com/shop.git' });
  const application = await create(APPLICATION, 'small', { source: { repository: 'small' } });

  for (const [answer, decode] of [
    [repository, decodeRepository],
    [application, decodeApplication],
  ] as const) {
    assert.equal(answer.status, 201, messageOf(answer));
    const decoded = decode(answer.body);
    assert.ok(decoded.ok);
    assert.deepEqual(decoded.value.spec, fieldAt(answer.body, 'spec'));
  }
});

test('an application with everything in it is stored as it is written', async () => {
  const spec = {
    source: { repository: 'shop', path: 'deploy/a..b' },
    render: {
      values: { replicas: 2, nested: { a: [1, null, 'x'] } },
      valuesFiles: ['values.yaml'],
      manifests: { include: '**/*.yaml', exclude: ['test/**'] },
      release: 'shop',
    },
    environments: [
      { name: 'dev' },
      { name: 'prod', revision: 'release/1.x', values: { a: { b: true } }, suspend: true },
    ],
    namespace: 'pay',
    serviceAccount: 'deployer',
    conflicts: 'force',
    dependsOn: [{ name: 'redis' }, { name: 'db', namespace: 'data' }],
    timeout: '5m',
    deletion: { maxObjects: 0, maxPercent: 100, protect: ['StatefulSet.apps'] },
    suspend: true,
  };

  const answer = await create(APPLICATION, 'whole', spec);

  assert.equal(answer.status, 201, messageOf(answer));
  assert.deepEqual(fieldAt(answer.body, 'spec'), spec);
});

test('the API server refuses what the decoder refuses, with the same words', async () => {
  const source = { repository: 'shop' };
  const url = 'https://git.example.com/shop.git';
  const repositories: readonly (readonly [spec: JsonObject, message: RegExp])[] = [
    [{ url: 'file:///etc' }, /spec\.url: .*must start with https:\/\/ or ssh:\/\//],
    [{ url: 'http://git.example.com/x' }, /spec\.url: .*must start with https:\/\/ or ssh:\/\//],
    [{ url: 'ssh://-oProxyCommand=id/x' }, /spec\.url: .*host that does not start with "-"/],
    [{ url: 'https://user:pass@git.example.com/x' }, /spec\.url: .*must not contain credentials/],
    [{ url: 'https://git.example.com/x y' }, /spec\.url: .*must not contain spaces/],
    [{ url, ref: '--upload-pack=x' }, /spec\.ref: .*must be a branch, a tag or a commit id/],
    [{ url, ref: 'a b' }, /spec\.ref: .*must be a branch, a tag or a commit id/],
    [{ url, ref: 'a\\b' }, /spec\.ref: .*must be a branch, a tag or a commit id/],
    [{ url, interval: '1d' }, /spec\.interval: .*must be a duration/],
    [{ url, interval: '0s' }, /spec\.interval: .*must be at least 1s/],
    [{ url, interval: '25h' }, /spec\.interval: .*at most 24h/],
    [{ url, webhook: { secretRef: { name: 'Hook' } } }, /spec\.webhook\.secretRef\.name: .*DNS subdomain/],
  ];
  const applications: readonly (readonly [spec: JsonObject, message: RegExp])[] = [
    [{}, /spec\.source: Required value/],
    [{ source: { repository: 'shop', path: '/deploy' } }, /spec\.source\.path: .*remove the leading "\/"/],
    [{ source: { repository: 'shop', path: 'a/../b' } }, /spec\.source\.path: .*must stay inside the repository/],
    [{ source, environments: [{ name: 'Prod' }] }, /spec\.environments\[0\]\.name: .*must be a DNS label/],
    [{ source, environments: [{ name: 'dev' }, { name: 'dev' }] }, /spec\.environments\[1\]: Duplicate value/],
    [{ source, conflicts: 'yes' }, /spec\.conflicts: Unsupported value/],
    [{ source, timeout: 'soon' }, /spec\.timeout: .*must be a duration/],
    [{ source, dependsOn: [{ name: 'Not_A_Name' }] }, /spec\.dependsOn\[0\]\.name/],
    [{ source, deletion: { maxPercent: 101 } }, /spec\.deletion\.maxPercent/],
    [{ source, deletion: { protect: ['pods'] } }, /spec\.deletion\.protect\[0\]: .*kind with its group/],
    [{ source, sourcee: {} }, /unknown field "spec\.sourcee"/],
  ];

  for (const [index, [spec, message]] of repositories.entries()) {
    const answer = await create(REPOSITORY, `bad-${index}`, spec);

    assert.ok(answer.status === 422 || answer.status === 400, `${JSON.stringify(spec)} was accepted`);
    assert.match(messageOf(answer), message);
    const body = { apiVersion: API_VERSION, kind: REPOSITORY.kind, metadata: { name: 'bad' }, spec };
    assert.equal(decodeRepository(body).ok, false);
  }
  for (const [index, [spec, message]] of applications.entries()) {
    const answer = await create(APPLICATION, `bad-${index}`, spec);

    assert.ok(answer.status === 422 || answer.status === 400, `${JSON.stringify(spec)} was accepted`);
    assert.match(messageOf(answer), message);
    const body = { apiVersion: API_VERSION, kind: APPLICATION.kind, metadata: { name: 'bad' }, spec };
    assert.equal(decodeApplication(body).ok, false);
  }
});

test('status is a subresource, and "kubectl get" fits 80 columns', async () => {
  await create(APPLICATION, 'shop', { source: { repository: 'shop' } });
  const path = `/apis/${API_VERSION}/namespaces/${namespace}/applications`;
  const revision = '9f3c1ab52d07aa41c0ffee19f3c1ab52d07aa41c';
  const status = {
    observedGeneration: 1,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        observedGeneration: 1,
        lastTransitionTime: '2026-01-01T00:00:00Z',
        reason: 'Healthy',
        message: 'All 4 objects are healthy',
      },
    ],
    state: 'Suspended',
    revision,
    shortRevision: revision.slice(0, 7),
    release: 'r184',
    environments: [
      { name: '', state: 'Healthy', objects: 4, failures: [{ code: 'YamlSyntax', message: 'x', line: 3 }] },
    ],
  };

  const patched = await cluster.request('PATCH', `${path}/shop/status`, {
    body: { status },
    contentType: 'application/merge-patch+json',
  });
  const stored = await cluster.request('GET', `${path}/shop`);
  const table = await cluster.request('GET', path, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });

  assert.equal(patched.status, 200, messageOf(patched));
  assert.deepEqual(fieldAt(stored.body, 'status'), status);
  assert.equal(fieldAt(stored.body, 'metadata', 'generation'), 1);
  const columns = (fieldAt(table.body, 'columnDefinitions') as readonly JsonObject[])
    .filter(({ priority }) => priority === 0)
    .map(({ name }) => String(name));
  const rows = (fieldAt(table.body, 'rows') as readonly JsonObject[]).map(({ cells }) => cells as readonly unknown[]);
  assert.deepEqual(columns, ['Name', 'Ready', 'State', 'Revision', 'Release', 'Age']);
  const row = rows.find(([name]) => name === 'shop');
  assert.deepEqual(row?.slice(0, 5), ['shop', 'True', 'Suspended', '9f3c1ab', 'r184']);
  const width = columns.reduce(
    (sum, column, index) => sum + Math.max(column.length, String(row?.[index]).length) + 3,
    0,
  );
  assert.ok(width - 'shop'.length <= 55, `${width} columns leave too little for the name`);
});
