import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOf, hasFailed, isHealthy, isHealthyAt, startFixture } from './engine-fixture.ts';
import { annotated, configMap, deployment, job } from './manifests.ts';
import type { EngineFixture } from './engine-fixture.ts';

const JOB = ['batch/v1', 'jobs'] as const;

function applied(plumb: EngineFixture): readonly string[] {
  return plumb.writes.flatMap(({ verb, object }) => {
    if (verb === 'status' || /^(Application|Lease|CustomResourceDefinition|Namespace)\//.test(object)) return [];
    return verb === 'delete' ? `-${object}` : object;
  });
}

async function startWith(files: Readonly<Record<string, string>>, spec: Record<string, unknown> = {}) {
  return await startFixture({ prefix: 'order' }, async (plumb) => {
    await plumb.git.create('shop');
    const paths = Object.entries(files).map(([name, text]): [string, string] => [`deploy/${name}.yaml`, text]);
    await plumb.git.commit('shop', Object.fromEntries(paths));
    await plumb.application('shop', spec);
  });
}

test('waves are applied one after another, each when the one before is healthy', async () => {
  await using plumb = await startWith({
    web: annotated(deployment('web'), { 'argocd.argoproj.io/sync-wave': '1' }),
    db: annotated(deployment('db'), { 'plumb.dev/sync-wave': '-1' }),
    env: configMap('env'),
  });

  await plumb.until('shop', isHealthy);

  assert.deepEqual(applied(plumb), ['Deployment/db', 'ConfigMap/env', 'Deployment/web']);
});

test('hooks of all three tools run in their phases, once, and are recorded as what they are', async () => {
  await using plumb = await startWith({
    migrate: job('migrate', { 'helm.sh/hook': 'pre-install,pre-upgrade', 'helm.sh/hook-weight': '-5' }),
    seed: job('seed', { 'argocd.argoproj.io/hook': 'Sync' }),
    smoke: job('smoke', { 'plumb.dev/hook': 'PostSync', 'plumb.dev/hook-delete-policy': 'HookSucceeded' }),
    web: deployment('web'),
  });

  await plumb.until('shop', isHealthy);

  assert.deepEqual(applied(plumb), ['Job/migrate', 'Deployment/web', 'Job/seed', 'Job/smoke', '-Job/smoke']);
  const migrate = await plumb.get(...JOB, 'migrate');
  assert.equal(migrate?.metadata.annotations?.['plumb.dev/hook-run'], 'r1.1 PreSync');
});

test('D16: a hook runs exactly once for each release, also when it is still green from the last one', async () => {
  const migrate = job('migrate', { 'plumb.dev/hook': 'PreSync' });
  await using plumb = await startWith({ migrate, env: configMap('env') });
  await plumb.until('shop', isHealthy);
  const first = await plumb.get(...JOB, 'migrate');

  const commit = await plumb.git.commit('shop', { 'deploy/env.yaml': configMap('env', { key: 'other' }) });
  await plumb.until('shop', isHealthyAt(commit));

  const second = await plumb.get(...JOB, 'migrate');
  assert.notEqual(second?.metadata.uid, first?.metadata.uid);
  assert.equal(second?.metadata.annotations?.['plumb.dev/hook-run'], 'r2.1 PreSync');
  assert.deepEqual(
    applied(plumb).filter((text) => text.includes('Job/')),
    ['Job/migrate', '-Job/migrate', 'Job/migrate'],
  );
  await plumb.restart();
  await plumb.sync('shop');
  assert.equal((await plumb.get(...JOB, 'migrate'))?.metadata.uid, second?.metadata.uid);
});

test('a PreSync hook that fails stops the release, says why, runs SyncFail, and runs again when asked', async () => {
  const failing = { 'fake-kubelet/phase': 'fail' };
  await using plumb = await startWith({
    migrate: job('migrate', { 'plumb.dev/hook': 'PreSync' }, failing),
    alarm: job('alarm', { 'plumb.dev/hook': 'SyncFail' }),
    env: configMap('env'),
  });

  const failed = await plumb.until('shop', hasFailed('HookFailed'));
  const failure = failureOf(failed, 'HookFailed');
  assert.match(failure?.message ?? '', /^The PreSync hook Job\/migrate has failed/);
  assert.equal(failure?.file, 'deploy/migrate.yaml');
  assert.equal(await plumb.get('v1', 'configmaps', 'env'), undefined);
  await plumb.untilObject(...JOB, 'alarm', (object) => object !== undefined);
  const before = applied(plumb);
  await plumb.restart();
  await plumb.until('shop', hasFailed('HookFailed'));
  assert.deepEqual(applied(plumb).slice(before.length), []);

  await plumb.sync('shop');
  await plumb.untilObject(...JOB, 'migrate', (object) => {
    return object?.metadata.annotations?.['plumb.dev/hook-run'] === 'r1.2 PreSync';
  });

  const commit = await plumb.git.commit('shop', {
    'deploy/migrate.yaml': job('migrate', { 'plumb.dev/hook': 'PreSync' }),
  });
  await plumb.until('shop', isHealthyAt(commit));
  assert.notEqual(await plumb.get('v1', 'configmaps', 'env'), undefined);
});

test('what is left of another tool makes room once it has ended', async () => {
  await using plumb = await startFixture({ prefix: 'order' });
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'registry.example.com/a:1' }] } };
  const left = await plumb.create(...JOB, { metadata: { name: 'migrate' }, spec: { template } });
  await plumb.untilObject(...JOB, 'migrate', (object) => object?.status?.succeeded === 1);
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/migrate.yaml': job('migrate', { 'argocd.argoproj.io/hook': 'PreSync' }),
    'deploy/env.yaml': configMap('env'),
  });
  await plumb.application('shop');

  await plumb.until('shop', isHealthy);

  assert.notEqual((await plumb.get(...JOB, 'migrate'))?.metadata.uid, left.metadata.uid);
});

