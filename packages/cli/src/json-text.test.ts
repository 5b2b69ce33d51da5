import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonText } from './json-text.ts';

test('JSON keeps the value and shows such characters as escapes', () => {
  const text = jsonText({ a: 'x\u202ey\u009b' });

  assert.equal(text, '{"a":"x\\u202ey\\u009b"}');
  assert.deepEqual(JSON.parse(text), { a: 'x\u202ey\u009b' });
});
