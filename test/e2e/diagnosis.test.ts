import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHealthyAt, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { deployment } from './manifests.ts';

// The deadline of a Deployment is ten minutes here, far beyond what a test waits: what is known before it has passed is
// known from the pods.

const IMAGE = 'registry.example.com/web';

function isDegradedBy(reason: string): (application: KubeLike) => boolean {
  return ({ status }) => status?.state === 'Degraded' && String(status.message).includes(reason);
}

async function startShop(files: Readonly<Record<string, string>>): Promise<EngineFixture> {
  return await startFixture({ prefix: 'diagnosis' }, async (plumb) => {
    await plumb.git.create('shop');
    await plumb.git.commit('shop', files, { message: 'Add the shop' });
    await plumb.application('shop');
  });
}

/** A Deployment whose pods the cluster makes crash. */
function crashing(name: string): string {
  return deployment(name).replace(
    `    metadata:\n      labels: {app: ${name}}`,
    `    metadata:\n      annotations: {fake-kubelet/phase: crash}\n      labels: {app: ${name}}`,
  );
}

test('an image that cannot be pulled makes a target degraded before its deadline, and the fixed commit mends it', async () => {
  await using plumb = await startShop({ 'deploy/web.yaml': deployment('web', { image: `${IMAGE}:1` }) });
  await plumb.until('shop', ({ status }) => status?.state === 'Healthy');
  await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { image: `${IMAGE}:broken` }) });

  const broken = await plumb.until('shop', isDegradedBy('ImagePullBackOff'));
  const live = await plumb.get('apps/v1', 'deployments', 'web');
  const fixed = await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { image: `${IMAGE}:2` }) });
  const states: string[] = [];
  const healthy = await plumb.until('shop', (application) => {
    if (application.status?.revision === fixed) states.push(application.status.state);
    return isHealthyAt(fixed)(application);
  });

  assert.match(
    broken.status.message,
    /^Deployment\/web: \d of 1 pod available; web-\w+-\w+: ImagePullBackOff, image registry\.example\.com\/web:broken cannot be pulled$/,
  );
  const progress = live?.status.conditions.find(({ type }: { type: string }) => type === 'Progressing');
  assert.notEqual(progress?.reason, 'ProgressDeadlineExceeded');
  assert.equal(healthy.status.message, '1 object is as Git wants.');
  // Pods of the broken template that still go count for nothing.
  assert.ok(!states.includes('Degraded'), states.join());
});

test('a container that keeps crashing makes a target degraded, with its exit code', async () => {
  await using plumb = await startShop({ 'deploy/web.yaml': crashing('web') });

  const degraded = await plumb.until('shop', isDegradedBy('CrashLoopBackOff'));

  assert.match(degraded.status.message, /container app keeps stopping with exit code 1$/);
  assert.equal(degraded.status.environments[0].state, 'Degraded');
});

test('a cause is known again after a restart of the engine', async () => {
  await using plumb = await startShop({ 'deploy/web.yaml': crashing('web') });
  await plumb.until('shop', isDegradedBy('CrashLoopBackOff'));
  await plumb.stop();
  await plumb.edit('apps/v1', 'deployments', 'web', { metadata: { labels: { touched: 'yes' } } });
  const fixed = await plumb.git.commit('shop', { 'deploy/web.yaml': deployment('web', { image: `${IMAGE}:broken` }) });
  await plumb.start();
  await plumb.sync('shop');

  const degraded = await plumb.until('shop', isDegradedBy('ImagePullBackOff'));

  assert.equal(degraded.status.revision, fixed);
});

test('a quota that allows no pod makes a target degraded at once, and more room mends it', async () => {
  await using plumb = await startFixture({ prefix: 'diagnosis' }, async (opened) => {
    const quota = { metadata: { name: 'small' }, spec: { hard: { pods: '0' } } };
    await opened.create('v1', 'resourcequotas', quota);
    // Until the quota is counted, every pod is refused for that reason.
    await opened.untilObject('v1', 'resourcequotas', 'small', (object) => object?.status?.hard?.pods === '0');
    await opened.git.create('shop');
    await opened.git.commit('shop', { 'deploy/web.yaml': deployment('web') }, { message: 'Add the shop' });
    await opened.application('shop');
  });

  const degraded = await plumb.until('shop', isDegradedBy('exceeded quota'));
  const live = await plumb.get('apps/v1', 'deployments', 'web');
  await plumb.remove('v1', 'resourcequotas', 'small');
  // The controller of ReplicaSets tries again by itself, ever more seldom: a change makes it look at once.
  await plumb.edit('apps/v1', 'deployments', 'web', { spec: { template: { metadata: { annotations: { at: '2' } } } } });
  const healthy = await plumb.until('shop', ({ status }) => status?.state === 'Healthy');

  assert.equal(
    degraded.status.message,
    'Deployment/web: 0 of 1 pod available; pods cannot be created: FailedCreate, ' +
      'exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0',
  );
  const progress = live?.status.conditions.find(({ type }: { type: string }) => type === 'Progressing');
  assert.notEqual(progress?.reason, 'ProgressDeadlineExceeded');
  assert.equal(healthy.status.message, '1 object is as Git wants.');
});
