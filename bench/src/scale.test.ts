import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PhaseFigures } from './phase.ts';
import { goalsOf, type ScaleFigures } from './scale.ts';

function phase(requests: number, seconds = 1): PhaseFigures {
  return {
    seconds,
    floorSeconds: 0,
    requests,
    requestsByVerb: {},
    engineCpuSeconds: 1,
    peakRssMiB: 100,
    readMiB: 1,
    writtenMiB: 1,
  };
}

const FIGURES: ScaleFigures = {
  count: 5_000,
  firstSync: phase(5_010),
  changeOne: phase(3),
  changeNone: phase(0),
  definitions: phase(1_250),
};

test('requests are held against the number of objects', () => {
  const goals = goalsOf(FIGURES);
  assert.ok(goals.every(({ met }) => met));
  assert.deepEqual(
    goals.map(({ value }) => value),
    [1, 3, 1, 0, 1.04],
  );
});

test('a goal that is missed says so', () => {
  const goals = goalsOf({ ...FIGURES, firstSync: phase(10_000), changeOne: phase(5_000, 9), changeNone: phase(1) });
  assert.deepEqual(
    goals.map(({ met }) => met),
    [false, false, false, false, true],
  );
});
