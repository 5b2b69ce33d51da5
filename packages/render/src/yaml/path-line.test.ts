import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathLine, valueAt } from './path-line.ts';

const TEXT = `# values
image:
  # which one
  tag: "1"
"quoted key": {a: 1}
list:
- name: a
-
  name: b
`;

test('a value has the line of its key, and an item of a list its own', () => {
  assert.equal(pathLine(TEXT, 'x', ['image']), 2);
  assert.equal(pathLine(TEXT, 'x', ['image', 'tag']), 4);
  assert.equal(pathLine(TEXT, 'x', ['quoted key', 'a']), 5);
  assert.equal(pathLine(TEXT, 'x', ['list', '1', 'name']), 9);
});

test('of a path that leads to nothing, the last step that is there counts', () => {
  assert.equal(pathLine(TEXT, 'x', ['image', 'none', 'deeper']), 2);
  assert.equal(pathLine(TEXT, 'x', ['none']), undefined);
  assert.equal(pathLine(TEXT, 'x', []), undefined);
  assert.equal(pathLine('', 'x', ['a']), undefined);
  assert.equal(pathLine('a: [', 'x', ['a']), undefined);
});

test('values are found by keys and indices, and by nothing that is inherited', () => {
  assert.equal(valueAt({ a: [{ b: 1 }] }, ['a', '0', 'b']), 1);
  assert.equal(valueAt({ a: 1 }, ['toString']), undefined);
  assert.equal(valueAt(undefined, ['a']), undefined);
});