test('objects that depend on each other in a circle are an error that shows it, before anything is written', async () => {
  const after = (name: string): Record<string, string> => ({
    'config.kubernetes.io/depends-on': `/namespaces/NAMESPACE/ConfigMap/${name}`,
  });
  await using plumb = await startFixture({ prefix: 'order' });
  const file = (name: string, other: string): string =>
    annotated(configMap(name), after(other)).replace('NAMESPACE', plumb.namespace);
  await plumb.git.create('shop');
  await plumb.git.commit('shop', { 'deploy/a.yaml': file('a', 'b'), 'deploy/b.yaml': file('b', 'a') });
  await plumb.application('shop');

  const failure = failureOf(await plumb.until('shop', hasFailed('OrderCycle')));

  assert.equal(
    failure?.message,
    'No object can be the first: ConfigMap/a → depends-on ConfigMap/b → depends-on ConfigMap/a',
  );
  assert.deepEqual(applied(plumb), []);
});

test('an application waits for the ones it depends on, and is woken when they are healthy', async () => {
  await using plumb = await startFixture({ prefix: 'order' }, async ({ git }) => {
    await git.create('shop');
    await git.commit('shop', {
      'web/web.yaml': configMap('web'),
      'redis/redis.yaml': deployment('redis').replace(
        'labels: {app: redis}',
        'labels: {app: redis}\n      annotations: {fake-kubelet/phase: pending}',
      ),
    });
  });
  await plumb.application('web', { source: { repository: 'shop', path: 'web' }, dependsOn: [{ name: 'redis' }] });
  assert.match(
    failureOf(await plumb.until('web', hasFailed('DependencyMissing')))?.message ?? '',
    /depends on .*\/redis, which does not exist/,
  );

  await plumb.application('redis', { source: { repository: 'shop', path: 'redis' } });
  await plumb.until('web', ({ status }) => /^Waiting for .*\/redis, which is Syncing/.test(status?.message ?? ''));
  assert.equal(await plumb.get('v1', 'configmaps', 'web'), undefined);

  await plumb.git.commit('shop', { 'redis/redis.yaml': deployment('redis') });
  await plumb.until('web', isHealthy);
});

test('applications that depend on each other say so', async () => {
  await using plumb = await startFixture({ prefix: 'order' }, async ({ git }) => {
    await git.create('shop');
    await git.commit('shop', { 'a/a.yaml': configMap('a'), 'b/b.yaml': configMap('b') });
  });
  await plumb.application('a', { source: { repository: 'shop', path: 'a' }, dependsOn: [{ name: 'b' }] });
  await plumb.application('b', { source: { repository: 'shop', path: 'b' }, dependsOn: [{ name: 'a' }] });

  const { namespace } = plumb;
  const failure = failureOf(await plumb.until('b', hasFailed('DependencyCycle')));
  assert.match(failure?.message ?? '', new RegExp(`${namespace}/b → ${namespace}/a → ${namespace}/b`));
});

test('a wave that does not become healthy in time fails the release, and a newer commit takes its place', async () => {
  const stuck = deployment('db').replace(
    'labels: {app: db}',
    'labels: {app: db}\n      annotations: {fake-kubelet/phase: pending}',
  );
  await using plumb = await startWith(
    { db: stuck, late: annotated(configMap('late'), { 'plumb.dev/sync-wave': '1' }) },
    { timeout: '1s' },
  );

  const failure = failureOf(await plumb.until('shop', hasFailed('WaitTimeout')), 'WaitTimeout');
  assert.match(failure?.message ?? '', /^Before what comes after wave 0: Deployment\/db .*longer than 1 s$/);

  const commit = await plumb.git.commit('shop', { 'deploy/db.yaml': deployment('db') });
  await plumb.until('shop', isHealthyAt(commit));
  assert.notEqual(await plumb.get('v1', 'configmaps', 'late'), undefined);
});
