import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetKey } from '@plumb/core';
import type { TargetMemory } from './target-memory.ts';
import { reportsOf } from './target-reports.ts';

const target = targetKey({ namespace: 'shop', application: 'web' });
const spec = { target, environment: '', namespace: 'shop' };

test('a status that is due while a release is under way does not say of it what was true of the one before', () => {
  const memory = {
    rest: { do: 'rest', state: 'Healthy' },
    restedOn: { revision: 'before', release: 1, inputs: 'a' },
    releasedCommit: 'now',
    release: 2,
    since: 0,
  } as TargetMemory;

  const [report] = reportsOf([spec], () => memory);

  assert.deepEqual([report?.rest.state, report?.revision, report?.release], ['Healthy', 'before', 1]);
});

test('of a target that has not come to rest yet nothing is said', () => {
  assert.deepEqual(
    reportsOf([spec], () => ({ rest: undefined }) as TargetMemory),
    [],
  );
  assert.deepEqual(
    reportsOf([spec], () => undefined),
    [],
  );
});
