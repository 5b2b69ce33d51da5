import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe } from '@plumb/core';
import { watchedObject } from './watched-objects.ts';
import type { ReadingFigures } from './watch-process.ts';
import { goalsOf } from './watches.ts';

const reading = (heapMiB: number, longestBlockMs: number): ReadingFigures => {
  return { seconds: 1, cpuSeconds: 1, longestBlockMs, objects: 20_000, heapMiB };
};

test('memory is told for one object, and the longest block of the list after an expiry', () => {
  const goals = goalsOf({
    count: 20_000,
    withoutHealth: reading(10, 900),
    withHealth: reading(80, 900),
    relist: reading(0, 50),
  });
  assert.deepEqual(
    goals.map(({ value, met }) => [value, met]),
    [
      [0.512, true],
      [4.1, false],
      [50, true],
    ],
  );
});

test('what is watched looks to the engine as managed, healthy objects do', () => {
  for (const kind of ['Deployment', 'ServiceAccount'] as const) {
    const live = observe(watchedObject(kind, 7));
    assert.notEqual(live.target, undefined);
    assert.notEqual(live.fieldsHash, undefined);
    assert.equal(live.health.status, 'Healthy');
  }
});
