import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { SourceTree } from '@plumb/core';
import { memoryTree } from '@plumb/test-support';
import { mergedTree } from './merged-tree.ts';

const call = { signal: new AbortController().signal };

type Files = Readonly<Record<string, string>>;

test('what the base has got since stays, and what the branch has changed counts', async () => {
  const base = { 'a/one': 'old', 'a/gone': 'x', 'b/two': 'newer', 'b/three': 'since' };
  const head = { 'a/one': 'new', 'a/added': 'y', 'b/two': 'old' };

  const merged = mergedTree(memoryTree(base), memoryTree(head), ['a/one', 'a/gone', 'a/added']);

  assert.deepEqual(await filesOf(merged), { 'a/added': 'y', 'a/one': 'new', 'b/three': 'since', 'b/two': 'newer' });
  assert.equal(await merged.find('a/gone', call), undefined);
  assert.equal(await merged.treeId('b', call), await memoryTree(base).treeId('b', call));
  assert.notEqual(await merged.treeId('a', call), await memoryTree(base).treeId('a', call));
});

test('a folder that the branch empties, or puts a file in place of, is gone', async () => {
  const base = memoryTree({ 'a/one': 'x', 'b/two': 'x', c: 'x' });

  const emptied = mergedTree(base, memoryTree({ 'b/two': 'x', c: 'x' }), ['a/one']);
  const turned = mergedTree(base, memoryTree({ a: 'file', 'b/two': 'x', c: 'x' }), ['a', 'a/one']);

  assert.equal(await emptied.find('a', call), undefined);
  assert.equal(await emptied.treeId('a', call), undefined);
  assert.equal((await turned.find('a', call))?.mode, 'file');
  assert.equal(await turned.find('a/one', call), undefined);
});

/** Trees in which no file is where another one has a folder. */
const FILES = fc.dictionary(
  fc.constantFrom('one', 'a/one', 'a/two', 'a/b/one', 'c/one', 'c/d/one'),
  fc.constantFrom('x', 'y'),
  { noNullPrototype: true },
);

test('on top of an unmoved base it is the branch itself, whatever that changes', async () => {
  await fc.assert(
    fc.asyncProperty(FILES, FILES, async (before, after) => {
      const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
        (path) => before[path] !== after[path],
      );
      const head = memoryTree(after);

      const merged = mergedTree(memoryTree(before), head, changed);

      assert.deepEqual(await filesOf(merged), await filesOf(head));
      for (const path of ['one', 'a', 'a/b', 'a/b/one', './c/', 'c/d']) {
        assert.deepEqual(await merged.find(path, call), await head.find(path, call), path);
        assert.equal((await merged.treeId(path, call)) === undefined, (await head.treeId(path, call)) === undefined);
      }
    }),
  );
});

async function filesOf(tree: SourceTree): Promise<Files> {
  const entries = await tree.entries('', call);
  const bytes = await tree.read(entries, call);
  return Object.fromEntries(entries.map(({ path }, index) => [path, Buffer.from(bytes[index] ?? []).toString()]));
}
