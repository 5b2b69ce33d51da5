import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakerLimit, whyTripped } from './breaker.ts';

test('D1: all applications together may delete a fiftieth of the cluster, and never fewer than 25', () => {
  assert.deepEqual([0, 100, 1_250, 20_000].map(breakerLimit), [25, 25, 25, 400]);
});

test('D1: a set that does not fit any more waits, and says what is used up', () => {
  const facts = { limit: 25, used: 20, waitMsFor: () => 1 };

  assert.equal(whyTripped(5, facts), undefined);
  assert.match(whyTripped(6, facts) ?? '', /may delete 25 objects in 10 minutes .* 20 of these are used up/);
});
