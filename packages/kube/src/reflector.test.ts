import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { ManualClock, startApiFaultServer, type ApiExchange, type ApiStream } from '@plumb/test-support';
import { apiResource } from './api-resource.ts';
import { connect } from './client.ts';
import type { ReflectEvent, ReflectOptions } from './reflector.ts';

const pods = apiResource({ group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs: [] });
const { signal } = new AbortController();

test('fills the cache from a streaming list and follows the changes on the same connection', async () => {
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    stream.event('ADDED', pod('a', 1));
    stream.event('ADDED', pod('b', 2));
    stream.event('BOOKMARK', initialEnd(5));
    stream.event('MODIFIED', pod('a', 6));
    stream.event('DELETED', pod('b', 7));
  });

  await world.heard('deleted b');

  assert.deepEqual(world.events, ['added a', 'added b', 'synced', 'updated a', 'deleted b']);
  assert.deepEqual(
    [...world.reflector.values()].map(({ metadata }) => metadata.resourceVersion),
    ['6'],
  );
  const [exchange] = world.exchanges;
  assert.equal(exchange?.query.get('sendInitialEvents'), 'true');
  assert.equal(exchange?.query.get('resourceVersionMatch'), 'NotOlderThan');
  assert.equal(exchange?.query.get('allowWatchBookmarks'), 'true');
});

test('falls back to pages and a watch where the server has no streaming lists, and remembers it', async () => {
  await using world = await open((exchange) => {
    if (exchange.query.get('sendInitialEvents') !== null) {
      return exchange.answer(422, { kind: 'Status', code: 422, message: 'sendInitialEvents: Forbidden', details: {} });
    }
    if (exchange.query.get('watch') === null) return exchange.answer(200, podList(10, 'a'));
    const after = exchange.query.get('resourceVersion');
    if (after === '10') {
      const stream = exchange.stream();
      stream.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
      return stream.end();
    }
    exchange.stream();
  });

  await world.heard('synced', 2);

  const kinds = world.exchanges.map(({ query }) =>
    query.get('sendInitialEvents') !== null ? 'stream' : query.get('watch') !== null ? 'watch' : 'list',
  );
  assert.deepEqual(kinds.slice(0, 4), ['stream', 'list', 'watch', 'list']);
});

test('D36: reads everything anew, and says so, when the server shows an older state than before', async () => {
  const bookmark = { kind: 'Pod', apiVersion: 'v1', metadata: { resourceVersion: '7' } };
  let reads = 0;
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    if (exchange.query.get('sendInitialEvents') === null) return;
    reads += 1;
    stream.event('ADDED', pod('a', reads === 1 ? 20 : 5));
    stream.event('BOOKMARK', initialEnd(reads === 1 ? 20 : 7));
    if (reads === 1) stream.event('BOOKMARK', bookmark);
  });

  await world.heard('synced', 2);

  assert.deepEqual(world.events, ['added a', 'synced', 'updated a', 'synced']);
  assert.deepEqual(world.rewinds, [false, true]);
});

test('D36: a watch that waits in silence for a future that the server has lost is ended when somebody else has seen it', async () => {
  let reads = 0;
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    if (exchange.query.get('sendInitialEvents') === null) return;
    reads += 1;
    // Meanwhile the server has come further than it ever was, on another path.
    stream.event('ADDED', pod('a', reads === 1 ? 20 : 5));
    stream.event('BOOKMARK', initialEnd(reads === 1 ? 20 : 30));
  });
  await world.heard('synced');

  world.client.rewound();
  await world.heard('synced', 2);

  assert.deepEqual(world.events, ['added a', 'synced', 'updated a', 'synced']);
  assert.deepEqual(world.rewinds, [false, true]);
});

