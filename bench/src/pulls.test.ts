import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goalsOf, type PullRow } from './pulls.ts';

const ROW: PullRow = {
  deliveries: 'all at once',
  commentP50: 1,
  commentP95: 2,
  commentMax: 40,
  statusP50: 1,
  statusP95: 31,
  statusMax: 40,
  hostRequests: 6,
  apiRequests: 5,
};

test('comment and statuses are held against 30 seconds, by what all but one in twenty stay below', () => {
  const goals = goalsOf({ count: 30, pulls: [ROW, { ...ROW, deliveries: 'one after another', statusP95: 30 }] });

  assert.deepEqual(
    goals.map(({ name, met }) => `${name} ${met}`),
    [
      'all at once: p95 to the comment true',
      'all at once: p95 to the statuses false',
      'one after another: p95 to the comment true',
      'one after another: p95 to the statuses true',
    ],
  );
});
