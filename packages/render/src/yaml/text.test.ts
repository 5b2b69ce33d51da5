import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { decodeText } from './text.ts';

function errorOf(bytes: Uint8Array): PlumbError {
  try {
    decodeText(bytes, 'a.yaml');
  } catch (thrown) {
    if (thrown instanceof PlumbError) return thrown;
    throw thrown;
  }
  return assert.fail('the bytes were read');
}

test('invalid UTF-8 and NUL name the byte and the line (B11)', () => {
  const invalid = errorOf(Buffer.concat([Buffer.from('a: é\nb: '), Buffer.from([0xff]), Buffer.from('x\n')]));
  const nul = errorOf(Buffer.from('a: é\nb: \0\n'));
  const cut = errorOf(Buffer.concat([Buffer.from('ab'), Buffer.from([0xe2, 0x82])]));

  assert.deepEqual(
    [invalid.code, invalid.where?.line, invalid.message],
    ['Encoding', 2, 'a.yaml is not UTF-8: byte 9'],
  );
  assert.deepEqual([nul.code, nul.where?.line, nul.message], ['Encoding', 2, 'a.yaml holds a NUL: byte 9']);
  assert.equal(cut.message, 'a.yaml is not UTF-8: byte 3'); // it ends inside a character
});

test('UTF-16 with a byte order mark is read, and so is UTF-8 with one (B11)', () => {
  const text = 'a: é😀\n';
  const little = Buffer.from(`\ufeff${text}`, 'utf16le');
  const big = Buffer.from(little).swap16();

  assert.equal(decodeText(little, 'a.yaml'), text);
  assert.equal(decodeText(big, 'a.yaml'), text);
  assert.equal(decodeText(Buffer.from(`\ufeff${text}`), 'a.yaml'), text);
  assert.equal(errorOf(little.subarray(0, -1)).code, 'Encoding');
});

test('a file above 10 MiB is refused (B13)', () => {
  assert.equal(errorOf(new Uint8Array(11 * 1024 * 1024)).code, 'FileTooLarge');
  assert.equal(decodeText(new Uint8Array(10 * 1024 * 1024).fill(0x20), 'a.yaml').length, 10 * 1024 * 1024);
});
