import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  failureOf,
  hasFailed,
  isHealthy,
  isHealthyAt,
  startFixture,
  type EngineFixture,
  type KubeLike,
} from './engine-fixture.ts';
import { configMap, job } from './manifests.ts';

const APPLICATION = ['plumb.dev/v1alpha1', 'applications'] as const;
const JOB = ['batch/v1', 'jobs'] as const;

test('PreDelete hooks run before the first deletion and PostDelete hooks after the last, and nothing is left of them', async () => {
  await using plumb = await startWith({
    backup: job('backup', { 'helm.sh/hook': 'pre-delete' }),
    tidy: job('tidy', { 'argocd.argoproj.io/hook': 'PostDelete' }),
    one: configMap('one'),
    two: configMap('two'),
  });
  await plumb.until('shop', isHealthy);
  const written = objectsWritten(plumb).length;

  await decommission(plumb);

  const [first, ...rest] = objectsWritten(plumb).slice(written);
  assert.equal(first, 'Job/backup');
  assert.deepEqual(rest.slice(0, 2).toSorted(), ['-ConfigMap/one', '-ConfigMap/two']);
  assert.equal(rest[2], 'Job/tidy');
  assert.deepEqual(rest.slice(3).toSorted(), ['-Job/backup', '-Job/tidy']);
  assert.deepEqual(await plumb.list(...JOB), []);
});

test('neither kind of hook runs while the application lives, or when it is forgotten', async () => {
  await using plumb = await startWith({
    backup: job('backup', { 'plumb.dev/hook': 'PreDelete' }),
    tidy: job('tidy', { 'plumb.dev/hook': 'PostDelete' }),
    one: configMap('one'),
  });
  await plumb.until('shop', isHealthy);

  await wish(plumb, '-=forget');
  await plumb.until('shop', hasEnded('Forgotten'));

  assert.deepEqual(objectsWritten(plumb), ['ConfigMap/one']);
});

test('a PreDelete hook that fails keeps everything, and runs again when that is asked for', async () => {
  const failing = { 'fake-kubelet/phase': 'fail' };
  await using plumb = await startWith({
    backup: job('backup', { 'plumb.dev/hook': 'PreDelete' }, failing),
    one: configMap('one'),
  });
  await plumb.until('shop', isHealthy);

  await approveAll(plumb);
  const failed = await plumb.until('shop', hasFailed('HookFailed'));
  await plumb.restart();
  await plumb.until('shop', hasFailed('HookFailed'));
  assert.match(failureOf(failed, 'HookFailed')?.message ?? '', /^The PreDelete hook Job\/backup has failed/);
  assert.deepEqual(jobRuns(plumb), ['r1.1 PreDelete']);
  assert.notEqual(await plumb.get('v1', 'configmaps', 'one'), undefined);

  await plumb.sync('shop');
  await plumb.untilObject(...JOB, 'backup', (object) => {
    return object?.metadata.annotations?.['plumb.dev/hook-run'] === 'r1.2 PreDelete';
  });
  assert.notEqual(await plumb.get('v1', 'configmaps', 'one'), undefined);
});

test('a decommission that is taken back after its hooks ran is rolled out anew, and its hooks run for the next one', async () => {
  await using plumb = await startWith({
    backup: job('backup', { 'plumb.dev/hook': 'PreDelete' }, { 'fake-kubelet/phase': 'fail' }),
    one: configMap('one'),
  });
  await plumb.until('shop', isHealthy);
  await approveAll(plumb);
  await plumb.until('shop', hasFailed('HookFailed'));

  await wish(plumb, null);
  await plumb.until('shop', (application) => isHealthy(application) && application.status?.release === 'r2');
  const mended = await plumb.git.commit('shop', {
    'deploy/backup.yaml': job('backup', { 'plumb.dev/hook': 'PreDelete' }),
  });
  await plumb.until('shop', isHealthyAt(mended));
  await decommission(plumb);

  assert.deepEqual(jobRuns(plumb), ['r1.1 PreDelete', 'r3.1 PreDelete']);
  assert.equal(await plumb.get('v1', 'configmaps', 'one'), undefined);
});

test('the namespace that a PostDelete hook runs in goes after the hook', async () => {
  await using plumb = await startFixture({ prefix: 'delhook' });
  const room = `${plumb.namespace}-room`;
  const inRoom = (manifest: string): string => manifest.replace('metadata:\n', `metadata:\n  namespace: ${room}\n`);
  await plumb.git.create('shop');
  await plumb.git.commit('shop', {
    'deploy/room.yaml': `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${room}\n`,
    'deploy/one.yaml': inRoom(configMap('one')),
    'deploy/tidy.yaml': inRoom(job('tidy', { 'plumb.dev/hook': 'PostDelete' })),
  });
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  const written = plumb.writes.length;

  await decommission(plumb);

  const order = plumb.writes.slice(written).flatMap(({ verb, object }) => {
    return /^(ConfigMap|Job|Namespace)\//.test(object) ? `${verb} ${object.split('/')[0]}` : [];
  });
  assert.deepEqual(order, ['delete ConfigMap', 'apply Job', 'delete Job', 'delete Namespace']);
});

async function startWith(files: Readonly<Record<string, string>>): Promise<EngineFixture> {
  return await startFixture({ prefix: 'delhook' }, async (plumb) => {
    await plumb.git.create('shop');
    const paths = Object.entries(files).map(([name, text]): [string, string] => [`deploy/${name}.yaml`, text]);
    await plumb.git.commit('shop', Object.fromEntries(paths));
    await plumb.application('shop');
  });
}

async function wish(plumb: EngineFixture, text: string | null): Promise<void> {
  await plumb.edit(...APPLICATION, 'shop', { metadata: { annotations: { 'plumb.dev/retire': text } } });
}

async function approveAll(plumb: EngineFixture): Promise<void> {
  await wish(plumb, '-=decommission:');
  const blocked = await plumb.until('shop', hasFailed('DeletionBlocked'));
  await wish(plumb, `-=decommission:${blocked.status?.environments?.[0]?.pendingDeletions.digest}`);
}

async function decommission(plumb: EngineFixture): Promise<void> {
  await approveAll(plumb);
  await plumb.until('shop', hasEnded('Decommissioned'));
}

function hasEnded(reason: string): (application: KubeLike) => boolean {
  return (application) => application.status?.environments?.[0]?.reason === reason;
}

/** `Job/a` for what was applied, `-Job/a` for what was deleted, in order. */
function objectsWritten(plumb: EngineFixture): readonly string[] {
  return plumb.writes.flatMap(({ verb, object }) => {
    if (verb === 'disown' || !/^(ConfigMap|Job)\//.test(object)) return [];
    return verb === 'delete' ? `-${object}` : object;
  });
}

/** The runs of Jobs that were started, in order. */
function jobRuns(plumb: EngineFixture): readonly string[] {
  return plumb.writes.flatMap(({ verb, object, annotations }) => {
    return verb === 'apply' && object.startsWith('Job/') ? (annotations['plumb.dev/hook-run'] ?? '?') : [];
  });
}
