import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@plumb/engine';
import { sharedCluster, startFaultyProxy, TEST_CA, type ProxiedEvent, type ProxiedRequest } from '@plumb/test-support';
import { isHealthy, startFixture, type EngineFixture, type FixtureOptions, type KubeLike } from './engine-fixture.ts';
import { fastClock } from './fast-clock.ts';
import { configMap } from './manifests.ts';

type EventFaultOf = NonNullable<Parameters<typeof startFaultyProxy>[2]>;

test('events that a watch swallows, an edit and a deletion, are found by the next comparison and healed', async () => {
  let isSwallowing = false;
  await using plumb = await startThrough(
    (event) => (isSwallowing && isOf(event, 'one', 'two') ? 'swallowed' : 'passed'),
    {
      compareEveryMs: 10_000,
    },
  );

  isSwallowing = true;
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'other' } });
  await plumb.remove('v1', 'configmaps', 'two');
  // A comparison may fall between the two, and then there is one for each.
  await plumb.untilObject('v1', 'configmaps', 'one', isAsInGit);
  await plumb.untilObject('v1', 'configmaps', 'two', isAsInGit);
  isSwallowing = false;

  const lost = plumb.events.filter(({ message }) => message.startsWith('A watch has lost events'));
  const [first] = lost;
  assert.deepEqual([first?.level, first?.['kind']], ['warn', 'ConfigMap']);
  assert.deepEqual([...new Set(lost.flatMap((event) => event['objects'] as readonly string[]))].toSorted(), [
    'ConfigMap/one',
    'ConfigMap/two',
  ]);
});

test('D25: a watch that falls silent is found within 90 s, and the drift since then is healed', async () => {
  const clock = fastClock({ anchor: systemClock.now(), factor: 20 });
  let isSilent = false;
  await using plumb = await startThrough(
    // Not even a bookmark comes any more; what is opened afterwards is in good order.
    (_event, { path }) => (isSilent && isOfMaps(path) && path.includes('sendInitialEvents') ? 'swallowed' : 'passed'),
    { clock },
  );

  isSilent = true;
  const editedAt = clock.monotonic();
  await plumb.edit('v1', 'configmaps', 'one', { data: { key: 'other' } });
  await plumb.untilObject('v1', 'configmaps', 'one', isAsInGit);
  const healedMs = clock.monotonic() - editedAt;

  assert.ok(healedMs <= 90_000, `${healedMs} ms`);
});

test('a storm of expired histories ends in readings that back off, and drift in between is healed', async () => {
  let isStorm = false;
  const readings: number[] = [];
  const clock = fastClock({ anchor: systemClock.now(), factor: 10 });
  await using plumb = await startThrough(
    ({ type, object }, { path }) => {
      if (!isStorm || !isOfMaps(path)) return 'passed';
      const isWhole = type === 'BOOKMARK' && object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true';
      if (isWhole) readings.push(clock.monotonic());
      // Once everything has been read, the history is gone: no watch brings more than one event.
      return type === 'ADDED' ? 'passed' : 'expired';
    },
    { clock },
  );

  isStorm = true;
  for (const round of ROUNDS) {
    // Each another field, since a fight over one would be fought with pauses.
    const key = `key${round}`;
    await plumb.edit('v1', 'configmaps', 'one', { data: { [key]: 'other' } });
    await plumb.untilObject('v1', 'configmaps', 'one', (object) => object?.data?.[key] === 'value');
  }
  const pausesMs = readings.slice(1).map((at, index) => at - (readings[index] ?? 0));

  assert.ok(readings.length >= 5 && readings.length <= 12, `${readings.length} readings`);
  assert.ok(Math.max(...pausesMs) >= 1_000, pausesMs.join());
});

test('an engine at rest sends nothing but the renewal of its lease', async () => {
  const sent: string[] = [];
  const rested = Promise.withResolvers<void>();
  let isAtRest = false;
  await using plumb = await startThrough(
    () => 'passed',
    // Bookmarks come by the server's clock: for longer than this, the faster one of the engine takes them for missing.
    {},
    ({ method, path }) => {
      if (!isAtRest) return;
      sent.push(`${method} ${path.replace(/\?.*/, '')}`);
      if (sent.filter((request) => request.includes('/leases/')).length >= 2) rested.resolve();
    },
  );

  // What was said of the release has been written.
  await plumb.sync('shop');
  isAtRest = true;
  await rested.promise;

  assert.deepEqual(
    sent.filter((request) => !request.includes('/leases/')),
    [],
  );
});

const ROUNDS = [1, 2, 3, 4, 5, 6];
/** A field for each round of edits. */
const ONE = Object.fromEntries(['key', ...ROUNDS.map((round) => `key${round}`)].map((key) => [key, 'value']));

/** Two healthy ConfigMaps, and an engine that reaches the cluster through a proxy that does this to events. */
async function startThrough(
  eventFaultOf: EventFaultOf,
  options: FixtureOptions,
  asked: (request: ProxiedRequest) => void = () => undefined,
): Promise<EngineFixture> {
  const cluster = await sharedCluster();
  const proxy = await startFaultyProxy(
    cluster,
    (request) => {
      asked(request);
      return 'passed';
    },
    eventFaultOf,
  );
  const plumb = await startFixture(
    {
      prefix: 'lost',
      through: { url: proxy.url, ca: TEST_CA },
      clock: fastClock({ anchor: systemClock.now(), factor: 5 }),
      ...options,
    },
    async ({ git }) => {
      await git.create('shop');
      await git.commit('shop', { 'deploy/one.yaml': configMap('one', ONE), 'deploy/two.yaml': configMap('two') });
    },
  );
  await plumb.application('shop');
  await plumb.until('shop', isHealthy);
  return {
    ...plumb,
    async [Symbol.asyncDispose]() {
      await plumb[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

function isOf({ object }: ProxiedEvent, ...names: readonly string[]): boolean {
  return names.includes(object.metadata.name ?? '');
}

function isOfMaps(path: string): boolean {
  return path.includes('/configmaps?');
}

function isAsInGit(object: KubeLike | undefined): boolean {
  return object?.data?.['key'] === 'value';
}
