import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closest } from './name-suggestion.ts';

const verbs = ['status', 'plan', 'sync', 'render', 'history', 'version', 'up'];

const cases: readonly (readonly [string, string | undefined])[] = [
  ['statsu', 'status'],
  ['stauts', 'status'],
  ['Status', 'status'],
  ['pln', 'plan'],
  ['plann', 'plan'],
  ['snyc', 'sync'],
  ['rendr', 'render'],
  ['deploy', undefined],
  ['x', undefined],
  ['', undefined],
];

for (const [word, expected] of cases) {
  test(`"${word}" suggests ${expected ?? 'nothing'}`, () => {
    assert.equal(closest(word, verbs), expected);
  });
}

test('the nearest candidate wins, and the first of equals', () => {
  assert.equal(closest('Deploymant', ['Deployments', 'Deployment']), 'Deployment');
  assert.equal(closest('cat', ['car', 'can']), 'car');
});

test('a word suggests itself where it is a candidate', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.array(fc.string()), (word, others) => {
      const found = closest(word, [...others, word]);

      assert.equal(found?.toLowerCase(), word.toLowerCase());
    }),
  );
});
