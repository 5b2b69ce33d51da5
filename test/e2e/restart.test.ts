import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startEngine, systemClock, systemRandom, type Engine } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap, deployment } from './manifests.ts';

const PLUMB = 'plumb.dev/v1alpha1';
const FILES = {
  'deploy/app.yaml': deployment('app'),
  'deploy/one.yaml': configMap('one'),
  'deploy/two.yaml': configMap('two'),
};

test('a restart with nothing changed writes nothing', async () => {
  await using plumb = await startHealthy();
  const before = await versions(plumb);
  const application = await plumb.get(PLUMB, 'applications', 'shop');
  const sent = plumb.writes.length;

  await plumb.restart();
  const after = await plumb.sync('shop');

  assert.deepEqual(await versions(plumb), before);
  const own = plumb.writes
    .slice(sent)
    .filter(({ object }) => !/^(Lease|Namespace|CustomResourceDefinition)\//.test(object));
  // The request of this test is answered in the status; nothing else is said.
  assert.deepEqual(
    own.map(({ verb, object }) => `${verb} ${object}`),
    ['status Application/shop'],
  );
  const { handledRequest: _handled, comparedAt: _compared, ...status } = after.status;
  const { comparedAt: _comparedBefore, ...statusBefore } = application?.status ?? {};
  assert.deepEqual(status, statusBefore);
});

test('a restart while Git is down heals from what the ledger holds', async () => {
  await using plumb = await startHealthy();

  await plumb.stop();
  plumb.git.fault = 'error-500';
  await plumb.remove('v1', 'configmaps', 'one');
  await plumb.edit('v1', 'configmaps', 'two', { data: { key: 'edited' } });
  await plumb.start();

  await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.['key'] === 'value');
  await plumb.untilObject('v1', 'configmaps', 'two', (object) => object?.data?.['key'] === 'value');
  await plumb.until('shop', isHealthy);
  assert.ok(plumb.writes.every(({ verb }) => verb !== 'delete'));

  plumb.git.fault = undefined;
  const commit = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  await plumb.until('shop', isHealthyAt(commit));
});

test('what was edited while the engine was down is healed after its start, with the name of who did it', async () => {
  await using plumb = await startHealthy();

  await plumb.stop();
  await plumb.edit('apps/v1', 'deployments', 'app', { spec: { replicas: 7 } });
  await plumb.start();
  await plumb.untilObject('apps/v1', 'deployments', 'app', (object) => object?.spec.replicas === 1);

  const healed = await plumb.untilEvent(({ message }) => message === 'Healed');
  assert.deepEqual(
    { object: healed['object'], by: healed['by'] },
    { object: 'Deployment/app', by: 'unknown user, manager kubectl-edit' },
  );
});

test('a commit that was pushed while the engine was down is rolled out after its start', async () => {
  await using plumb = await startHealthy();

  await plumb.stop();
  const commit = await plumb.git.commit('shop', { 'deploy/two.yaml': null, 'deploy/three.yaml': configMap('three') });
  await plumb.start();
  await plumb.until('shop', isHealthyAt(commit));

  assert.equal(await plumb.get('v1', 'configmaps', 'two'), undefined);
  assert.notEqual(await plumb.get('v1', 'configmaps', 'three'), undefined);
});

test('a second engine does not start beside the first', async () => {
  await using plumb = await startHealthy();

  await assert.rejects(startSecond(plumb, { holder: 'another' }), {
    code: 'EngineBusy',
    message: new RegExp(`test-${plumb.namespace}`),
  });
  await assert.rejects(startSecond(plumb, { holder: `test-${plumb.namespace}` }), { code: 'LedgerBusy' });

  const commit = await plumb.git.commit('shop', { 'deploy/one.yaml': configMap('one', { key: 'new' }) });
  await plumb.until('shop', isHealthyAt(commit));
});

async function startHealthy(): Promise<EngineFixture> {
  return await startFixture({ prefix: 'restart' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', FILES);
    await plumb.application('shop');
    await plumb.until('shop', isHealthy);
  });
}

async function startSecond(plumb: EngineFixture, { holder }: { readonly holder: string }): Promise<Engine> {
  const { signal } = new AbortController();
  const config = await loadKubeconfig({ path: plumb.cluster.kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
  return await startEngine({
    client,
    clock: systemClock,
    random: systemRandom,
    stateFolder: join(plumb.stateFolder, 'state'),
    cacheFolder: join(plumb.stateFolder, 'cache'),
    namespace: plumb.namespace,
    identity: 'kubernetes-admin',
    holder,
    log: () => undefined,
    signal,
  });
}

/** Of every object of the application: its resource version, without what a controller says in its status. */
async function versions(plumb: EngineFixture): Promise<readonly string[]> {
  const objects = [...(await plumb.list('v1', 'configmaps')), ...(await plumb.list('apps/v1', 'deployments'))];
  return objects.map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`).sort();
}
