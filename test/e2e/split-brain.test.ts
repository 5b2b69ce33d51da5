import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlumbError } from '@plumb/core';
import { systemClock } from '@plumb/engine';
import type { ChildSays, ChildSettings } from './engine-child.ts';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { fastClock, type FastTime } from './fast-clock.ts';
import { configMap } from './manifests.ts';

const CHILD = fileURLToPath(new URL('engine-child.ts', import.meta.url));
/** A lease is taken over in six seconds and a half instead of sixty-five. */
const FACTOR = 10;
/** By the second renewal that is refused, all that the process had in hand has gone on. */
const REFUSALS = 2;

for (const stopAt of [
  'before apply ConfigMap/env',
  'after apply ConfigMap/env',
  'before delete ConfigMap/old',
  'after delete ConfigMap/old',
]) {
  test(`D19: an engine that is stopped ${stopAt} and goes on after another has taken over changes nothing`, () =>
    stoppedAt(stopAt));
}

/**
 * The old engine rolls out a commit that changes `env` and deletes `old`, and is stopped. The next commit takes both back
 * and brings more; another engine takes over and rolls it out. Then the old one goes on.
 */
async function stoppedAt(stopAt: string): Promise<void> {
  const time: FastTime = { anchor: systemClock.now(), factor: FACTOR };
  await using plumb = await startFixture({ prefix: 'split', clock: fastClock(time) }, async ({ git, application }) => {
    await git.create('shop');
    await git.commit('shop', {
      'deploy/env.yaml': configMap('env', { by: 'nobody' }),
      'deploy/old.yaml': configMap('old'),
      'deploy/late.yaml': configMap('late', { by: 'nobody' }).replace(
        'metadata:\n',
        'metadata:\n  annotations: {plumb.dev/sync-wave: "1"}\n',
      ),
    });
    await application('shop');
  });
  await plumb.until('shop', isHealthy);
  await plumb.stop();
  await plumb.git.commit('shop', {
    'deploy/env.yaml': configMap('env', { by: 'the old engine' }),
    'deploy/old.yaml': null,
  });

  await using old = startOld(plumb, stopAt, time);
  await old.untilStopped();
  const commit = await plumb.git.commit('shop', {
    'deploy/env.yaml': configMap('env', { by: 'the new engine' }),
    'deploy/old.yaml': configMap('old'),
    'deploy/more.yaml': configMap('more'),
  });
  await startWhenFree(plumb);
  await plumb.until('shop', isHealthyAt(commit));
  const before = await objectsOf(plumb);
  old.goOn();
  await old.until(({ what, outcome }) => what === 'apply Lease/plumb-engine' && outcome !== 'ok', REFUSALS);

  assert.deepEqual(old.late, []);
  assert.deepEqual(await objectsOf(plumb), before);
  assert.deepEqual(
    before.map(({ name }) => name),
    ['env', 'late', 'more', 'old'],
  );
  assert.equal(before[0]?.data?.['by'], 'the new engine');
}

/** What Git has in the namespace, down to the version. */
async function objectsOf(plumb: EngineFixture) {
  const maps = await plumb.list('v1', 'configmaps');
  return maps.flatMap(({ metadata: { name, uid, resourceVersion, labels }, data }) =>
    labels === undefined ? [] : { name, uid, resourceVersion, data },
  );
}

/** As whatever supervises it would: started again until the lease is free. */
async function startWhenFree(plumb: EngineFixture): Promise<void> {
  for (;;) {
    try {
      await plumb.start();
      return;
    } catch (thrown) {
      if (!(thrown instanceof PlumbError) || thrown.code !== 'EngineBusy') throw thrown;
    }
  }
}

type Wrote = Extract<ChildSays, { said: 'wrote' }>;

interface OldEngine extends AsyncDisposable {
  untilStopped(): Promise<void>;
  goOn(): void;
  /** Waits until it has written, or tried to write, like this so many times. */
  until(isMeant: (wrote: Wrote) => boolean, times: number): Promise<void>;
  /** What it has changed after its stop. */
  readonly late: readonly Wrote[];
}

function startOld(plumb: EngineFixture, stopAt: string, time: FastTime): OldEngine {
  const settings: ChildSettings = {
    kubeconfig: plumb.cluster.kubeconfig,
    namespace: plumb.namespace,
    // A ledger of its own, as on another machine.
    stateFolder: join(plumb.stateFolder, 'old-state'),
    cacheFolder: join(plumb.stateFolder, 'old-cache'),
    holder: `old-${plumb.namespace}`,
    stopAt,
    time,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const said: ChildSays[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    said.push(JSON.parse(line) as ChildSays);
    lines.emit('said');
  });
  const until = async (isOver: () => boolean): Promise<void> => {
    while (!isOver()) {
      const hasEnded = await Promise.race([once(lines, 'said').then(() => false), ended.then(() => true)]);
      if (hasEnded) throw new Error(`the old engine has ended after ${JSON.stringify(said)}`);
    }
  };
  const wrote = (): readonly Wrote[] => said.filter((one) => one.said === 'wrote');
  return {
    untilStopped: () => until(() => said.some((one) => one.said === 'stopping')),
    goOn: () => child.kill('SIGCONT'),
    until: (isMeant, times) => until(() => wrote().filter(isMeant).length >= times),
    get late() {
      return wrote().filter(({ isLate, outcome }) => isLate && outcome === 'ok');
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
