import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { deletionDigest, objectKey } from '@plumb/core';
import { openLedgerReadOnly } from '@plumb/ledger';
import type { ChildSettings } from './engine-child.ts';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture, type KubeLike } from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const COUNT = 100;
const PLUMB = 'plumb.dev/v1alpha1';
const TRACKING = 'plumb.dev/tracking';
const PART_OF = 'applyset.kubernetes.io/part-of';
const CHILD = fileURLToPath(new URL('engine-child.ts', import.meta.url));

const APPLICATIONS = Array.from({ length: COUNT }, (_, index) => `app-${index}`);

test('an engine that is killed in the middle of a sync of 100 applications ends in the same state', async () => {
  await using plumb = await startHundred();

  const killed = await killWhen(plumb, (objects) => objects.length >= (2 * COUNT) / 3);
  assert.ok(killed.length < 2 * COUNT, 'it was killed before it was done');
  await plumb.start();
  await plumb.untilAll(PLUMB, 'applications', (all) => all.every(isHealthy));

  await assertEndState(plumb, ['one', 'two'], killed);
});

test('an engine that is killed in the middle of deletions ends in the same state', async () => {
  await using plumb = await startHundred();
  await plumb.start();
  await plumb.untilAll(PLUMB, 'applications', (all) => all.every(isHealthy));
  await plumb.stop();
  await approveAll(plumb, 'two');
  const removal = await plumb.git.commit('shop', removed('two'));

  const killed = await killWhen(plumb, (objects) => objects.length <= COUNT + (2 * COUNT) / 3);
  assert.ok(killed.length > COUNT, 'it was killed before it was done');
  await plumb.start();
  await plumb.untilAll(PLUMB, 'applications', (all) => all.every(isHealthyAt(removal)));

  await assertEndState(
    plumb,
    ['one'],
    killed.filter(({ metadata }) => metadata.name.endsWith('-one')),
  );
});

/** 100 Applications of two ConfigMaps each, and no engine yet. */
async function startHundred(): Promise<EngineFixture> {
  return await startFixture({ prefix: 'crash', start: false }, async (plumb) => {
    await plumb.git.create('shop');
    const files = APPLICATIONS.flatMap((name) =>
      ['one', 'two'].map((part): [string, string] => [`${name}/${part}.yaml`, configMap(`${name}-${part}`)]),
    );
    await plumb.git.commit('shop', Object.fromEntries(files));
    await plumb.repository('shop', { url: plumb.git.url('shop'), interval: '1h' });
    await Promise.all(
      APPLICATIONS.map((name) => plumb.application(name, { source: { repository: 'shop', path: name } })),
    );
  });
}

function removed(part: string): Record<string, null> {
  return Object.fromEntries(APPLICATIONS.map((name) => [`${name}/${part}.yaml`, null]));
}

/** So many deletions over all applications would else wait for an approval of each. */
async function approveAll(plumb: EngineFixture, part: string): Promise<void> {
  const { namespace } = plumb;
  const uids = new Map((await plumb.list('v1', 'configmaps')).map(({ metadata }) => [metadata.name, metadata.uid]));
  const approvals = APPLICATIONS.map((application) => {
    const name = `${application}-${part}`;
    const key = objectKey({ group: '', kind: 'ConfigMap', namespace, name });
    const digest = deletionDigest([{ key, uid: uids.get(name) ?? '' }]);
    const annotations = { 'plumb.dev/approved-deletions': `-=${digest}` };
    return plumb.edit(PLUMB, 'applications', application, { metadata: { annotations } });
  });
  await Promise.all(approvals);
}

/** Runs an engine in a process of its own and kills it, without a warning, when its objects are so far. Answers these. */
async function killWhen(
  plumb: EngineFixture,
  isSoFar: (objects: readonly KubeLike[]) => boolean,
): Promise<readonly KubeLike[]> {
  const settings: ChildSettings = {
    kubeconfig: plumb.cluster.kubeconfig,
    namespace: plumb.namespace,
    stateFolder: join(plumb.stateFolder, 'state'),
    cacheFolder: join(plumb.stateFolder, 'cache'),
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(settings)], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    await plumb.untilAll('v1', 'configmaps', (objects) => {
      const isOver = isSoFar(objects.filter(isManaged));
      if (isOver) child.kill('SIGKILL');
      return isOver;
    });
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
  return (await plumb.list('v1', 'configmaps')).filter(isManaged);
}

function isManaged({ metadata }: KubeLike): boolean {
  return metadata.labels?.[PART_OF] !== undefined;
}

async function assertEndState(
  plumb: EngineFixture,
  parts: readonly string[],
  survivors: readonly KubeLike[],
): Promise<void> {
  const objects = (await plumb.list('v1', 'configmaps')).filter(isManaged);
  const { namespace } = plumb;
  const marks = objects.map(({ metadata }) => `${metadata.name} ${metadata.annotations?.[TRACKING]}`).sort();
  const expected = APPLICATIONS.flatMap((application) =>
    parts.map((part) => {
      const name = `${application}-${part}`;
      return `${name} ${namespace}/${application}:/ConfigMap/${namespace}/${name}`;
    }),
  ).sort();
  assert.deepEqual(marks, expected);

  const uids = new Map(objects.map(({ metadata }) => [metadata.name, metadata.uid]));
  for (const { metadata } of survivors) assert.equal(uids.get(metadata.name), metadata.uid);
  const wanted = new Set(objects.map(({ metadata }) => `ConfigMap/${metadata.name}`));
  assert.deepEqual(
    plumb.writes.filter(({ verb, object }) => verb === 'delete' && wanted.has(object)),
    [],
  );

  await plumb.stop();
  await using ledger = await openLedgerReadOnly(join(plumb.stateFolder, 'state'));
  assert.deepEqual(await ledger.unconcluded(), []);
  for (const release of (await ledger.latestReleases()).values()) assert.equal(release.outcome, 'healthy');
}
