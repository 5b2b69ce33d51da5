import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyTripped, type Clock } from '@plumb/core';
import { DeletionBreaker } from './deletion-breaker.ts';

function clockAt(now: { value: number }): Clock {
  const never = (): never => {
    throw new Error('not asked for');
  };
  return { now: () => now.value, monotonic: never, sleep: never, timer: never };
}

test('D1: many small deletions of different applications trip the breaker, and time resets it', () => {
  const now = { value: 1_000_000 };
  const breaker = new DeletionBreaker(clockAt(now), []);
  for (let application = 0; application < 12; application += 1) {
    assert.equal(whyTripped(2, breaker.facts(100)), undefined);
    breaker.count(2);
    now.value += 1_000;
  }

  assert.notEqual(whyTripped(2, breaker.facts(100)), undefined);
  assert.equal(breaker.facts(100).waitMsFor(2), 588_000);

  now.value += 588_000;
  assert.equal(whyTripped(2, breaker.facts(100)), undefined);
});

test('D1: deletions before a restart count', () => {
  const now = { value: 1_000_000 };
  const breaker = new DeletionBreaker(
    clockAt(now),
    Array.from({ length: 25 }, () => 999_000),
  );

  assert.equal(breaker.facts(0).used, 25);
  assert.equal(breaker.facts(0).waitMsFor(1), 599_000);
});
