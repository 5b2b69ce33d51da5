import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Json } from '../object.ts';
import { UNKNOWN, type ListType } from './kind-schema.ts';
import { mergeApplied } from './merge-applied.ts';

const NAMED: ListType = { form: 'list', relation: 'keyed', keys: ['name'], item: UNKNOWN };

function named(text: string): Json {
  return [...text].map((name) => ({ name }));
}

function merged(live: string, desired: string): string {
  const list = mergeApplied(named(live), named(desired), NAMED);
  return (list as readonly { readonly name: string }[]).map(({ name }) => name).join('');
}

test('the order of what is applied wins, and items of others stay between', () => {
  for (const [live, desired, result] of [
    ['ab', 'ab', 'ab'],
    ['ab', 'ba', 'ba'],
    ['axb', 'ab', 'axb'],
    ['axb', 'ba', 'xba'],
    ['xab', 'ab', 'xab'],
    ['ax', 'na', 'nax'],
    ['ab', 'anb', 'anb'],
    ['', 'ab', 'ab'],
    ['xy', '', 'xy'],
    ['abc', 'cab', 'cab'],
  ] as const) {
    assert.equal(merged(live, desired), result, `${live} + ${desired}`);
  }
});

test('a list that is applied with one key twice is taken as one value', () => {
  assert.equal(merged('ax', 'aa'), 'aa');
});

const letters = (from: string): fc.Arbitrary<string> =>
  fc.uniqueArray(fc.constantFrom(...from), { maxLength: 6 }).map((items) => items.join(''));

test('any two lists: every item is there once, what is applied is in its order, and others are in theirs', () => {
  fc.assert(
    fc.property(letters('abcdxyz'), letters('abcdef'), (live, desired) => {
      const result = merged(live, desired);
      const only = (text: string, of: string): string => [...text].filter((item) => of.includes(item)).join('');
      const others = [...live].filter((item) => !desired.includes(item)).join('');

      assert.equal(new Set(result).size, result.length);
      assert.equal(only(result, desired), desired);
      assert.equal(only(result, others), others);
      assert.equal(result.length, desired.length + others.length);
    }),
  );
});

test('any two lists: merging again changes nothing', () => {
  fc.assert(
    fc.property(letters('abcdxyz'), letters('abcdef'), (live, desired) => {
      const once = merged(live, desired);

      assert.equal(merged(once, desired), once);
    }),
  );
});
