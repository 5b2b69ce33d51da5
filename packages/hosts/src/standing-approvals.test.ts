import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commitAt, standingApprovals, type Review } from './standing-approvals.ts';

function review(login: string, verdict: Review['verdict'], atMs = 0): Review {
  return { user: { id: login, name: login }, verdict, commit: undefined, atMs };
}

test('the last verdict of each user counts, and a remark changes none', () => {
  const reviews = [
    review('a', 'approved'),
    review('b', 'refused'),
    review('a', 'other'),
    review('b', 'approved'),
    review('c', 'approved'),
    review('c', 'refused'),
  ];

  assert.deepEqual(
    standingApprovals(reviews).map(({ user }) => user.id),
    ['a', 'b'],
  );
});

test('nobody approves twice, and who refused last does not approve', () => {
  const any = fc.record({
    user: fc.constantFrom('a', 'b', 'c'),
    verdict: fc.constantFrom<Review['verdict']>('approved', 'refused', 'other'),
  });

  fc.assert(
    fc.property(fc.array(any, { maxLength: 20 }), (given) => {
      const approving = standingApprovals(given.map(({ user, verdict }) => review(user, verdict))).map(
        ({ user }) => user.id,
      );
      assert.equal(new Set(approving).size, approving.length);
      for (const user of ['a', 'b', 'c']) {
        const last = given.findLast((one) => one.user === user && one.verdict !== 'other');
        assert.equal(approving.includes(user), last?.verdict === 'approved');
      }
    }),
  );
});

test('what was approved is the newest commit of that time, and unknown before the first and without a time', () => {
  const pushes = [
    { commit: 'second', atMs: 20 },
    { commit: 'first', atMs: 10 },
  ];

  assert.deepEqual(
    [5, 10, 15, 20, 99, undefined].map((atMs) => commitAt(pushes, atMs)),
    [undefined, 'first', 'first', 'second', 'second', undefined],
  );
});