test('D36: events that had arrived before a watch was ended do not take it back to where it stood', async () => {
  let reads = 0;
  await using world = await open(
    (exchange) => {
      const stream = exchange.stream();
      if (exchange.query.get('sendInitialEvents') === null) return;
      reads += 1;
      stream.event('BOOKMARK', initialEnd(reads * 20));
      const events = [pod('a', 21), pod('b', 22)].map((object) => JSON.stringify({ type: 'ADDED', object }));
      if (reads === 1) stream.raw(`${events.join('\n')}\n`);
    },
    {
      trim(object) {
        if (object.metadata.name === 'a') world.client.rewound();
        return object;
      },
    },
  );

  await world.heard('synced', 2);

  assert.deepEqual(world.events, ['synced', 'added a', 'deleted a', 'synced']);
});

test('D36: a server that comes back at an older state is read anew before anything is watched', async () => {
  let reads = 0;
  await using world = await open(
    (exchange) => {
      const stream = exchange.stream();
      if (exchange.query.get('sendInitialEvents') === null) return;
      reads += 1;
      stream.event('ADDED', pod('a', reads === 1 ? 20 : 5));
      stream.event('BOOKMARK', initialEnd(reads === 1 ? 20 : 7));
      if (reads === 1) stream.raw('no event\n');
    },
    { probed: 7 },
  );

  await world.heard('synced', 2);

  assert.deepEqual(world.rewinds, [false, true]);
  assert.deepEqual(
    world.exchanges.map(({ query }) => query.get('sendInitialEvents')),
    ['true', 'true'],
  );
});

test('tells nobody of deletions when a reading breaks off half way', async () => {
  let reads = 0;
  await using world = await open((exchange) => {
    if (exchange.query.get('sendInitialEvents') === null) {
      const watching = exchange.stream();
      watching.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
      return watching.end();
    }
    const stream = exchange.stream();
    reads++;
    stream.event('ADDED', pod('a', 1));
    if (reads === 2) return stream.end();
    if (reads === 1) stream.event('ADDED', pod('b', 2));
    stream.event('BOOKMARK', initialEnd(reads * 10));
    if (reads < 3) stream.end();
  });

  await world.heard('synced', 2);

  assert.equal(reads, 3);
  assert.deepEqual(world.events, ['added a', 'added b', 'synced', 'failed ClusterUnreachable', 'deleted b', 'synced']);
});

test('a list that is cut in half changes nothing', async () => {
  let lists = 0;
  await using world = await open((exchange) => {
    if (exchange.query.get('sendInitialEvents') !== null) return exchange.answer(400, { kind: 'Status', code: 400 });
    if (exchange.query.get('watch') !== null) {
      const stream = exchange.stream();
      if (lists > 1) return;
      stream.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
      return stream.end();
    }
    lists++;
    // All four tries of the second reading.
    if (lists > 1 && lists < 6) return exchange.answerHalf(200, podList(20));
    exchange.answer(200, podList(lists * 10, 'a', 'b'));
  });

  await world.heard('synced', 2);

  assert.deepEqual(world.events, ['added a', 'added b', 'synced', 'failed ClusterUnreachable', 'synced']);
});

test('passes on that the server has nothing any more, when it says so completely', async () => {
  let reads = 0;
  await using world = await open((exchange) => {
    if (exchange.query.get('sendInitialEvents') === null) {
      const watching = exchange.stream();
      watching.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
      return watching.end();
    }
    const stream = exchange.stream();
    if (++reads === 1) stream.event('ADDED', pod('a', 1));
    stream.event('BOOKMARK', initialEnd(10));
    if (reads === 1) stream.end();
  });

  await world.heard('synced', 2);

  assert.deepEqual(world.events, ['added a', 'synced', 'deleted a', 'synced']);
});

test('goes on from the last bookmark when the server ends the watch', async () => {
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    if (exchange.query.get('sendInitialEvents') !== null) {
      stream.event('BOOKMARK', initialEnd(5));
      stream.event('ADDED', pod('a', 7));
      stream.event('BOOKMARK', { metadata: { resourceVersion: '42' } });
      stream.raw('{"type":"ADDED","object":{"metadata":{"na');
      return stream.end();
    }
    assert.equal(exchange.query.get('resourceVersion'), '42');
    stream.event('ADDED', pod('b', 43));
  });

  await world.heard('added b');

  assert.deepEqual(world.events, ['synced', 'added a', 'added b']);
  assert.deepEqual(world.clock.sleptMs, []);
});

