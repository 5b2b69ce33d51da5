import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.ts';

test('gives the same lines however the stream is cut into chunks', () => {
  const line = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\n'));

  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(20)), (lines, sizes) => {
      const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(''));
      const splitter = new LineSplitter(1 << 20);
      const out: string[] = [];
      let at = 0;
      for (const size of [...sizes, bytes.length]) {
        for (const part of splitter.push(bytes.subarray(at, at + size))) out.push(part.toString());
        at = Math.min(bytes.length, at + size);
      }

      assert.deepEqual(
        out,
        lines.map((text) => Buffer.from(text).toString()),
      );
    }),
  );
});

test('leaves out empty lines and keeps an unfinished one back', () => {
  const splitter = new LineSplitter(100);

  const lines = splitter.push(Buffer.from('\n\na\n\nb'));

  assert.deepEqual(lines.map(String), ['a']);
  assert.deepEqual(splitter.push(Buffer.from('c\n')).map(String), ['bc']);
});

test('refuses a line that does not end', () => {
  const splitter = new LineSplitter(10);
  splitter.push(Buffer.from('12345678'));

  assert.throws(() => splitter.push(Buffer.from('9ab')), { code: 'ResponseInvalid' });
});
