import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalsOf, type PlanFigures } from './plan.ts';

const COMMAND = { seconds: 0.9, firstOutputSeconds: 0.8, requests: 10, dryRuns: 0, changes: 0 } as const;
const FIGURES: PlanFigures = {
  count: 1_000,
  none: COMMAND,
  one: COMMAND,
  changed: { ...COMMAND, dryRuns: 100, changes: 100 },
  workingCopy: COMMAND,
};

test('plans are held against seconds, and against dry-runs of what changed', () => {
  assert.ok(goalsOf(FIGURES).every(({ met }) => met));
});

test('a dry-run of what has not changed misses a goal', () => {
  const goals = goalsOf({
    ...FIGURES,
    none: { ...COMMAND, dryRuns: 1 },
    changed: { ...COMMAND, dryRuns: 2_000, changes: 100 },
  });

  assert.deepEqual(
    goals.flatMap(({ name, met }) => (met ? [] : name)),
    ['nothing changed: dry-runs', '100 changed: dry-runs an object that changed'],
  );
});