test('opens a watch anew that has been silent for 75 s, without a failure', async () => {
  const second = Promise.withResolvers<void>();
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    if (exchange.query.get('sendInitialEvents') !== null) return stream.event('BOOKMARK', initialEnd(5));
    assert.equal(exchange.query.get('resourceVersion'), '5');
    second.resolve();
  });
  await world.heard('synced');

  world.clock.advance(74_000);
  assert.equal(world.exchanges.length, 1);
  world.clock.advance(1_000);
  await second.promise;

  assert.equal(world.probes.length, 1);
  assert.deepEqual(world.events, ['synced']);
  assert.equal(world.reflector.error, undefined);
});

test('waits longer and longer when every watch fails, and says why the cache grows old', async () => {
  const opened = Promise.withResolvers<ApiStream>();
  let watches = 0;
  await using world = await open((exchange) => {
    if (exchange.query.get('sendInitialEvents') !== null) {
      const stream = exchange.stream();
      stream.event('BOOKMARK', initialEnd(5));
      return stream.end();
    }
    if (++watches <= 9) return exchange.answer(500, { kind: 'Status', code: 500, message: 'broken' });
    opened.resolve(exchange.stream());
  });
  await world.heard('failed ServerError', 9);
  const error = world.reflector.error;
  const stream = await opened.promise;
  stream.event('ADDED', pod('a', 9));
  await world.heard('added a');

  const [first = 0, ...rest] = world.clock.sleptMs;
  assert.ok(first >= 250 && first <= 500);
  assert.ok(rest.every((ms, index) => ms >= (world.clock.sleptMs[index] ?? 0)));
  assert.ok(Math.max(...rest) <= 30_000);
  assert.equal(error?.code, 'ServerError');
  assert.equal(world.reflector.error, undefined);
});

test('does not hammer a server that calls every state too old', async () => {
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    if (exchange.query.get('sendInitialEvents') !== null) stream.event('BOOKMARK', initialEnd(5));
    stream.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
    stream.end();
  });

  await world.heard('synced', 6);

  assert.deepEqual(world.clock.sleptMs.slice(0, 5), [375, 750, 1500, 3000, 6000].slice(0, world.clock.sleptMs.length));
  assert.ok(world.clock.sleptMs.length >= 4);
});

test('waits as long as an overloaded server asks before it watches again', async () => {
  await using world = await open((exchange) => {
    if (world.exchanges.length === 1) {
      return exchange.answer(429, { kind: 'Status', code: 429, message: 'busy' }, { 'retry-after': '7' });
    }
    exchange.stream().event('BOOKMARK', initialEnd(5));
  });

  await world.heard('synced');

  assert.deepEqual(world.events, ['failed TooManyRequests', 'synced']);
  assert.deepEqual(world.clock.sleptMs, [7000]);
});

test('keeps what trim leaves and gives partial objects their own kind', async () => {
  await using world = await open(
    (exchange) => {
      assert.match(exchange.headers.accept ?? '', /as=PartialObjectMetadata;g=meta.k8s.io/);
      const stream = exchange.stream();
      const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };
      stream.event('ADDED', { ...pod('a', 1), ...partial, metadata: { ...pod('a', 1).metadata, managedFields: [] } });
      stream.event('BOOKMARK', initialEnd(5));
    },
    {
      metadataOnly: true,
      trim: ({ apiVersion, kind, metadata: { managedFields: _managedFields, ...metadata } }) => ({
        apiVersion,
        kind,
        metadata,
      }),
    },
  );

  await world.heard('synced');

  assert.deepEqual([...world.reflector.values()], [{ apiVersion: 'v1', kind: 'Pod', metadata: pod('a', 1).metadata }]);
});

