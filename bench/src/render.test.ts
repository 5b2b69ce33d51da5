import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CASES } from './render-corpus.ts';
import { goalsOf, type RenderFigures } from './render.ts';

const FIGURES: RenderFigures = {
  count: 10,
  differing: 0,
  cases: CASES.map(({ name, limit }) => ({
    case: name,
    objects: 4,
    binaryP50Ms: 50,
    binaryP95Ms: 60,
    warmP50Ms: 50 * limit,
    warmP95Ms: 60,
    coldP50Ms: 500,
    coldP95Ms: 600,
    cachedP50Ms: 1,
    cachedP95Ms: 2,
    warmToBinary: limit,
  })),
  throughput: [{ chart: 'trivial', renders: 100, rendersASecond: 200 }],
  memory: [
    { renders: 1_000, rssMiB: 300, linearMiB: 150 },
    { renders: 2_000, rssMiB: 500, linearMiB: 200 },
    { renders: 3_000, rssMiB: 525, linearMiB: 220 },
    { renders: 4_000, rssMiB: 510, linearMiB: 210 },
  ],
  monorepo: {
    applications: 12,
    wronglyAffected: 0,
    unchangedP50Ms: 0.1,
    unchangedP95Ms: 0.2,
    changeOneP95Ms: 300,
    sameFolderBuilds: 1,
    peakRssMiB: 900,
  },
  commits: [],
};

function valuesOf(figures: RenderFigures): ReadonlyMap<string, number> {
  return new Map(goalsOf(figures).map(({ name, value }) => [name, value]));
}

test('each chart and overlay has its own limit, and all goals are met at theirs', () => {
  const missed = goalsOf(FIGURES).filter(({ met }) => !met);

  assert.deepEqual(
    missed.map(({ name, value }) => `${name} ${value}`),
    ['memory: linear, second half of the renders ÷ first 1.1'],
  );
});

test('memory is the most of the second half of the renders, against the most of the first', () => {
  assert.equal(valuesOf(FIGURES).get('memory: RSS, second half of the renders ÷ first'), 1.05);
});

test('samples count where there are any', () => {
  const goals = goalsOf({ ...FIGURES, samples: { cases: 48, differing: 1 } });

  assert.equal(goals.length, goalsOf(FIGURES).length + 1);
  assert.equal(goals.find(({ name }) => name === 'samples that differ')?.met, false);
});
