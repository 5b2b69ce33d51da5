import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GroupCommit } from './group-commit.ts';

/** A transaction over a list of rows: what the work added is taken back when it throws. */
function rowsWithTransactions() {
  const rows: string[] = [];
  let transactions = 0;
  const commits = new GroupCommit((work) => {
    transactions += 1;
    const before = rows.length;
    try {
      return work();
    } catch (thrown) {
      rows.length = before;
      throw thrown;
    }
  });
  const add = (row: string) =>
    commits.run(() => {
      rows.push(row);
      if (row.startsWith('bad')) throw new Error(row);
      return rows.length;
    });
  return { rows, commits, add, transactions: () => transactions };
}

test('what is asked for in one turn is committed together, in order', async () => {
  const { rows, add, transactions } = rowsWithTransactions();

  const answers = await Promise.all([add('a'), add('b'), add('c')]);

  assert.deepEqual(rows, ['a', 'b', 'c']);
  assert.deepEqual(answers, [1, 2, 3]);
  assert.equal(transactions(), 1);
});

test('one that fails takes nothing from the others', async () => {
  const { rows, add } = rowsWithTransactions();

  const answers = await Promise.allSettled([add('a'), add('bad'), add('c')]);

  assert.deepEqual(rows, ['a', 'c']);
  assert.deepEqual(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
});

test('flushing commits at once what is pending', async () => {
  const { rows, add, commits } = rowsWithTransactions();
  const answer = add('a');

  commits.flush();

  assert.deepEqual(rows, ['a']);
  assert.equal(await answer, 1);
});
