import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryTree } from '../test/memory-tree.ts';
import { hasLinkOut, isReachedByLink } from './source-scope.ts';

const { signal } = new AbortController();

test('links that stay below the folder do not lead out of it, and links that step above it do', async () => {
  const leadsOut = async (path: string, link: string): Promise<boolean> =>
    hasLinkOut(memoryTree({ 'apps/shop/a.yaml': 'a', [path]: { link } }), 'apps/shop', { signal });

  assert.equal(await leadsOut('apps/shop/b.yaml', 'a.yaml'), false);
  assert.equal(await leadsOut('apps/shop/sub/b.yaml', '../a.yaml'), false);
  assert.equal(await leadsOut('apps/shop/sub/b.yaml', './deep/../../a.yaml'), false);
  assert.equal(await leadsOut('apps/shop/b.yaml', '../base/b.yaml'), true);
  assert.equal(await leadsOut('apps/shop/sub/b.yaml', '../../base/b.yaml'), true);
  assert.equal(await leadsOut('apps/shop/b.yaml', '/etc/passwd'), true);
  assert.equal(await leadsOut('other/b.yaml', '../base/b.yaml'), false);
});

test('the folder is the same one however its path is written', async () => {
  const tree = memoryTree({ 'apps/shop/b.yaml': { link: '../b.yaml' } });

  assert.equal(await hasLinkOut(tree, './apps//shop/', { signal }), true);
  assert.equal(await hasLinkOut(tree, '', { signal }), false);
});

test('a path is reached by a link where it is one, or where a step of it is one', async () => {
  const tree = memoryTree({ 'v2/shop/a.yaml': 'a', current: { link: 'v2' }, 'apps/shop': { link: '../v2/shop' } });

  assert.equal(await isReachedByLink(tree, 'current', { signal }), true);
  assert.equal(await isReachedByLink(tree, 'current/shop', { signal }), true);
  assert.equal(await isReachedByLink(tree, './apps/shop', { signal }), true);
  assert.equal(await isReachedByLink(tree, 'v2/shop', { signal }), false);
  assert.equal(await isReachedByLink(tree, 'v2/gone', { signal }), false);
  assert.equal(await isReachedByLink(tree, 'v2/shop/a.yaml', { signal }), false);
});
