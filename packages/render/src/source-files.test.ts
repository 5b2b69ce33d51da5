import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { memoryTree, type MemoryFiles } from '@plumb/test-support';
import { findSourceFile, listSourceFiles } from './source-files.ts';

const { signal } = new AbortController();

async function list(files: MemoryFiles, folder = 'a', excluded = ''): Promise<readonly string[]> {
  const found = await listSourceFiles(memoryTree(files), folder, (name) => name === excluded, { signal });
  return found.map(({ name, path }) => (`${folder}/${name}` === path ? name : `${name} → ${path}`));
}

function rejectsWith(code: string, file: string | undefined) {
  return (thrown: unknown) => thrown instanceof PlumbError && thrown.code === code && thrown.where?.file === file;
}

test('files below a folder are listed by name', async () => {
  assert.deepEqual(await list({ 'a/x.yaml': '', 'a/b/y.yaml': '', 'ab/z.yaml': '' }), ['b/y.yaml', 'x.yaml']);
});

test('links inside of the repository are followed, to files and to folders', async () => {
  const files = {
    'a/x.yaml': { link: '../shared/x.yaml' },
    'a/more': { link: '../shared/more' },
    'shared/x.yaml': 'x',
    'shared/more/y.yaml': { link: './../x.yaml' },
    'shared/more/z.yaml': 'z',
  };

  assert.deepEqual(await list(files), [
    'more/y.yaml → shared/x.yaml',
    'more/z.yaml → shared/more/z.yaml',
    'x.yaml → shared/x.yaml',
  ]);
});

test('the folder itself may be reached through a link', async () => {
  const files = { current: { link: 'v2' }, 'v2/x.yaml': 'x' };

  assert.deepEqual(await list(files, 'current'), ['x.yaml → v2/x.yaml']);
});

test('a link that leaves the repository is refused (B24)', async () => {
  for (const target of ['/etc/passwd', '../../outside', '../../../proc/self/environ', '..//../x']) {
    await assert.rejects(
      list({ 'a/x.yaml': { link: target }, 'b/y': '' }),
      rejectsWith('SymlinkEscape', 'a/x.yaml'),
      target,
    );
  }
  const viaFolder = { 'a/x.yaml': { link: '../b/up/secret' }, 'b/up': { link: '../..' } };
  await assert.rejects(list(viaFolder), rejectsWith('SymlinkEscape', 'b/up'));
});

test('links in a circle are refused, and so are chains of more than 40 (B25)', async () => {
  await assert.rejects(list({ 'a/x': { link: 'x' } }), rejectsWith('SymlinkLoop', 'a/x'));
  await assert.rejects(list({ 'a/x/y': { link: '..' }, 'a/z': '' }), rejectsWith('SymlinkLoop', 'a/x/y'));
  const chain = (length: number) =>
    Object.fromEntries([
      ...Array.from({ length }, (_, index) => [`c/${index}`, { link: String(index + 1) }] as const),
      [`c/${length}`, 'end'] as const,
      ['a/x', { link: '../c/0' }] as const,
    ]);
  assert.deepEqual(await list(chain(39)), ['x → c/39']);
  await assert.rejects(list(chain(40)), (thrown) => thrown instanceof PlumbError && thrown.code === 'SymlinkLoop');
});

test('what is excluded is not followed', async () => {
  assert.deepEqual(await list({ 'a/x': { link: '/etc/passwd' }, 'a/y': '' }, 'a', 'x'), ['y']);
});

test('a missing folder, a link to nothing and a submodule are errors: they would read as deletions', async () => {
  await assert.rejects(list({ 'b/x': '' }), rejectsWith('PathMissing', undefined));
  await assert.rejects(list({ 'a/x': { link: 'gone' } }), rejectsWith('PathMissing', 'a/x'));
  await assert.rejects(list({ 'a/sub': { submodule: 'abc' } }), rejectsWith('SubmoduleDisabled', 'a/sub'));
});

test('one file is found through links', async () => {
  const tree = memoryTree({ 'a/values.yaml': 'x', 'b/link.yaml': { link: '../a/values.yaml' } });

  assert.equal((await findSourceFile(tree, 'b/link.yaml', { signal }))?.path, 'a/values.yaml');
  assert.equal(await findSourceFile(tree, 'b/none.yaml', { signal }), undefined);
});
