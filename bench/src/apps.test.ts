import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalsOf, type AppsFigures } from './apps.ts';
import type { PhaseFigures } from './phase.ts';

function phase(figures: Partial<PhaseFigures> = {}): PhaseFigures {
  return {
    seconds: 0,
    floorSeconds: 0,
    requests: 0,
    requestsByVerb: {},
    engineCpuSeconds: 0,
    peakRssMiB: 100,
    readMiB: 0,
    writtenMiB: 0,
    ...figures,
  };
}

const FIGURES: AppsFigures = {
  count: 10,
  floor: {
    create: { seconds: 2, cpuSeconds: 0, settledSeconds: 3 },
    changeAll: { seconds: 1, cpuSeconds: 0, settledSeconds: 2 },
  },
  create: { ...phase({ seconds: 2.5, floorSeconds: 2, requests: 60, engineCpuSeconds: 0.15 }), startSeconds: 1 },
  changeAll: phase({ requests: 31, engineCpuSeconds: 0.1 }),
  changeOne: { ...phase({ seconds: 0.5, requests: 4, engineCpuSeconds: 0.1 }), slowestSeconds: 1 },
  changeOnePoll: phase({ seconds: 15 }),
  changeNone: phase({ requests: 1 }),
  idle: phase({ seconds: 60, engineCpuSeconds: 0.11, peakRssMiB: 251 }),
};

test('a goal is met at its limit and missed above it', () => {
  const missed = goalsOf(FIGURES).filter(({ met }) => !met);

  assert.deepEqual(
    missed.map(({ name, value }) => `${name} ${value}`),
    [
      'change all: requests an application 3.1',
      'change none: requests 1',
      'idle: CPU in five minutes 0.55',
      'memory: peak 251',
    ],
  );
});

test('costs of all applications are shared among them, and the peak of memory is that of all phases', () => {
  const values = new Map(goalsOf(FIGURES).map(({ name, value }) => [name, value]));

  assert.equal(values.get('create: engine ÷ floor'), 1.25);
  assert.equal(values.get('create: requests an application'), 6);
  assert.equal(values.get('create: CPU an application'), 0.015);
  assert.equal(values.get('memory: peak'), 251);
});

test('a commit to one application has to cost the same in a smaller fleet, where one was measured', () => {
  const without = goalsOf(FIGURES).length;
  const small = { ...FIGURES.changeOne, requests: 5 };

  const goals = goalsOf({ ...FIGURES, changeOneSmall: small });

  assert.equal(goals.length, without + 3);
  assert.equal(goals.find(({ name }) => name === 'change one, at 100: requests')?.met, false);
});
