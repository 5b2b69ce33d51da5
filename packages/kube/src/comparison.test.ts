import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, startApiFaultServer, type ApiExchange, type ApiStream } from '@plumb/test-support';
import { apiResource } from './api-resource.ts';
import { connect } from './client.ts';
import type { ReflectEvent } from './reflector.ts';

const pods = apiResource({ group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true, verbs: [] });
const { signal } = new AbortController();
/** Less than the silence after which a watch counts as dead. */
const EVERY_MS = 80_000;
/** In the middle of the second half, with a chance that is always one half. */
const FIRST_MS = EVERY_MS * 0.75;
const GRACE_MS = 5_000;

test('an event that a watch has lost is found by a list, and everything is read anew', async () => {
  await using world = await open(['a', 1], ['b', 2]);

  await world.differs(10, ['a', 7], ['b', 2]);
  world.clock.advance(GRACE_MS);
  await world.reread(11, ['a', 7], ['b', 2]);

  assert.deepEqual(world.said, ['lost 1: /Pod/shop/a']);
  assert.deepEqual(world.events, ['added a 1', 'added b 2', 'synced', 'updated a 7', 'synced']);
});

test('an object of which a watch has lost that it came or went is found as well', async () => {
  await using world = await open(['a', 1], ['b', 2]);

  await world.differs(10, ['b', 2], ['c', 8]);
  world.clock.advance(GRACE_MS);
  await world.reread(11, ['b', 2], ['c', 8]);

  assert.deepEqual(world.said, ['lost 2: /Pod/shop/c, /Pod/shop/a']);
  assert.deepEqual(world.events.slice(3), ['added c 8', 'deleted a 1', 'synced']);
});

test('a watch that is a moment behind has lost nothing', async () => {
  await using world = await open(['a', 1], ['b', 2]);

  await world.differs(10, ['a', 7], ['c', 8]);
  world.stream.event('MODIFIED', pod('a', 7));
  world.stream.event('ADDED', pod('c', 8));
  world.stream.event('DELETED', pod('b', 9));
  await world.heard('deleted b 9');
  world.clock.advance(GRACE_MS);
  await world.compared();

  assert.deepEqual(world.said, []);
  assert.equal(world.streams, 1);
});

test('a list that is older than what the watch has shown changes nothing', async () => {
  await using world = await open(['a', 20], ['b', 21]);

  (await world.listAsked()).answer(200, podList(10, ['a', 5]));
  await world.compared();

  assert.deepEqual(world.said, []);
  assert.deepEqual(world.events, ['added a 20', 'added b 21', 'synced']);
});

test('what the watch tells while the list is under way is newer than the list', async () => {
  await using world = await open(['a', 1], ['b', 2]);

  const list = await world.listAsked();
  world.stream.event('MODIFIED', pod('a', 12));
  world.stream.event('DELETED', pod('b', 13));
  world.stream.event('ADDED', pod('c', 14));
  await world.heard('added c 14');
  list.answer(200, podList(10, ['a', 1], ['b', 2]));
  await world.compared();

  assert.deepEqual(world.said, []);
  assert.equal(world.streams, 1);
});

test('an object that comes and goes within the grace of its list is not lost', async () => {
  await using world = await open(['a', 1]);

  await world.differs(10, ['a', 1], ['c', 8]);
  world.stream.event('ADDED', pod('c', 8));
  world.stream.event('DELETED', pod('c', 11));
  await world.heard('deleted c 11');
  world.clock.advance(GRACE_MS);
  await world.compared();

  assert.deepEqual(world.said, []);
});

test('nothing is asked before a comparison is due, and only names and versions then', async () => {
  await using world = await open(['a', 1]);

  world.clock.advance(FIRST_MS - 1);
  const before = world.exchanges.length;
  const list = await world.listAsked(1);

  assert.equal(before, 1);
  assert.equal(world.exchanges.length, 2);
  assert.equal(list.query.get('labelSelector'), 'mine=true');
  assert.match(list.headers.accept ?? '', /as=PartialObjectMetadataList/);
});

test('a comparison that fails is only said, and is due again after the interval', async () => {
  await using world = await open(['a', 1]);

  (await world.listAsked()).answer(403, { kind: 'Status', code: 403, message: 'no' });
  await world.compared();

  assert.deepEqual(world.said, ['failed Pod Forbidden']);
  assert.deepEqual(world.events, ['added a 1', 'synced']);
});

test('comparisons that are due at once wait for one another', async () => {
  await using world = await open(['a', 1]);
  await using other = world.client.reflect(pods, { signal, labelSelector: 'other=true', onChange: () => undefined });
  await world.opened(2);

  world.send(1);
  await other.whenSynced({ signal });

  const first = await world.listAsked();
  const before = world.lists;
  first.answer(200, podList(10, ['a', 1]));
  const second = await world.nextList();

  assert.equal(first.query.get('labelSelector'), 'mine=true');
  assert.equal(second.query.get('labelSelector'), 'other=true');
  assert.deepEqual([before, world.lists], [1, 2]);
});

