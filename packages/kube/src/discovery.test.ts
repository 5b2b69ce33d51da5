import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startApiFaultServer, type ApiExchange } from '@plumb/test-support';
import { connect } from './client.ts';

const { signal } = new AbortController();
const jobs = resourceOf('jobs', 'Job', 'Namespaced');

test('reads all kinds in two requests and keeps them', async () => {
  await using world = await open(aggregated([group('batch', ['v1', jobs], ['v1beta1', jobs])]));

  const preferred = await world.client.resource({ group: 'batch', kind: 'Job' }, { signal });
  const named = await world.client.resource({ group: 'batch', version: 'v1beta1', kind: 'Job' }, { signal });

  assert.deepEqual(preferred, {
    group: 'batch',
    version: 'v1',
    kind: 'Job',
    plural: 'jobs',
    namespaced: true,
    verbs: ['get', 'list'],
    apiVersion: 'batch/v1',
    root: '/apis/batch/v1',
  });
  assert.equal(named.root, '/apis/batch/v1beta1');
  assert.deepEqual(world.paths(), ['/api', '/apis']);
});

test('reads group by group where the server knows only the old form, the preferred version first', async () => {
  await using world = await open((exchange) => {
    const resources = [
      { name: 'jobs', kind: 'Job', namespaced: true, verbs: ['get'] },
      { name: 'jobs/status', kind: 'Job', namespaced: true, verbs: ['get'] },
    ];
    if (exchange.path === '/api') exchange.answer(200, { kind: 'APIVersions', versions: ['v1'] });
    else if (exchange.path === '/apis') {
      const versions = [{ version: 'v2alpha1' }, { version: 'v1' }];
      exchange.answer(200, { groups: [{ name: 'batch', versions, preferredVersion: { version: 'v1' } }] });
    } else exchange.answer(200, { resources: exchange.path === '/api/v1' ? [] : resources });
  });

  const job = await world.client.resource({ group: 'batch', kind: 'Job' }, { signal });

  assert.equal(job.apiVersion, 'batch/v1');
  assert.equal(job.plural, 'jobs');
});

test('a group that cannot be read is unknown, not absent, in both forms', async () => {
  const stale = {
    metadata: { name: 'metrics.k8s.io' },
    versions: [{ version: 'v1', resources: [], freshness: 'Stale' }],
  };
  await using fresh = await open(aggregated([stale, group('batch', ['v1', jobs])]));
  await using old = await open((exchange) => {
    if (exchange.path === '/api') exchange.answer(200, { versions: [] });
    else if (exchange.path === '/apis') {
      exchange.answer(200, { groups: [{ name: 'metrics.k8s.io', versions: [{ version: 'v1' }] }] });
    } else exchange.answerText(503, 'text/plain', 'service unavailable');
  });
  const podMetrics = { group: 'metrics.k8s.io', kind: 'PodMetrics' };

  await assert.rejects(fresh.client.resource(podMetrics, { signal }), { code: 'ServerError' });
  await assert.rejects(old.client.resource(podMetrics, { signal }), { code: 'ServerError' });
  assert.equal((await fresh.client.resource({ group: 'batch', kind: 'Job' }, { signal })).plural, 'jobs');
  await assert.rejects(fresh.client.resource({ group: 'other', kind: 'X' }, { signal }), { code: 'KindMissing' });
});

test('looks anew for a kind that is missing, but not more often than each three seconds', async () => {
  let served: object[] = [];
  await using world = await open((exchange) => aggregated(served)(exchange));
  const query = { group: 'batch', kind: 'Job' };
  await assert.rejects(world.client.resource(query, { signal }), { code: 'KindMissing' });
  served = [group('batch', ['v1', jobs])];

  await assert.rejects(world.client.resource(query, { signal }), { code: 'KindMissing' });
  world.clock.advance(3_000);
  const found = await world.client.resource(query, { signal });

  assert.equal(found.plural, 'jobs');
  assert.equal(world.paths().length, 4);
});

