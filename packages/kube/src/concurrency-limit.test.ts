import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { ConcurrencyLimit, MAX_IN_FLIGHT, MIN_IN_FLIGHT, START_IN_FLIGHT, type Slot } from './concurrency-limit.ts';

const { signal } = new AbortController();

test('admits as many as the limit and then one for one, first come first served', async () => {
  const limit = new ConcurrencyLimit();
  const slots = await acquire(limit, START_IN_FLIGHT);
  const order: string[] = [];

  const waiting = ['a', 'b'].map((name) => limit.acquire({ signal }).then(() => order.push(name)));
  assert.equal(limit.waiting, 2);
  slots[0]?.[Symbol.dispose]();
  await waiting[0];

  assert.deepEqual(order, ['a']);
  assert.equal(limit.inFlight, START_IN_FLIGHT);
});

test('giving a slot back twice counts once', async () => {
  const limit = new ConcurrencyLimit();
  const [slot] = await acquire(limit, 2);

  slot?.[Symbol.dispose]();
  slot?.[Symbol.dispose]();

  assert.equal(limit.inFlight, 1);
});

test('halves once for a burst of refusals, and never below its floor', async () => {
  const limit = new ConcurrencyLimit();
  const burst = await acquire(limit, 10);

  for (const slot of burst) slot.overloaded();
  assert.equal(limit.limit, START_IN_FLIGHT / 2);
  for (const slot of burst) slot[Symbol.dispose]();
  for (let i = 0; i < 10; i++) {
    using slot = await limit.acquire({ signal });
    slot.overloaded();
  }

  assert.equal(limit.limit, MIN_IN_FLIGHT);
});

test('grows by one for each round of successes while others wait, up to its ceiling', async () => {
  const limit = new ConcurrencyLimit();
  const slots = await acquire(limit, START_IN_FLIGHT);
  for (let i = 0; i < 200; i++) void limit.acquire({ signal });

  for (let i = 0; i < START_IN_FLIGHT; i++) slots[0]?.succeeded();
  assert.equal(limit.limit, START_IN_FLIGHT + 1);
  for (let i = 0; i < 20_000; i++) slots[0]?.succeeded();

  assert.equal(limit.limit, MAX_IN_FLIGHT);
});

test('does not grow while nobody waits', async () => {
  const limit = new ConcurrencyLimit();
  const [slot] = await acquire(limit, 1);

  for (let i = 0; i < 1_000; i++) slot?.succeeded();

  assert.equal(limit.limit, START_IN_FLIGHT);
});

test('one who aborts leaves the queue, and no listener stays on the signal', async () => {
  const limit = new ConcurrencyLimit();
  const slots = await acquire(limit, START_IN_FLIGHT);
  const impatient = new AbortController();
  const patient = new AbortController();

  const leaving = limit.acquire({ signal: impatient.signal });
  const staying = limit.acquire({ signal: patient.signal });
  impatient.abort(new Error('enough'));
  slots[0]?.[Symbol.dispose]();

  await assert.rejects(leaving, /enough/);
  await staying;
  assert.equal(limit.waiting, 0);
  assert.equal(getEventListeners(patient.signal, 'abort').length, 0);
});

function acquire(limit: ConcurrencyLimit, count: number): Promise<Slot[]> {
  return Promise.all(Array.from({ length: count }, () => limit.acquire({ signal })));
}
