import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isBearer } from './same-secret.ts';

test('only the very token is borne, and no token by nobody', () => {
  assert.equal(isBearer('Bearer correct horse', 'correct horse'), true);
  assert.equal(isBearer('bearer correct horse', 'correct horse'), true);
  for (const header of [undefined, '', 'Bearer ', 'Bearer correct', 'Basic correct horse', 'correct horse']) {
    assert.equal(isBearer(header, 'correct horse'), false);
    assert.equal(isBearer(header, ''), false);
  }
  fc.assert(fc.property(fc.string(), (token) => assert.equal(isBearer(`Bearer ${token}x`, token), false)));
});
