import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseQuantity, roundToMilli } from './quantity.ts';

test('one amount has one number, however it is spelled', () => {
  for (const same of [
    ['1', '1000m', '1.0', '+1', '1e0', '0.001k', '1.'],
    ['1Gi', '1024Mi', '1048576Ki', '1073741824'],
    ['0.5', '500m', '.5', '5e-1', '500000u'],
    ['1.5Gi', '1536Mi'],
    ['0', '0m', '-0', '0Gi'],
    ['-1500m', '-1.5'],
    ['1E', '1e18', '1000P'],
  ]) {
    assert.equal(new Set(same.map(parseQuantity)).size, 1, same.join(' '));
  }
});

test('other amounts have other numbers', () => {
  assert.notEqual(parseQuantity('1G'), parseQuantity('1Gi'));
  assert.notEqual(parseQuantity('1'), parseQuantity('1m'));
});

test('what is no quantity has no number', () => {
  for (const text of ['', 'Gi', '1gi', '1 Gi', '1.2.3', '0x10', 'NaN', '1e', '1e999999999', '--1', '.']) {
    assert.equal(parseQuantity(text), undefined, text);
  }
});

test('finer than the server keeps is rounded up', () => {
  const number = parseQuantity('1.0001');

  assert.equal(number === undefined ? undefined : roundToMilli(number), parseQuantity('1001m'));
  assert.equal(parseQuantity('0.1n'), 1n);
});

test('any whole number of thousandths is the same with and without the suffix', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }), (milli) => {
      const sign = milli < 0 ? '-' : '';
      const digits = String(Math.abs(milli)).padStart(4, '0');
      const decimal = `${sign}${digits.slice(0, -3)}.${digits.slice(-3)}`;

      assert.equal(parseQuantity(`${milli}m`), parseQuantity(decimal));
    }),
  );
});

test('any text is read or refused, and never thrown at', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseQuantity(text)));
});
