import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '@plumb/engine';
import { drawFault, sharedCluster, startFaultyProxy, TEST_CA, type ProxiedExchange } from '@plumb/test-support';
import { isHealthy, isHealthyAt, startFixture, type EngineFixture } from './engine-fixture.ts';
import { fastClock } from './fast-clock.ts';
import { configMap } from './manifests.ts';

const OBJECTS = 40;
const REMOVED = 2;
const SEED = 'an overloaded API server';

test('D24: releases through a server that refuses 30 % of requests and loses the answers to 10 % of writes converge with at most twice the requests, and nothing is created twice', async () => {
  const cluster = await sharedCluster();
  let namespace = '';
  let isBad = false;
  const draw = drawFault({ seed: SEED, refused: 0.3, lost: 0.1 });
  await using proxy = await startFaultyProxy(cluster, (request) =>
    // The name of the namespace is another one in each run.
    isBad ? draw({ ...request, path: request.path.replaceAll(namespace, 'here') }) : 'passed',
  );
  await using plumb = await startFixture(
    {
      prefix: 'overload',
      through: { url: proxy.url, ca: TEST_CA },
      // What the server asks to wait for, and what the engine waits by itself, takes its time.
      clock: fastClock({ anchor: systemClock.now(), factor: 5 }),
    },
    async ({ git }) => {
      await git.create('shop');
      await git.commit('shop', { ...filesOf('calm', 'one'), ...filesOf('bad', 'one') });
    },
  );
  namespace = plumb.namespace;
  /** How many requests a piece of work takes, those of the lease left out: they come with time. */
  const requestsOf = async (isOnBadDay: boolean, work: () => Promise<unknown>): Promise<number> => {
    const before = proxy.exchanges.length;
    isBad = isOnBadDay;
    await work();
    isBad = false;
    return proxy.exchanges.slice(before).filter(({ path }) => !path.includes('/leases/')).length;
  };
  const create = async (name: string): Promise<void> => {
    await plumb.application(name, { source: { repository: 'shop', path: name } });
    await plumb.until(name, isHealthy);
  };
  const change = async (name: string): Promise<void> => {
    const removed = Object.fromEntries(
      Object.keys(filesOf(name, 'two'))
        .slice(-REMOVED)
        .map((path) => [path, null]),
    );
    const commit = await plumb.git.commit('shop', { ...filesOf(name, 'two'), ...removed });
    await plumb.until(name, isHealthyAt(commit));
  };

  const created = {
    calm: await requestsOf(false, () => create('calm')),
    bad: await requestsOf(true, () => create('bad')),
  };
  const uids = await uidsOf(plumb);
  const changed = {
    calm: await requestsOf(false, () => change('calm')),
    bad: await requestsOf(true, () => change('bad')),
  };

  const maps = (await plumb.list('v1', 'configmaps')).filter(({ metadata }) => metadata.labels !== undefined);
  assert.equal(maps.length, 2 * (OBJECTS - REMOVED));
  assert.ok(maps.every(({ data }) => data?.['key'] === 'two'));
  assert.ok(maps.every(({ metadata }) => uids.get(metadata.name) === metadata.uid));
  assert.deepEqual(new Set(createdIn(proxy.exchanges).values()), new Set([1]));
  const faults = new Set(proxy.exchanges.map(({ fault }) => fault));
  assert.deepEqual(faults, new Set(['passed', 'refused', 'lost']));
  const said = JSON.stringify({ created, changed });
  assert.ok(created.bad <= 2 * created.calm, said);
  assert.ok(changed.bad <= 2 * changed.calm, said);
});

function filesOf(name: string, value: string): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: OBJECTS }, (_, index) => [
      `${name}/${index}.yaml`,
      configMap(`${name}-${index}`, { key: value }),
    ]),
  );
}

async function uidsOf(plumb: EngineFixture): Promise<ReadonlyMap<string, string>> {
  const maps = await plumb.list('v1', 'configmaps');
  return new Map(maps.map(({ metadata: { name, uid } }) => [name, uid]));
}

/** How often the server has created each object, dry-runs left out, whatever became of the answer. */
function createdIn(exchanges: readonly ProxiedExchange[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { path, status } of exchanges) {
    if (status !== 201 || path.includes('dryRun=')) continue;
    const [object = ''] = path.split('?');
    counts.set(object, (counts.get(object) ?? 0) + 1);
  }
  return counts;
}
