import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TreeCache } from './tree-cache.ts';
import type { Tree } from './tree.ts';

function treeOf(items: number): Tree {
  const names = Array.from({ length: items }, (_, index) => [`f${index}`, { mode: 'file', oid: '0' }] as const);
  return { items: new Map(names), isUtf8: true };
}

test('what was read since the last half of the bound was filled is still there', () => {
  const cache = new TreeCache(20);
  const used = treeOf(1);
  cache.set('used', used);
  for (let at = 0; at < 50; at += 1) {
    cache.set(`other-${at}`, treeOf(1));
    assert.equal(cache.get('used'), used);
  }

  assert.equal(cache.get('other-0'), undefined);
  assert.notEqual(cache.get('other-49'), undefined);
});

test('a folder larger than the bound is kept until the next one comes', () => {
  const cache = new TreeCache(4);
  const large = treeOf(100);
  cache.set('large', large);
  assert.equal(cache.get('large'), large);

  cache.set('a', treeOf(1));
  cache.set('b', treeOf(1));
  assert.equal(cache.get('large'), undefined);
});

test('whatever is asked for in whatever order, an answer is right and the bound is held', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: 30 })), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (asked) => {
      const cache = new TreeCache(40);
      const trees = Array.from({ length: 31 }, (_, at) => treeOf(at % 7));
      for (const [isSet, at] of asked) {
        const tree = trees[at] ?? assert.fail('there is no such tree');
        if (isSet) cache.set(String(at), tree);
        const found = cache.get(String(at));
        if (isSet || found !== undefined) assert.equal(found, tree);
      }
      const kept = trees.filter((_, at) => cache.get(String(at)) !== undefined);
      const items = kept.reduce((sum, tree) => sum + tree.items.size + 1, 0);
      assert.ok(items <= 40, `${items} items`);
    }),
  );
});
