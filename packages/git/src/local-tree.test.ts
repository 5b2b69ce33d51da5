import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { localTree, repositoryRoot } from './local-tree.ts';

const signal = new AbortController().signal;

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'plumb-local-tree-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  mkdirSync(join(made, '.git'));
  mkdirSync(join(made, 'apps/shop'), { recursive: true });
  writeFileSync(join(made, '.git/config'), 'x');
  writeFileSync(join(made, 'apps/shop/b.yaml'), 'b: 1\n');
  writeFileSync(join(made, 'apps/a.yaml'), 'a: 1\n');
  symlinkSync('/etc/passwd', join(made, 'apps/shop/a.yaml'));
  symlinkSync('/etc', join(made, 'apps/outside'));
  return made;
}

test('a working copy is listed and read without following links', async (t) => {
  const tree = localTree(await folder(t));

  const entries = await tree.entries('./apps/', { signal });
  const bytes = await tree.read(entries, { signal });

  assert.deepEqual(
    entries.map(({ path, mode }, index) => [path, mode, Buffer.from(bytes[index] ?? []).toString()]),
    [
      ['apps/a.yaml', 'file', 'a: 1\n'],
      ['apps/outside', 'symlink', '/etc'],
      ['apps/shop/a.yaml', 'symlink', '/etc/passwd'],
      ['apps/shop/b.yaml', 'file', 'b: 1\n'],
    ],
  );
  assert.deepEqual(await tree.entries('apps/outside', { signal }), []);
  assert.equal(await tree.treeId('apps/outside', { signal }), undefined);
  assert.equal((await tree.find('apps/outside', { signal }))?.mode, 'symlink');
  assert.equal(await tree.find('apps/outside/passwd', { signal }), undefined);
  assert.deepEqual(await tree.find('apps/shop', { signal }), { mode: 'folder' });
  assert.equal(await tree.find('.git', { signal }), undefined);
  await assert.rejects(tree.entries('apps/../..', { signal }), { code: 'PathEscape' });
});

test('the id of a file is that of Git, and the id of a folder follows its content', async (t) => {
  const root = await folder(t);
  const tree = localTree(root);

  const before = await tree.treeId('apps', { signal });
  const [file] = await tree.entries('apps', { signal });
  writeFileSync(join(root, 'apps/shop/b.yaml'), 'b: 2\n');
  const after = await tree.treeId('apps', { signal });

  assert.equal(file?.oid, execFileSync('git', ['hash-object', join(root, 'apps/a.yaml')], { encoding: 'utf8' }).trim());
  assert.notEqual(after, before);
  assert.equal(await tree.treeId('gone', { signal }), undefined);
});

test('the root of a working copy is the nearest folder with .git', async (t) => {
  const root = await folder(t);

  assert.equal(await repositoryRoot(join(root, 'apps/shop')), root);
  assert.equal(await repositoryRoot(tmpdir()), undefined);
});
