import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectKey } from '@plumb/core';
import { Heals } from './heals.ts';

const ONE = '/ConfigMap/shop/one' as ObjectKey;
const TWO = '/ConfigMap/shop/two' as ObjectKey;
const MINUTE = 60_000;

test('the third healing within ten minutes, and each next one, is followed by ten minutes without any', () => {
  const heals = new Heals();
  const pauses = [1, 2, 3, 4, 5].map((second) => {
    heals.count(ONE, 'spec.replicas', second * 1_000);
    return Math.max(0, heals.after(ONE, 'spec.replicas') - second * 1_000);
  });

  assert.deepEqual(pauses, [0, 0, 10 * MINUTE, 10 * MINUTE, 10 * MINUTE]);
});

test('a fight over one object holds up no other object, and no other field', () => {
  const heals = new Heals();
  for (const now of [1, 2, 3]) heals.count(ONE, 'spec.replicas', now);

  assert.equal(heals.after(TWO, 'spec.replicas'), 0);
  assert.equal(heals.after(ONE, 'spec.paused'), 0);
});

test('healings that are ten minutes apart are no fight', () => {
  const heals = new Heals();
  for (const round of [1, 2, 3, 4]) heals.count(ONE, 'spec.replicas', round * 10 * MINUTE);

  assert.equal(heals.after(ONE, 'spec.replicas'), 0);
});

test('another try by request is made at once, and then it is paused again', () => {
  const heals = new Heals();
  for (const now of [1, 2, 3]) heals.count(ONE, 'spec.replicas', now);
  heals.excuse();
  assert.equal(heals.after(ONE, 'spec.replicas'), 0);

  heals.count(ONE, 'spec.replicas', 4);
  assert.equal(heals.after(ONE, 'spec.replicas'), 10 * MINUTE + 4);
});
