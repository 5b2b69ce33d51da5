import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { PlumbError, type KubeObject, type Question } from '@plumb/core';
import type { ApiResource } from '@plumb/kube';
import { ManualClock } from '@plumb/test-support';
import { AskedEvents, type AskedEventsOptions } from './asked-events.ts';

const { signal } = new AbortController();
const SAID: KubeObject = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'said' } };

function open(answer: () => readonly KubeObject[] = () => [SAID]) {
  const clock = new ManualClock();
  const lists: (string | undefined)[] = [];
  const blind: string[] = [];
  let changes = 0;
  const client: AskedEventsOptions['client'] = {
    resource: async () => ({}) as ApiResource,
    list: async (_resource, { fieldSelector }) => {
      lists.push(fieldSelector);
      return { items: answer(), resourceVersion: '1' };
    },
  };
  const asked = new AskedEvents({
    client,
    clock,
    namespace: 'shop',
    signal,
    changed: () => (changes += 1),
    blind: ({ code }) => blind.push(code),
  });
  return {
    asked,
    clock,
    lists,
    blind,
    get changes() {
      return changes;
    },
    /** Lets time pass, and what it began come to its end. */
    async pass(ms: number): Promise<void> {
      clock.advance(ms);
      await setImmediate();
    },
  };
}

const of = (uid: string, stage: Question['stage'] = 'starting'): Question => ({ uid, stage });

test('who gets on within three seconds is not asked about', async () => {
  const world = open();

  world.asked.ask([of('a')]);
  await world.pass(2_999);
  world.asked.ask([]);
  await world.pass(600_000);

  assert.deepEqual([world.lists, world.changes, world.clock.pending], [[], 0, 0]);
});

test('an object is asked about by its uid, and again ever more seldom', async () => {
  const world = open();
  const at: number[] = [];

  world.asked.ask([of('a')]);
  for (let seconds = 1; seconds <= 1_800; seconds += 1) {
    const before = world.lists.length;
    await world.pass(1_000);
    // Pods change all the time, and each time it is judged anew.
    world.asked.ask([of('a')]);
    if (world.lists.length > before) at.push(seconds);
  }

  assert.deepEqual(at.slice(0, 7), [3, 13, 33, 73, 153, 313, 613]);
  assert.equal(at.length, 10);
  assert.ok(world.lists.every((selector) => selector === 'involvedObject.uid=a'));
  assert.equal(world.asked.events.get('a')?.length, 1);
});

test('one that is further on is asked about anew, and one that gets on is forgotten', async () => {
  const world = open();

  world.asked.ask([of('a')]);
  await world.pass(3_000);
  world.asked.ask([of('a', 'running')]);
  await world.pass(3_000);
  const asked = world.lists.length;
  world.asked.ask([]);

  assert.equal(asked, 2);
  assert.equal(world.asked.events.size, 0);
});

test('of many objects a few are asked about at once', async () => {
  const world = open();

  world.asked.ask(Array.from({ length: 12 }, (_, index) => of(`uid-${index}`)));
  const counts: number[] = [];
  for (const ms of [3_000, 999, 1, 1_000, 1_000]) {
    await world.pass(ms);
    counts.push(world.lists.length);
  }

  assert.deepEqual(counts, [5, 5, 10, 12, 12]);
});

test('who may not read Events does not try again, and says so once', async () => {
  const world = open(() => {
    throw new PlumbError('Forbidden', 'no');
  });

  world.asked.ask([of('a')]);
  await world.pass(3_000);
  world.asked.ask([of('b')]);
  await world.pass(600_000);

  assert.deepEqual([world.lists.length, world.blind, world.clock.pending], [1, ['Forbidden'], 0]);
});

test('a server that does not answer is asked again, as seldom', async () => {
  let isDown = true;
  const world = open(() => {
    if (isDown) throw new PlumbError('ClusterUnreachable', 'no');
    return [SAID];
  });

  world.asked.ask([of('a')]);
  await world.pass(3_000);
  isDown = false;
  await world.pass(10_000);

  assert.deepEqual([world.lists.length, world.blind, world.asked.events.get('a')], [2, [], [SAID]]);
});
