import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectKey } from '@plumb/core';
import { Heals } from './heals.ts';

const ONE = '/ConfigMap/shop/one' as ObjectKey;
const TWO = '/ConfigMap/shop/two' as ObjectKey;
const MINUTE = 60_000;

test('the third healing within ten minutes is followed by a pause, and each next one by a longer one', () => {
  const heals = new Heals();
  const pauses = [1, 2, 3, 4, 5].map((second) => {
    heals.count(ONE, 'webhook', second * 1_000);
    return Math.max(0, heals.after(ONE, 'webhook') - second * 1_000);
  });

  assert.deepEqual(pauses, [0, 0, 10_000, 20_000, 40_000]);
});

test('a fight over one object holds up no other object, and no other manager', () => {
  const heals = new Heals();
  for (const now of [1, 2, 3]) heals.count(ONE, 'webhook', now);

  assert.equal(heals.after(TWO, 'webhook'), 0);
  assert.equal(heals.after(ONE, 'kubectl-edit'), 0);
});

test('healings that are ten minutes apart are no fight', () => {
  const heals = new Heals();
  for (const round of [1, 2, 3, 4]) heals.count(ONE, 'webhook', round * 10 * MINUTE);

  assert.equal(heals.after(ONE, 'webhook'), 0);
});

test('another try by request is made at once, and the next pause is a longer one', () => {
  const heals = new Heals();
  for (const now of [1, 2, 3]) heals.count(ONE, 'webhook', now);
  heals.excuse();
  assert.equal(heals.after(ONE, 'webhook'), 0);

  heals.count(ONE, 'webhook', 4);
  assert.equal(heals.after(ONE, 'webhook'), 20_004);
});
