import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { keyOf, PlumbError, type KubeObject } from '@plumb/core';
import type { ApiResource, ReflectEvent, Reflector } from '@plumb/kube';
import { ManualClock } from '@plumb/test-support';
import { ClusterCapabilities } from './capabilities.ts';

const SYNCED: ReflectEvent = { type: 'synced', isRewound: false };
const object: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
};
const ADDED: ReflectEvent = { type: 'added', key: keyOf(object), object };
const WIDGETS = ['example.com/v1', 'v1'];
const spec = { capabilities: {} } as Parameters<ClusterCapabilities['of']>[0];

async function open() {
  const clock = new ManualClock();
  let hear: (event: ReflectEvent) => void = () => undefined;
  const server = { serves: ['v1'], isDown: false, reads: 0 };
  let changes = 0;
  const capabilities = new ClusterCapabilities({
    client: {
      resource: async () => ({}) as ApiResource,
      version: async () => ({ gitVersion: 'v1.36.0' }),
      apiVersions: async () => {
        server.reads += 1;
        if (server.isDown) throw new PlumbError('ServerError', 'no answer');
        return server.serves;
      },
      invalidateDiscovery: () => undefined,
      reflect: (_resource, { onChange }) => {
        hear = onChange;
        return { [Symbol.asyncDispose]: async () => undefined } as unknown as Reflector;
      },
    },
    clock,
    signal: new AbortController().signal,
    changed: () => (changes += 1),
  });
  /** Lets time pass, and what it began come to its end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await setImmediate();
  };
  const apiVersions = async (): Promise<readonly string[]> => (await capabilities.of(spec)).apiVersions;
  assert.deepEqual(await apiVersions(), ['v1']);
  await capabilities.follow();
  return {
    server,
    clock,
    pass,
    apiVersions,
    get changes() {
      return changes;
    },
    async hear(event: ReflectEvent): Promise<void> {
      hear(event);
      await pass(0);
    },
    [Symbol.asyncDispose]: () => capabilities[Symbol.asyncDispose](),
  };
}

test('a kind that came between the question and the watch is found', async () => {
  await using world = await open();
  world.server.serves = WIDGETS;

  await world.hear(ADDED);
  await world.hear(SYNCED);

  assert.deepEqual([world.changes, await world.apiVersions()], [1, WIDGETS]);
});

test('a kind that the server serves only some seconds after its definition is found', async () => {
  await using world = await open();
  await world.hear(ADDED);
  await world.pass(1_000);
  assert.equal(world.changes, 0);

  world.server.serves = WIDGETS;
  await world.pass(5_000);

  assert.deepEqual([world.changes, await world.apiVersions()], [1, WIDGETS]);
});

test('nobody is told where nothing has changed, and after some looks it is quiet', async () => {
  await using world = await open();
  await world.hear(SYNCED);
  for (const ms of [1_000, 5_000, 20_000, 600_000]) await world.pass(ms);

  assert.deepEqual([world.changes, world.server.reads, world.clock.pending], [0, 5, 0]);
});

test('what cannot be read is asked for anew, by whoever needs it', async () => {
  await using world = await open();
  world.server.isDown = true;
  await world.hear(ADDED);

  assert.equal(world.changes, 1);
  await assert.rejects(world.apiVersions(), { code: 'ServerError' });
  world.server.isDown = false;
  assert.deepEqual(await world.apiVersions(), ['v1']);
});

test('no timer is left when it is closed', async () => {
  const world = await open();
  await world.hear(ADDED);

  await world[Symbol.asyncDispose]();

  assert.equal(world.clock.pending, 0);
});
