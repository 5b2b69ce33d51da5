import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RENDERERS, type Json, type RendererName } from '@plumb/core';
import { memoryTree } from '@plumb/test-support';
import fc from 'fast-check';
import { renderKey, seedOf } from './render-key.ts';
import type { RenderRequest } from './request.ts';

const REQUEST: RenderRequest = {
  tree: memoryTree({}),
  path: 'app',
  release: 'demo',
  namespace: 'shop',
  signal: new AbortController().signal,
};

/** Another value for each input that is not the tree. */
const CHANGES = {
  path: { path: 'other' },
  release: { release: 'other' },
  namespace: { namespace: 'other' },
  values: { values: { a: 1 } },
  valuesFiles: { valuesFiles: ['v.yaml'] },
  layers: { layers: [{ path: 'v.yaml', text: 'a: 1' }] },
  set: { set: ['a=1'] },
  setString: { setString: ['a=1'] },
  seed: { seed: 'x' },
  environment: { environment: 'prod' },
  include: { include: ['*.yaml'] },
  exclude: { exclude: ['*.yaml'] },
  helm: { helm: { skipCRDs: true } },
  chart: { chart: { name: 'c', version: '1', digest: 'sha256:1', bytes: new Uint8Array() } },
  kustomize: { kustomize: { images: [{ name: 'a', newTag: 'b' }] } },
} satisfies Record<string, Partial<RenderRequest>>;

const TEMPLATED = ['release', 'namespace', 'values', 'valuesFiles', 'layers', 'set', 'setString', 'seed'];

/** What each renderer looks at. */
const COUNTS: Readonly<Record<RendererName, readonly string[]>> = {
  plain: ['path', 'include', 'exclude'],
  values: ['path', ...TEMPLATED, 'environment', 'include', 'exclude'],
  helm: ['path', ...TEMPLATED, 'helm', 'chart'],
  kustomize: ['path', 'kustomize'],
};

test('an input counts for a renderer that looks at it, and for no other', () => {
  for (const renderer of RENDERERS) {
    const key = renderKey(renderer, REQUEST);
    const counting = Object.entries(CHANGES).filter(
      ([, change]) => renderKey(renderer, { ...REQUEST, ...change }) !== key,
    );

    assert.deepEqual(counting.map(([name]) => name).toSorted(), COUNTS[renderer].toSorted(), renderer);
  }
});

test('renderers share no key', () => {
  assert.equal(new Set(RENDERERS.map((renderer) => renderKey(renderer, REQUEST))).size, RENDERERS.length);
});

test('what the tree, the time and the owner are does not count', () => {
  const change = { tree: memoryTree({ a: 'b' }), nowMs: 5, owner: 'x', signal: new AbortController().signal };

  assert.equal(renderKey('helm', { ...REQUEST, ...change }), renderKey('helm', REQUEST));
});

test('the order in which values were written does not count, that of lists and of --set does', () => {
  const reversed = (value: Json): Json =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .toReversed()
            .map(([key, item]) => [key, reversed(item)]),
        )
      : value;

  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (values) => {
      const some = values as Readonly<Record<string, Json>>;
      const other = reversed(some) as Readonly<Record<string, Json>>;
      assert.equal(renderKey('helm', { ...REQUEST, values: other }), renderKey('helm', { ...REQUEST, values: some }));
    }),
  );
  const key = (set: readonly string[]) => renderKey('helm', { ...REQUEST, set });
  assert.notEqual(key(['a=1', 'a=2']), key(['a=2', 'a=1']));
  assert.notEqual(
    renderKey('helm', { ...REQUEST, values: { a: [1, 2] } }),
    renderKey('helm', { ...REQUEST, values: { a: [2, 1] } }),
  );
});

test('one text cannot be taken for two', () => {
  const key = (change: Partial<RenderRequest>) => renderKey('helm', { ...REQUEST, ...change });

  assert.notEqual(key({ set: ['a=1', 'b=2'] }), key({ set: ['a=1,b=2'] }));
  assert.notEqual(key({ release: 'a', namespace: 'b-c' }), key({ release: 'a-b', namespace: 'c' }));
  assert.notEqual(key({ set: ['a=1'] }), key({ setString: ['a=1'] }));
});

test('randomness is drawn from the inputs, or from the seed that is given', () => {
  assert.equal(seedOf(REQUEST), seedOf({ ...REQUEST, nowMs: 7 }));
  assert.notEqual(seedOf(REQUEST), seedOf({ ...REQUEST, release: 'other' }));
  assert.equal(seedOf({ ...REQUEST, seed: 'mine' }), 'mine');
});
