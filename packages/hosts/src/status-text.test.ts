import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut, shortKey, statusDescription } from './status-text.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 300 });

test('a text is cut within the limit and never inside a character, and only where it is longer', () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 200 }), (given, max) => {
      const short = cut(given, max);
      assert.ok(short.length <= max && short.isWellFormed());
      assert.equal(short === given, given.length <= max);
    }),
  );
  assert.ok(statusDescription('a\n b'.repeat(100)).length <= 140);
  assert.equal(statusDescription(' 1 to change,\n\t2 unchanged '), '1 to change, 2 unchanged');
});

test('a key keeps to the limit and differs where the name does', () => {
  fc.assert(
    fc.property(text, text, (left, right) => {
      assert.ok(shortKey(left, 40).length <= 40);
      assert.equal(shortKey(left, 40) === shortKey(right, 40), left === right);
    }),
  );
  assert.equal(shortKey('plumb/plan/prod', 40), 'plumb/plan/prod');
});
