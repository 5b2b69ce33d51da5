import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasFailed, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const WEBHOOKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

interface Probe {
  readonly method: 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

/** An admission webhook that nobody answers, in this namespace only; asks until the API server knows of it. */
async function webhookDown(
  plumb: EngineFixture,
  rule: { readonly resource: string; readonly operations: readonly string[] },
  probe: Probe,
): Promise<AsyncDisposable> {
  const { cluster, namespace } = plumb;
  const name = `down.${namespace}.example.com`;
  const created = await cluster.request('POST', WEBHOOKS, {
    body: {
      metadata: { name },
      webhooks: [
        {
          name,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Fail',
          timeoutSeconds: 1,
          clientConfig: { url: 'https://127.0.0.1:1/' },
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: rule.operations, resources: [rule.resource] }],
        },
      ],
    },
  });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  const { method, path, body } = probe;
  const ask = () =>
    cluster.request(method, `/api/v1/namespaces/${namespace}/${path}?dryRun=All`, body === undefined ? {} : { body });
  while ((await ask()).status < 500);
  return {
    async [Symbol.asyncDispose]() {
      await cluster.request('DELETE', `${WEBHOOKS}/${name}`);
    },
  };
}

test('D30: an admission webhook that is down for one kind holds up that kind alone, until it is back', async () => {
  await using plumb = await startFixture({ prefix: 'partial' });
  const names = Array.from({ length: 9 }, (_, index) => `object-${index + 1}`);
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: password}\nstringData: {key: value}\n';
  const webhook = await webhookDown(
    plumb,
    { resource: 'secrets', operations: ['CREATE', 'UPDATE'] },
    { method: 'POST', path: 'secrets', body: { metadata: { name: 'probe' } } },
  );
  try {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', {
      'deploy/password.yaml': secret,
      ...Object.fromEntries(names.map((name) => [`deploy/${name}.yaml`, configMap(name)])),
    });
    await plumb.application('shop');
    await plumb.until('shop', hasFailed('ServerError'));
    assert.deepEqual(await configMaps(plumb), names);
    assert.equal(await plumb.get('v1', 'secrets', 'password'), undefined);
  } finally {
    await webhook[Symbol.asyncDispose]();
  }
  await plumb.until('shop', isHealthy);
  assert.notEqual(await plumb.get('v1', 'secrets', 'password'), undefined);
});

test('D14: a deletion that admission refuses stays due and visible, and is tried again', async () => {
  await using plumb = await startFixture({ prefix: 'partial' });
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/stays.yaml': configMap('stays'), 'deploy/goes.yaml': configMap('goes') });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  const webhook = await webhookDown(
    plumb,
    { resource: 'configmaps', operations: ['DELETE'] },
    { method: 'DELETE', path: 'configmaps/goes' },
  );
  try {
    await plumb.git.commit('shop', { 'deploy/goes.yaml': null });
    await plumb.until('shop', hasFailed('ServerError'));
    assert.deepEqual(await configMaps(plumb), ['goes', 'stays']);
  } finally {
    await webhook[Symbol.asyncDispose]();
  }
  await plumb.until('shop', isHealthy);
  assert.deepEqual(await configMaps(plumb), ['stays']);
});

test('D13: what a release wrote before it failed in part is deleted when Git drops it', async () => {
  await using plumb = await startFixture({ prefix: 'partial' });
  const names = Array.from({ length: 10 }, (_, index) => `object-${index + 1}`);
  const invalid = 'apiVersion: v1\nkind: Service\nmetadata: {name: object-6}\nspec: {ports: [{port: 99999}]}\n';
  await plumb.git.create('shop');
  await plumb.git.commit(
    'shop',
    Object.fromEntries(names.map((name) => [`deploy/${name}.yaml`, name === 'object-6' ? invalid : configMap(name)])),
  );
  await plumb.application('shop', { deletion: { maxPercent: 100 } });
  await plumb.until('shop', hasFailed('FieldInvalid'));
  assert.equal((await configMaps(plumb)).length, 9);

  const dropped = names.slice(0, 6).map((name): [string, null] => [`deploy/${name}.yaml`, null]);
  const next = await plumb.git.commit('shop', Object.fromEntries(dropped));
  await plumb.until('shop', isHealthyAt(next));

  assert.deepEqual(await configMaps(plumb), ['object-10', 'object-7', 'object-8', 'object-9']);
});

async function configMaps(plumb: EngineFixture): Promise<readonly string[]> {
  const objects = await plumb.list('v1', 'configmaps');
  return objects
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'kube-root-ca.crt')
    .sort();
}