test('looks anew at once after something has changed', async () => {
  let served: object[] = [];
  await using world = await open((exchange) => aggregated(served)(exchange));
  const query = { group: 'batch', kind: 'Job' };
  await assert.rejects(world.client.resource(query, { signal }), { code: 'KindMissing' });
  served = [group('batch', ['v1', jobs])];

  world.client.invalidateDiscovery();

  assert.equal((await world.client.resource(query, { signal })).plural, 'jobs');
});

test('who asks after something has changed does not get what was being read before', async () => {
  let served: object[] = [];
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using world = await open(async (exchange) => {
    const answer = aggregated(served);
    if (exchange.path === '/apis') asked.resolve();
    if (served.length === 0) await gate.promise;
    answer(exchange);
  });

  const before = world.client.apiVersions({ signal });
  await asked.promise;
  served = [group('batch', ['v1', jobs])];
  world.client.invalidateDiscovery();
  const after = await world.client.apiVersions({ signal });
  gate.resolve();

  assert.deepEqual(after, ['batch/v1', 'batch/v1/Job']);
  assert.deepEqual(await before, []);
  assert.deepEqual(await world.client.apiVersions({ signal }), after);
});

test('all who ask at the same time share one reading, and one who leaves does not end it', async () => {
  const asked = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  await using world = await open(async (exchange) => {
    asked.resolve();
    await gate.promise;
    aggregated([group('batch', ['v1', jobs])])(exchange);
  });
  const leaving = new AbortController();
  const query = { group: 'batch', kind: 'Job' };

  const left = world.client.resource(query, { signal: leaving.signal });
  const stayed = world.client.resource(query, { signal });
  await asked.promise;
  leaving.abort(new Error('enough'));
  gate.resolve();

  await assert.rejects(left, /enough/);
  assert.equal((await stayed).plural, 'jobs');
  assert.equal(world.paths().length, 2);
});

test('suggests what may have been meant: another version, another group, another spelling', async () => {
  await using world = await open(aggregated([group('batch', ['v1', jobs])]));
  const wrong = [
    { group: 'batch', version: 'v2', kind: 'Job' },
    { group: 'extensions', kind: 'Job' },
    { group: 'batch', kind: 'Jop' },
  ];

  for (const query of wrong) {
    await assert.rejects(world.client.resource(query, { signal }), {
      code: 'KindMissing',
      message: /did you mean Job \(batch\/v1\)\?$/,
    });
  }
  await assert.rejects(world.client.resource({ group: '', kind: 'Sandwich' }, { signal }), { message: /Sandwich$/ });
});

function aggregated(items: readonly object[]): (exchange: ApiExchange) => void {
  return (exchange) => {
    assert.match(exchange.headers.accept ?? '', /as=APIGroupDiscoveryList/);
    exchange.answer(200, { kind: 'APIGroupDiscoveryList', items: exchange.path === '/apis' ? items : [] });
  };
}

function group(name: string, ...versions: readonly (readonly [string, object])[]): object {
  return {
    metadata: { name },
    versions: versions.map(([version, resource]) => ({ version, resources: [resource], freshness: 'Current' })),
  };
}

function resourceOf(resource: string, kind: string, scope: string): object {
  return { resource, responseKind: { group: '', version: '', kind }, scope, verbs: ['get', 'list'] };
}

async function open(script: (exchange: ApiExchange) => void | Promise<void>) {
  const clock = new ManualClock();
  const server = await startApiFaultServer(script);
  const client = connect(
    { server: server.url, context: 'test', namespace: 'default', auth: { type: 'none' } },
    { clock: { ...clockOf(clock), sleep: async () => undefined }, random: { next: () => 0 }, userAgent: 'plumb/test' },
  );
  return {
    clock,
    client,
    paths: () => server.exchanges.map(({ path }) => path).toSorted(),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Retries take no time here, not even on the clock: what is measured is the age of what was read. */
function clockOf(clock: ManualClock) {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    timer: (ms: number, callback: () => void) => clock.timer(ms, callback),
  };
}
