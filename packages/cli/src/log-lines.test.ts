import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPrintable } from '@plumb/core';
import fc from 'fast-check';
import { logLines } from './log-lines.ts';

async function linesOf(...chunks: readonly Uint8Array[]): Promise<readonly string[]> {
  return Array.fromAsync(
    logLines(
      (async function* () {
        yield* chunks;
      })(),
    ),
  );
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('B69: sequences that colour, move, clear or set the title never reach a terminal', async () => {
  const lines = await linesOf(
    bytes('\u001b[31mred\u001b[0m and \u001b[2J\u001b[Hclear\n'),
    bytes('\u001b]0;title\u0007after\r\n'),
    bytes('\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\\n'),
    bytes('\u202egnp.exe\n\u0000nul\u009b31m\n'),
  );

  assert.deepEqual(lines, ['red and clear', 'after', 'link', 'gnp.exe', 'nul31m']);
});

test('lines and characters that are cut anywhere are put together again, and the last one needs no end', async () => {
  const whole = bytes('naïve ✓\nlast');
  const each = [...whole].map((byte) => Uint8Array.of(byte));

  assert.deepEqual(await linesOf(...each), ['naïve ✓', 'last']);
});

test('a line without end does not fill the memory', async () => {
  const lines = await linesOf(bytes('x'.repeat(200_000)));

  assert.ok(lines.every(({ length }) => length <= 65_536));
  assert.equal(lines.join('').length, 200_000);
});

test('whatever a container writes, what is shown is printable', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 })), async (chunks) => {
      for (const line of await linesOf(...chunks)) assert.ok(isPrintable(line) && !line.includes('\n'));
    }),
  );
});
