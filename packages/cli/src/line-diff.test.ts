import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lineDiff } from './line-diff.ts';

test('lines that differ stand together with their numbers', () => {
  assert.deepEqual(lineDiff('a\nb\nc\n', 'a\nx\nc\n'), [{ before: 2, after: 2, removed: ['b'], added: ['x'] }]);
  assert.deepEqual(lineDiff('a\nb\nc\nd\n', 'a\nb1\nc\nd\ne\n'), [
    { before: 2, after: 2, removed: ['b'], added: ['b1'] },
    { before: 5, after: 5, removed: [], added: ['e'] },
  ]);
  assert.deepEqual(lineDiff('', 'a\n'), [{ before: 1, after: 1, removed: [], added: ['a'] }]);
  assert.deepEqual(lineDiff('a\n', 'a\n'), []);
});

test('what is put in and taken out makes the one text of the other', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
    .map((lines) => lines.map((line) => `${line}\n`).join(''));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = before.split('\n').slice(0, -1);
      for (const { before: at, removed, added } of lineDiff(before, after).toReversed()) {
        assert.deepEqual(lines.splice(at - 1, removed.length, ...added), removed);
      }
      assert.equal(lines.map((line) => `${line}\n`).join(''), after);
    }),
  );
});