test('a watch that is being read anew already is not compared', async () => {
  await using world = await open(['a', 1]);

  await world.differs(10, ['a', 7]);
  world.stream.event('ERROR', { kind: 'Status', code: 410, message: 'too old' });
  world.stream.end();
  await world.opened(2);
  world.clock.advance(GRACE_MS);
  await world.reread(11, ['a', 7]);

  assert.deepEqual(world.said, []);
  assert.deepEqual(world.events.slice(2), ['updated a 7', 'synced']);
});

test('leaves no timer and no request behind', async () => {
  const world = await open(['a', 1]);

  await world.listAsked();
  await world[Symbol.asyncDispose]();

  assert.deepEqual(world.said, []);
  assert.equal(world.clock.pending, 0);
});

/** Says when it is asked to wait. */
class NotingClock extends ManualClock {
  readonly timersMs: number[] = [];
  readonly #asked: () => void;

  constructor(asked: () => void) {
    super();
    this.#asked = asked;
  }

  override timer(ms: number, callback: () => void): Disposable {
    this.timersMs.push(ms);
    const timer = super.timer(ms, callback);
    this.#asked();
    return timer;
  }
}

type Listed = readonly [name: string, resourceVersion: number];

/** A watch of a scripted server that has synced, and is compared. */
async function open(...initial: readonly Listed[]) {
  const clock = new NotingClock(() => look());
  const events: string[] = [];
  const said: string[] = [];
  const streams: ApiStream[] = [];
  const lists: ApiExchange[] = [];
  const waiting = new Set<() => void>();
  const look = (): void => {
    for (const check of waiting) check();
  };
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (!holds()) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
    });
  const send = (stream: ApiStream | undefined, resourceVersion: number, objects: readonly Listed[]): void => {
    for (const [name, version] of objects) stream?.event('ADDED', pod(name, version));
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    stream?.event('BOOKMARK', { metadata: { resourceVersion: String(resourceVersion), annotations } });
  };
  const server = await startApiFaultServer((exchange) => {
    if (exchange.query.get('watch') === null) lists.push(exchange);
    else streams.push(exchange.stream());
    look();
  });
  const client = connect(
    { server: server.url, context: 'test', namespace: 'default', auth: { type: 'none' } },
    { clock, random: { next: () => 0.5 }, userAgent: 'plumb/test' },
  );
  client.compareWatches({
    everyMs: EVERY_MS,
    lost: (_resource, keys) => said.push(`lost ${keys.length}: ${keys.join(', ')}`),
    failed: ({ kind }, { code }) => said.push(`failed ${kind} ${code}`),
  });
  client.reflect(pods, {
    signal,
    labelSelector: 'mine=true',
    onChange: (event) => {
      events.push(nameOf(event));
      look();
    },
  });
  const heard = (name: string, times = 1): Promise<void> =>
    until(() => events.filter((event) => event === name).length >= times);
  await until(() => streams.length === 1);
  send(streams[0], Math.max(...initial.map(([, version]) => version)), initial);
  await heard('synced');
  let answered = 0;
  const nextList = async (): Promise<ApiExchange> => {
    answered += 1;
    await until(() => lists.length >= answered);
    return lists[answered - 1] as ApiExchange;
  };
  const listAsked = (ms = FIRST_MS): Promise<ApiExchange> => {
    clock.advance(ms);
    return nextList();
  };
  return {
    client,
    clock,
    events,
    said,
    heard,
    nextList,
    listAsked,
    exchanges: server.exchanges,
    get stream() {
      return streams.at(-1) as ApiStream;
    },
    get streams() {
      return streams.length;
    },
    get lists() {
      return lists.length;
    },
    opened: (count: number) => until(() => streams.length >= count),
    send: (resourceVersion: number, ...objects: readonly Listed[]) => send(streams.at(-1), resourceVersion, objects),
    /** The first comparison, up to where what differs gets its grace. */
    async differs(resourceVersion: number, ...objects: readonly Listed[]): Promise<void> {
      (await listAsked()).answer(200, podList(resourceVersion, ...objects));
      await until(() => clock.sleptMs.includes(GRACE_MS));
    },
    /** That it is due again means that it has ended. */
    compared: () => until(() => clock.timersMs.includes(EVERY_MS)),
    async reread(resourceVersion: number, ...objects: readonly Listed[]): Promise<void> {
      await until(() => streams.length === 2);
      send(streams[1], resourceVersion, objects);
      await heard('synced', 2);
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

function nameOf(event: ReflectEvent): string {
  if (event.type === 'failed') return `failed ${event.error.code}`;
  if (event.type === 'synced') return 'synced';
  return `${event.type} ${event.object.metadata.name} ${event.object.metadata.resourceVersion}`;
}

function pod(name: string, resourceVersion: number) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: String(resourceVersion) },
  };
}

function podList(resourceVersion: number, ...objects: readonly Listed[]) {
  return {
    metadata: { resourceVersion: String(resourceVersion) },
    items: objects.map(([name, version]) => pod(name, version)),
  };
}
