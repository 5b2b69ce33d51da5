import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { memoryTree } from '@plumb/test-support';
import { followPath } from './follow-path.ts';

const { signal } = new AbortController();

const tree = memoryTree({
  'a/file': 'x',
  'a/b/deep': 'y',
  link: { link: 'a/file' },
  folder: { link: './a//b' },
  'a/up': { link: '../a/../link' },
  broken: { link: 'a/none' },
  'a/out': { link: '../../x' },
  absolute: { link: '/a/file' },
  'a/below': { link: 'out/x' },
  loop: { link: 'loop' },
  sub: { submodule: 'c'.repeat(40) },
  insub: { link: 'sub/x' },
});

function isError(code: string, file: string) {
  return (thrown: unknown) => thrown instanceof PlumbError && thrown.code === code && thrown.where?.file === file;
}

async function realPath(path: string): Promise<string | undefined> {
  return (await followPath(tree, path, { signal }))?.path;
}

test('a path is followed to where its content lies', async () => {
  assert.equal(await realPath('a/file'), 'a/file');
  assert.equal(await realPath('link'), 'a/file');
  assert.equal(await realPath('folder/deep'), 'a/b/deep');
  assert.equal(await realPath('a/up'), 'a/file');
  assert.deepEqual(await followPath(tree, '', { signal }), { mode: 'folder', path: '' });
  assert.deepEqual(await followPath(tree, 'folder', { signal }), { mode: 'folder', path: 'a/b' });
});

test('what leads to nothing is nothing', async () => {
  for (const path of ['none', 'a/none', 'a/file/below', 'broken', 'broken/x', 'link/x']) {
    assert.equal(await followPath(tree, path, { signal }), undefined, path);
  }
});

test('what leads out of the repository, in circles or into a submodule is told where it stands', async () => {
  await assert.rejects(realPath('a/out'), isError('SymlinkEscape', 'a/out'));
  await assert.rejects(realPath('a/below'), isError('SymlinkEscape', 'a/out'));
  await assert.rejects(realPath('absolute'), isError('SymlinkEscape', 'absolute'));
  await assert.rejects(realPath('loop'), isError('SymlinkLoop', 'loop'));
  await assert.rejects(realPath('sub'), isError('SubmoduleDisabled', 'sub'));
});

test('what lies in a submodule is not there', async () => {
  assert.equal(await realPath('insub'), undefined);
  assert.equal(await realPath('sub/x'), undefined);
});

test('every link on the way is told, with its target as it is written', async () => {
  const links: (readonly [string, string])[] = [];

  await followPath(tree, 'a/up', { signal, onLink: (...link) => links.push(link) });

  assert.deepEqual(links, [
    ['a/up', '../a/../link'],
    ['link', 'a/file'],
  ]);
});
