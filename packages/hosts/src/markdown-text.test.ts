import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fenceFor, plainLine, plainLink, plainName } from './markdown-text.ts';

const hostile = fc
  .array(fc.constantFrom('`', '``', '```', '\n', ' ', 'a', '\u202e', '\u200b', '\ud800', '<', '@', '😀'))
  .map((parts) => parts.join(''));

test('a fence is longer than any run of backticks in what it holds', () => {
  fc.assert(
    fc.property(fc.array(hostile), (lines) => {
      const fence = fenceFor(lines);
      assert.match(fence, /^`{3,}$/);
      assert.ok(lines.every((line) => !line.includes(fence)));
    }),
  );
});

test('text from outside stays on one line and keeps what can be seen', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const line = plainLine(text);
      assert.doesNotMatch(line, /[\n\r\u200b\u202e]/);
      assert.ok(line.isWellFormed());
    }),
  );
  assert.equal(plainLine('  Größe\n→  2\u202e0\u00ad1 '), 'Größe → 201');
});

test('names of Kubernetes pass unchanged, and nothing that Markdown reads passes at all', () => {
  assert.equal(plainName('team-a/checkout.v2'), 'team-a/checkout.v2');
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => /^[A-Za-z0-9._/+-]*$/.test(plainName(text))));
});

test('a plain address is a link, and nothing else', () => {
  assert.equal(plainLink('https://plumb.example/plans/1?tab=prod#x'), 'https://plumb.example/plans/1?tab=prod#x');
  for (const text of [
    'javascript:1',
    'https://u@x.example/',
    'https://x.example/(a)',
    'https://x.example/a b*',
    undefined,
  ]) {
    assert.equal(plainLink(text), undefined, text);
  }
});
