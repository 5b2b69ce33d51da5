import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalsOf, type DriftFigures } from './drift.ts';

const SPREAD = { p50: 0.1, p95: 0.2, max: 0.3 };
const FIGURES: DriftFigures = {
  count: 1_000,
  drifts: 70,
  detected: SPREAD,
  healed: SPREAD,
  requestsPerHealed: 3,
  requestsByVerb: {},
  writesWithoutDrift: 0,
  attributed: 70,
  idleSeconds: 600,
  idleRequests: 0,
};

test('drift is held against seconds, requests, writes that nobody asked for, and authors', () => {
  assert.ok(goalsOf(FIGURES).every(({ met }) => met));
  const missed = goalsOf({
    ...FIGURES,
    writesWithoutDrift: 1,
    attributed: 69,
    idleRequests: 1,
    requestsPerHealed: 3.1,
  });
  assert.deepEqual(
    missed.flatMap(({ name, met }) => (met ? [] : name)),
    ['requests a healed object', 'writes without a drift', 'drifts told as whose they are not', 'idle: requests'],
  );
});
