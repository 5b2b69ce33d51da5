import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from './revision-range.ts';

test('two dots stand between two revisions; nothing after them, or no dots, is the working copy', () => {
  assert.deepEqual(parseRange('main..feature/x'), { from: 'main', to: 'feature/x' });
  assert.deepEqual(parseRange('v1.2..HEAD~1'), { from: 'v1.2', to: 'HEAD~1' });
  assert.deepEqual(parseRange('main..'), { from: 'main', to: undefined });
  assert.deepEqual(parseRange('main'), { from: 'main', to: undefined });
});

test('three dots and a missing start are refused, with what to write', () => {
  for (const text of ['main...feature', 'main...', '..main', '..', '']) {
    assert.throws(() => parseRange(text), { code: 'Usage', fix: /^Write A\.\./ }, text);
  }
});
