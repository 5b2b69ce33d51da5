import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDuration } from './duration.ts';

test('a duration is read in hours, minutes and seconds', () => {
  assert.equal(parseDuration('10s'), 10_000);
  assert.equal(parseDuration('5m'), 300_000);
  assert.equal(parseDuration('1h30m'), 5_400_000);
  assert.equal(parseDuration('0s'), 0);
});

test('a duration without a unit, with a sign, a fraction, days or an absurd size is not one', () => {
  const texts = [
    '',
    '0',
    '10',
    '1d',
    '-5s',
    '+5s',
    '1.5h',
    '1e9h',
    '9223372036854775808ns',
    '1m1h',
    ' 1s',
    '1s\n',
    '٣s',
  ];

  assert.deepEqual(
    texts.filter((text) => parseDuration(text) !== undefined),
    [],
  );
});

test('any text gives an exact non-negative number of milliseconds or undefined', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9hms]{0,12}$/)), (text) => {
      const milliseconds = parseDuration(text);

      assert.ok(milliseconds === undefined || (Number.isSafeInteger(milliseconds) && milliseconds >= 0));
    }),
  );
});
