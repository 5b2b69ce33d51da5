import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inputsKey, type RenderInputs } from './inputs-key.ts';

const inputs: RenderInputs = { release: 'a', namespace: 'b', environment: 'prod', values: { x: 1, y: { a: 1, b: 2 } } };

test('the same inputs have the same key, whatever the order they are written in', () => {
  const reordered: RenderInputs = {
    values: { y: { b: 2, a: 1 }, x: 1 },
    environment: 'prod',
    namespace: 'b',
    release: 'a',
  };

  assert.equal(inputsKey(reordered), inputsKey(inputs));
});

test('every input changes the key', () => {
  const changes: readonly Partial<RenderInputs>[] = [
    { release: 'b' },
    { namespace: 'a' },
    { environment: undefined },
    { values: { x: 2 } },
    { valuesFiles: ['x'] },
    { set: ['x'] },
    { include: ['x'] },
    { exclude: ['x'] },
    { seed: 'x' },
    { nowMs: 1 },
  ];

  const keys = new Set([inputs, ...changes.map((change) => ({ ...inputs, ...change }))].map(inputsKey));

  assert.equal(keys.size, changes.length + 1);
});
