import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { objectKey, type AuditEvent, type ObjectKey } from '@plumb/core';
import { ManualClock } from '@plumb/test-support';
import { AuditTrail } from './audit-trail.ts';

const KINDS = [
  { group: 'apps', kind: 'Deployment', plural: 'deployments' },
  { group: '', kind: 'ConfigMap', plural: 'configmaps' },
];
const MINUTE_MS = 60_000;

const keyOf = (name: string): ObjectKey => objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name });
const WEB = keyOf('web');

let ids = 0;
function event(facts: Partial<AuditEvent> = {}): AuditEvent {
  return {
    auditId: `id-${(ids += 1)}`,
    verb: 'patch',
    user: 'j.doe',
    manager: 'kubectl-edit',
    group: 'apps',
    resource: 'deployments',
    namespace: 'shop',
    name: 'web',
    receivedMs: 1_000,
    completedMs: 1_010,
    ...facts,
  };
}

function setUp(options: { readonly isKnown?: (key: ObjectKey) => boolean } = {}) {
  const clock = new ManualClock();
  const world = { kinds: KINDS as typeof KINDS | Error };
  const arrived: ObjectKey[] = [];
  const trail = new AuditTrail({
    clock,
    kinds: async () => {
      if (world.kinds instanceof Error) throw world.kinds;
      return world.kinds;
    },
    isKnown: options.isKnown ?? ((key) => key === WEB),
    isWatched: ({ kind }) => kind === 'Deployment',
    isOurs: ({ user }) => user === 'plumb',
    arrived: (key) => arrived.push(key),
  });
  return { clock, world, arrived, trail };
}

test('a write on a managed object is kept, and who waits for it is told', async () => {
  const { trail, arrived } = setUp();
  const write = event();

  assert.equal(await trail.add([write]), 1);

  assert.deepEqual(trail.eventsFor(WEB), [write]);
  assert.deepEqual(trail.eventsFor(WEB, 1_011), []);
  assert.deepEqual(arrived, [WEB]);
});

test('what is about nothing that is managed, and what Plumb does itself, leaves nothing behind', async () => {
  const { trail, arrived } = setUp();

  const kept = await trail.add([
    event({ name: 'other' }),
    event({ resource: 'gadgets' }),
    event({ group: '' }),
    event({ user: 'plumb' }),
    event({ resource: 'configmaps', group: '', verb: 'deletecollection', name: '' }),
  ]);

  assert.deepEqual([kept, trail.size, arrived], [0, 0, []]);
});

test('a delivery that comes twice counts once', async () => {
  const { trail } = setUp();
  const write = event();

  await trail.add([write, write]);

  assert.equal(await trail.add([write]), 0);
  assert.equal(trail.eventsFor(WEB).length, 1);
});

test('a deletion of a collection is about each object that was in it', async () => {
  const { trail, arrived } = setUp();
  const all = event({ verb: 'deletecollection', name: '' });

  await trail.add([all]);

  assert.deepEqual(trail.eventsFor(WEB), [all]);
  assert.deepEqual(
    trail.eventsFor(objectKey({ group: 'apps', kind: 'Deployment', namespace: 'other', name: 'web' })),
    [],
  );
  assert.deepEqual(arrived, [keyOf('')]);
});

test('after a quarter of an hour an event is gone', async () => {
  const { trail, clock } = setUp({ isKnown: () => true });
  await trail.add([event()]);
  clock.advance(14 * MINUTE_MS);
  await trail.add([event({ name: 'late' })]);

  clock.advance(MINUTE_MS);
  const web = trail.eventsFor(WEB);
  await trail.add([event({ name: 'later' })]);

  assert.deepEqual(web, []);
  assert.equal(trail.eventsFor(keyOf('late')).length, 1);
  assert.equal(trail.size, 2);
});

test('where the kinds cannot be read those of the last time will do', async () => {
  const { trail, world } = setUp();
  await trail.add([event()]);
  world.kinds = new Error('an aggregated API is down');

  assert.equal(await trail.add([event()]), 1);
});

test('whatever comes, no object has more than 16 events, there are no more than 5,000 objects, and the last one is there', async () => {
  const { trail } = setUp({ isKnown: () => true });
  await trail.add(Array.from({ length: 20 }, () => event({ name: 'busy' })));
  await trail.add(Array.from({ length: 6_000 }, (_, index) => event({ name: `n-${index}` })));

  assert.equal(trail.size, 5_000);
  assert.deepEqual([trail.eventsFor(keyOf('busy')).length, trail.eventsFor(keyOf('n-5999')).length], [0, 1]);

  const batches = fc.array(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(batches, async (names) => {
      const { trail: one } = setUp({ isKnown: () => true });
      for (const batch of names) await one.add(batch.map((name) => event({ name })));

      for (const name of ['a', 'b', 'c']) {
        const count = names.flat().filter((each) => each === name).length;
        assert.equal(one.eventsFor(keyOf(name)).length, Math.min(16, count));
      }
    }),
  );
});
