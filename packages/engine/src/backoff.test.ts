import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('each attempt doubles the pause, up to the longest', () => {
  const range = { firstMs: 500, longestMs: 15_000 };

  assert.deepEqual(
    [1, 2, 3, 5, 6, 7, 5_000].map((attempts) => backoffMs(attempts, range)),
    [500, 1_000, 2_000, 8_000, 15_000, 15_000, 15_000],
  );
});

test('without a range the pauses run from two seconds to five minutes', () => {
  assert.equal(backoffMs(1), 2_000);
  assert.equal(backoffMs(100), 300_000);
});
