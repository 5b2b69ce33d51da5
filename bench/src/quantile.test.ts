import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quantile, spreadOf } from './quantile.ts';

test('a quantile is one of the values, and that share of them is not above it', () => {
  const values = Array.from({ length: 20 }, (_, index) => 20 - index);

  assert.deepEqual(spreadOf(values), { p50: 10, p95: 19 });
  assert.equal(quantile(values, 1), 20);
  assert.equal(quantile(values, 0), 1);
  assert.equal(quantile([7], 0.95), 7);
});

test('numbers are sorted as numbers, and the list itself stays as it is', () => {
  const values = [10, 9, 100];

  assert.equal(quantile(values, 1), 100);
  assert.deepEqual(values, [10, 9, 100]);
});

test('nothing measured is no number', () => {
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test('whatever is measured, the middle is not above what nearly all stay below', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0 }), { minLength: 1 }), (values) => {
      const { p50, p95 } = spreadOf(values);
      assert.ok(p50 <= p95 && values.includes(p50) && values.includes(p95));
      assert.ok(values.filter((value) => value <= p95).length >= 0.95 * values.length);
    }),
  );
});