test('lets other work go on while twenty thousand objects arrive', async () => {
  const count = 20_000;
  await using world = await open((exchange) => {
    const stream = exchange.stream();
    const lines = Array.from({ length: count }, (_, i) => JSON.stringify({ type: 'ADDED', object: pod(`p${i}`, i) }));
    stream.raw(`${lines.join('\n')}\n`);
    stream.event('BOOKMARK', initialEnd(count));
  });
  let turns = 0;
  let counting = true;
  const tick = (): void => {
    turns++;
    if (counting) setImmediate(tick);
  };
  setImmediate(tick);

  await world.heard('synced');
  counting = false;

  assert.equal(world.reflector.size, count);
  assert.ok(turns > count / 500, `${turns} turns`);
});

test('leaves nothing behind when it is disposed of', async () => {
  const controller = new AbortController();
  const left = Promise.withResolvers<void>();
  const world = await open(
    async (exchange) => {
      const stream = exchange.stream();
      stream.event('ADDED', pod('a', 1));
      stream.event('BOOKMARK', initialEnd(5));
      await stream.closed;
      left.resolve();
    },
    { signal: controller.signal },
  );
  await world.heard('synced');

  await world.reflector[Symbol.asyncDispose]();
  await left.promise;

  assert.equal(world.clock.pending, 0);
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0);
  assert.equal(world.reflector.size, 0);
  await world[Symbol.asyncDispose]();
});

test('ends with the signal that it was given, and those who wait for the first sync hear of it', async () => {
  const controller = new AbortController();
  await using world = await open((exchange) => void exchange.stream(), { signal: controller.signal });
  const waiting = world.reflector.whenSynced({ signal });

  controller.abort(new Error('enough'));

  await assert.rejects(waiting, /enough/);
  assert.equal(world.clock.pending, 0);
});

/** A reflector of a scripted server; `heard` resolves when an event has come so many times. */
/** `probed` is the state that the server says it is at, where it is asked after something broke. */
async function open(
  script: (exchange: ApiExchange) => unknown,
  { probed = 1_000, ...options }: Partial<ReflectOptions> & { readonly probed?: number } = {},
) {
  const clock = new ManualClock({ instantSleep: true });
  const events: string[] = [];
  const rewinds: boolean[] = [];
  const waiting = new Set<() => void>();
  const probes: ApiExchange[] = [];
  const server = await startApiFaultServer(async (exchange) => {
    if (exchange.query.get('limit') !== '1') return void (await script(exchange));
    probes.push(exchange);
    exchange.answer(200, podList(probed));
  });
  const client = connect(
    { server: server.url, context: 'test', namespace: 'default', auth: { type: 'none' } },
    { clock, random: { next: () => 0.5 }, userAgent: 'plumb/test' },
  );
  const reflector = client.reflect(pods, {
    signal,
    ...options,
    onChange: (event) => {
      events.push(nameOf(event));
      if (event.type === 'synced') rewinds.push(event.isRewound);
      for (const check of waiting) check();
    },
  });
  return {
    client,
    clock,
    events,
    rewinds,
    reflector,
    probes,
    get exchanges() {
      return server.exchanges.filter((exchange) => !probes.includes(exchange));
    },
    heard(name: string, times = 1): Promise<void> {
      return new Promise((resolve) => {
        const check = (): void => {
          if (events.filter((event) => event === name).length >= times) resolve();
        };
        waiting.add(check);
        check();
      });
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function nameOf(event: ReflectEvent): string {
  if (event.type === 'failed') return `failed ${event.error.code}`;
  return event.type === 'synced' ? 'synced' : `${event.type} ${event.object.metadata.name}`;
}

function pod(name: string, resourceVersion: number) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: String(resourceVersion) },
  };
}

function podList(resourceVersion: number, ...names: readonly string[]) {
  return { metadata: { resourceVersion: String(resourceVersion) }, items: names.map((name) => pod(name, 1)) };
}

function initialEnd(resourceVersion: number) {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  return { metadata: { resourceVersion: String(resourceVersion), annotations } };
}
