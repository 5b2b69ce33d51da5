import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeValues } from './values.ts';

test('values are merged by key; lists and null replace', () => {
  assert.deepEqual(mergeValues({ a: { b: 1, c: [1, 2] }, d: 4 }, { a: { c: [3] }, d: null }), {
    a: { b: 1, c: [3] },
    d: null,
  });
  assert.deepEqual(mergeValues(undefined, { a: 1 }), { a: 1 });
  assert.equal(mergeValues(undefined, undefined), undefined);
});
