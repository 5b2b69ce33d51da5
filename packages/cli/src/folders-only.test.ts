import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryTree } from '@plumb/test-support';
import { foldersOnly } from './folders-only.ts';

const call = { signal: new AbortController().signal };
const TREE = memoryTree({
  'a/over/k.yaml': 'k',
  'a/base/cm.yaml': 'cm',
  'a/secret.yaml': 's',
  'b/deep/x.yaml': 'x',
  'root.yaml': 'r',
});

test('only the named folders are there, and the ones above that lead to them', async () => {
  const tree = foldersOnly(TREE, ['a/over', 'a/base', 'a/base/inner']);

  for (const path of ['', 'a', 'a/over', 'a/base']) {
    assert.deepEqual(await tree.find(path, call), { mode: 'folder' }, path);
  }
  assert.equal((await tree.find('a/base/cm.yaml', call))?.mode, 'file');
  for (const path of ['a/secret.yaml', 'b', 'b/deep/x.yaml', 'root.yaml', 'a/overly']) {
    assert.equal(await tree.find(path, call), undefined, path);
  }
});

test('a listing leaves out what is out of sight, and an id follows only what can be seen', async () => {
  const tree = foldersOnly(TREE, ['a/over', 'a/base']);
  const other = foldersOnly(memoryTree({ 'a/over/k.yaml': 'k', 'a/base/cm.yaml': 'cm', 'a/secret.yaml': 'new' }), [
    ...['a/over', 'a/base'],
  ]);

  const entries = await tree.entries('', call);

  assert.deepEqual(
    entries.map(({ path }) => path),
    ['a/base/cm.yaml', 'a/over/k.yaml'],
  );
  assert.deepEqual(await tree.entries('a/base', call), await TREE.entries('a/base', call));
  assert.deepEqual(await tree.entries('b', call), []);
  assert.equal(await tree.treeId('a', call), await other.treeId('a', call));
  assert.equal(await tree.treeId('b', call), undefined);
});

test('a root that is named itself hides nothing', async () => {
  const tree = foldersOnly(TREE, ['', 'a/base']);

  assert.deepEqual(await tree.entries('', call), await TREE.entries('', call));
  assert.equal(await tree.treeId('', call), await TREE.treeId('', call));
});
