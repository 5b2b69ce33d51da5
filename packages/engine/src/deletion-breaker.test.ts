import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@plumb/test-support';
import { BREAKER_WINDOW_MS, DeletionBreaker } from './deletion-breaker.ts';

function breakerOf(clock: ManualClock, objects: number, recorded: readonly number[] = []): DeletionBreaker {
  return new DeletionBreaker({ clock, objectCount: () => objects, recorded });
}

test('2 % of the objects of a cluster may go in ten minutes, and always 25', () => {
  const clock = new ManualClock();
  const table: readonly [objects: number, count: number, mayGo: boolean][] = [
    [10, 10, true],
    [100, 25, true],
    [100, 26, false],
    [5_000, 100, true],
    [5_000, 101, false],
  ];
  for (const [objects, count, mayGo] of table) {
    assert.equal(breakerOf(clock, objects).pause(count) === undefined, mayGo, `${count} of ${objects}`);
  }
});

test('a set that is too large by itself waits for an approval, and for no time', () => {
  const pause = breakerOf(new ManualClock(), 100).pause(30);

  assert.equal(pause?.until, undefined);
  assert.equal(
    pause?.reason,
    '30 objects would go, and no more than 25 of 100 objects of this cluster may go in 10 minutes without being asked',
  );
});

test('deletions add up over all applications, until the last one is ten minutes old', () => {
  const clock = new ManualClock();
  const breaker = breakerOf(clock, 100);
  breaker.took(10);
  clock.advance(60_000);
  breaker.took(10);

  assert.equal(breaker.pause(5), undefined);
  const pause = breaker.pause(6);
  assert.match(pause?.reason ?? '', /the deletions of all applications wait: 20 objects went lately/);
  assert.equal(pause?.until, clock.monotonic() + BREAKER_WINDOW_MS);

  clock.advance(BREAKER_WINDOW_MS + 1);
  assert.equal(breaker.pause(25), undefined);
});

test('once it has tripped even a single deletion waits', () => {
  const clock = new ManualClock();
  const breaker = breakerOf(clock, 100);
  breaker.took(20);
  breaker.trip(breaker.pause(6)?.until ?? 0);

  assert.notEqual(breaker.pause(1), undefined);
  clock.advance(BREAKER_WINDOW_MS + 1);
  assert.equal(breaker.pause(1), undefined);
});

test('what is on record counts as if it had gone just now', () => {
  const clock = new ManualClock();
  const recorded = Array.from({ length: 24 }, () => clock.now() - 1_000);
  const breaker = breakerOf(clock, 100, recorded);

  assert.equal(breaker.pause(1), undefined);
  assert.notEqual(breaker.pause(2), undefined);
});

test('D36: after a cluster was set back nothing goes for 15 minutes, and no approval helps', () => {
  const clock = new ManualClock();
  const breaker = breakerOf(clock, 10_000);
  breaker.freeze();

  const pause = breaker.pause(1);
  assert.deepEqual([pause?.isFrozen, pause?.until], [true, clock.monotonic() + 15 * 60_000]);
  clock.advance(15 * 60_000);
  assert.equal(breaker.pause(1), undefined);
});

test('D36: a freeze outlives the engine, and lasts no longer than 15 minutes whatever the clock says', () => {
  const clock = new ManualClock();
  const until = breakerOf(clock, 100).freeze();
  assert.equal(until, clock.now() + 15 * 60_000);

  const left: readonly [frozenUntil: number, stillAfterMs: number, overAfterMs: number][] = [
    [until - 5 * 60_000, 9 * 60_000, 60_000],
    [until + 60 * 60_000, 14 * 60_000, 60_000],
  ];
  for (const [frozenUntil, stillAfterMs, overAfterMs] of left) {
    const clock = new ManualClock();
    const next = new DeletionBreaker({ clock, objectCount: () => 100, recorded: [], frozenUntil });
    clock.advance(stillAfterMs);
    assert.equal(next.pause(1)?.isFrozen, true);
    clock.advance(overAfterMs);
    assert.equal(next.pause(1), undefined);
  }
});
