import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneLine, printable } from './printable.ts';

test('control, bidirectional and zero-width characters are removed', () => {
  assert.equal(printable('a\u001b[2Jb\u0007\u202ec\u200bd\u009b'), 'a[2Jbcd');
});

test('lines stay in a text and become spaces in a cell', () => {
  assert.equal(printable('a\r\nb\tc'), 'a\nb\tc');
  assert.equal(oneLine(' a\r\n  b\tc\n'), 'a b c');
});
