import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { openLedgerReadOnly } from '@plumb/ledger';
import type { TargetKey } from '@plumb/core';
import type { ChildSettings } from './engine-child.ts';
import { hasFailed, isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { configMap, job } from './manifests.ts';

const CHILD = fileURLToPath(new URL('engine-child.ts', import.meta.url));
/** More than there can be: the loop ends by itself when a round has passed every boundary. */
const MOST_BOUNDARIES = 60;

// Two halves: each boundary takes a deletion, and so many at once trip the breaker.
for (const first of [1, 2]) {
  test(`D15: an engine that is killed at every other boundary, from ${first} on, of a release with hooks and a deletion ends in the same state`, () =>
    killedFrom(first));
}

async function killedFrom(first: number): Promise<void> {
  await using plumb = await startFixture({ prefix: 'crash' }, async ({ git, application }) => {
    await git.create('shop');
    await git.commit('shop', {
      'deploy/migrate.yaml': job('migrate', { 'plumb.dev/hook': 'PreSync' }),
      'deploy/smoke.yaml': job('smoke', {
        'plumb.dev/hook': 'PostSync',
        'plumb.dev/hook-delete-policy': 'HookSucceeded',
      }),
      'deploy/kept.yaml': configMap('kept'),
      ...round(0),
    });
    await application('shop');
  });
  await plumb.until('shop', isHealthy);
  await plumb.stop();
  const kept = await plumb.get('v1', 'configmaps', 'kept');
  await using runs = await watchRuns(plumb);

  let boundary = first - 2;
  let before = 0;
  for (let hasCrashed = true; hasCrashed; before = boundary) {
    boundary += 2;
    assert.ok(boundary < MOST_BOUNDARIES, 'the rounds come to an end');
    const commit = await plumb.git.commit('shop', round(boundary, before));
    const healthy = plumb.until('shop', isHealthyAt(commit));
    hasCrashed = await crashes(plumb, boundary, healthy);
    if (hasCrashed) await plumb.start();
    await healthy;
    if (hasCrashed) await plumb.stop();

    const maps = (await plumb.list('v1', 'configmaps')).filter(({ metadata }) => metadata.labels !== undefined);
    const where = `after a crash at boundary ${boundary}`;
    assert.deepEqual(
      maps.map(({ metadata }) => metadata.name),
      ['env', 'kept', `late-${boundary}`],
      where,
    );
    assert.equal(maps[0]?.data?.['round'], String(boundary), where);
    assert.equal(maps[1]?.metadata.uid, kept?.metadata.uid, where);
  }
  assert.ok(boundary > 12, `only ${boundary} boundaries`);

  await using ledger = await openLedgerReadOnly(join(plumb.stateFolder, 'state'));
  const releases = await ledger.releases(`${plumb.namespace}/shop` as TargetKey, { limit: 100 });
  assert.deepEqual(new Set(releases.map(({ outcome }) => outcome)), new Set(['healthy']));
  assert.deepEqual(await ledger.unconcluded(), []);
  // Exactly one Job for each release and hook: none was run twice, and none was passed over.
  for (const { number } of releases.slice(0, -1)) {
    for (const [name, phase] of [
      ['migrate', 'PreSync'],
      ['smoke', 'PostSync'],
    ]) {
      assert.equal(runs.of(`${name} r${number}.1 ${phase}`), 1, `${name} of r${number}`);
    }
  }
}

test('D15: an engine that is killed at any boundary of a decommission with hooks ends it all the same, and runs each hook once', async () => {
  await using plumb = await startFixture({ prefix: 'crash' }, async ({ git }) => {
    await git.create('shop');
  });
  await using runs = await watchRuns(plumb);

  let boundary = 0;
  for (let hasCrashed = true; hasCrashed;) {
    boundary += 1;
    assert.ok(boundary < MOST_BOUNDARIES, 'the rounds come to an end');
    const name = `app-${boundary}`;
    const commit = await plumb.git.commit('shop', {
      [`${name}/one.yaml`]: configMap(`${name}-one`),
      [`${name}/two.yaml`]: configMap(`${name}-two`),
      [`${name}/before.yaml`]: job(`${name}-before`, { 'plumb.dev/hook': 'PreDelete' }),
      [`${name}/after.yaml`]: job(`${name}-after`, { 'plumb.dev/hook': 'PostDelete' }),
    });
    await plumb.application(name, { source: { repository: 'shop', path: name } });
    await plumb.until(name, isHealthyAt(commit));
    await retire(plumb, name, '');
    const blocked = await plumb.until(name, hasFailed('DeletionBlocked'));
    await plumb.stop();
    await retire(plumb, name, blocked.status?.environments?.[0]?.pendingDeletions.digest);

    const done = plumb.until(name, (application) => application.status?.environments?.[0]?.reason === 'Decommissioned');
    hasCrashed = await crashes(plumb, boundary, done);
    await plumb.start();
    await done;

    const where = `after a crash at boundary ${boundary}`;
    const left = [...(await plumb.list('v1', 'configmaps')), ...(await plumb.list('batch/v1', 'jobs'))];
    assert.deepEqual(
      left.flatMap(({ metadata }) => (metadata.name.startsWith(name) ? metadata.name : [])),
      [],
      where,
    );
    assert.equal(runs.of(`${name}-before r1.1 PreDelete`), 1, where);
    assert.equal(runs.of(`${name}-after r1.1 PostDelete`), 1, where);
  }
  assert.ok(boundary > 8, `only ${boundary} boundaries`);
});

async function retire(plumb: EngineFixture, name: string, approved: string): Promise<void> {
  const annotations = { 'plumb.dev/retire': `-=decommission:${approved}` };
  await plumb.edit('plumb.dev/v1alpha1', 'applications', name, { metadata: { annotations } });
}

function round(number: number, before = -1): Record<string, string | null> {
  const wave = 'metadata:\n  annotations: {plumb.dev/sync-wave: "1"}\n';
  return {
    'deploy/env.yaml': configMap('env', { round: String(number) }),
    ...(before < 0 ? {} : { [`deploy/late-${before}.yaml`]: null }),
    [`deploy/late-${number}.yaml`]: configMap(`late-${number}`).replace('metadata:\n', wave),
  };
}

/** Runs an engine in a process of its own until it has died at the boundary, or is done without having come there. */
async function crashes(plumb: EngineFixture, crashAt: number, healthy: Promise<unknown>): Promise<boolean> {
  const settings: ChildSettings = {
    kubeconfig: plumb.cluster.kubeconfig,
    namespace: plumb.namespace,
    stateFolder: join(plumb.stateFolder, 'state'),
    cacheFolder: join(plumb.stateFolder, 'cache'),
    holder: `test-${plumb.namespace}`,
    crashAt,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(settings)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    return await Promise.race([ended.then(() => true), healthy.then(() => false)]);
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

interface Runs extends AsyncDisposable {
  /** How many objects have been seen that are this run: `migrate r2.1 PreSync`. */
  of(run: string): number;
}

async function watchRuns(plumb: EngineFixture): Promise<Runs> {
  const { signal } = new AbortController();
  const config = await loadKubeconfig({ path: plumb.cluster.kubeconfig, env: {}, signal });
  const client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
  const seen = new Map<string, Set<string>>();
  client.reflect(await client.resource({ group: 'batch', kind: 'Job' }, { signal }), {
    namespace: plumb.namespace,
    signal,
    onChange: (event) => {
      if (event.type !== 'added' && event.type !== 'updated') return;
      const { name, uid = '', annotations } = event.object.metadata;
      const run = `${name} ${annotations?.['plumb.dev/hook-run']}`;
      seen.set(run, (seen.get(run) ?? new Set()).add(uid));
    },
  });
  return {
    of: (run) => seen.get(run)?.size ?? 0,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
