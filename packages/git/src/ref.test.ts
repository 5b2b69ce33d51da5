import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import fc from 'fast-check';
import { checkRef, checkRevision } from './ref.ts';

function isRefused(text: string): boolean {
  try {
    checkRef(text);
    return false;
  } catch (error) {
    assert.ok(error instanceof PlumbError && error.code === 'RefInvalid');
    return true;
  }
}

test('a branch becomes its full name; full names, HEAD and commit ids stay', () => {
  assert.equal(checkRef('main'), 'refs/heads/main');
  assert.equal(checkRef('release/1.0'), 'refs/heads/release/1.0');
  assert.equal(checkRef('refs/tags/v1'), 'refs/tags/v1');
  assert.equal(checkRef('HEAD'), 'HEAD');
  assert.equal(checkRef('A'.repeat(40)), 'a'.repeat(40));
  assert.equal(checkRef('b'.repeat(64)), 'b'.repeat(64));
});

test('what git would read as an option or as more than a name is refused', () => {
  const bad = [
    ...['--upload-pack=touch x', '--upload-pack', '-O', '-', 'a..b', '@{-1}', 'HEAD^{/x}', 'HEAD~1', 'a b', 'a:b'],
    ...[
      'a\nb',
      'a\0b',
      '',
      '@',
      '/a',
      'a/',
      'a//b',
      '.a',
      'a/.b',
      'a.lock',
      'a.lock/b',
      'a.',
      'a?',
      'a*',
      '[a',
      'a\\b',
    ],
    ...['x'.repeat(1024), 'refs/heads/-x', 'refs/', '\uD800', 'refs/heads/a:refs/heads/b'],
  ];

  for (const text of bad) assert.ok(isRefused(text), JSON.stringify(text));
});

test('whatever is accepted is a ref for git too', () => {
  const piece = fc.constantFrom('a', 'B', '-', '.', '/', '@', '{', '..', '.lock', 'é', 'refs/', '~', '1');
  const accepted = new Set<string>();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.array(piece).map((pieces) => pieces.join('')),
      ),
      (text) => {
        if (isRefused(text)) return;
        const ref = checkRef(text);
        assert.ok(!ref.split('/').some((part) => part.startsWith('-')));
        if (ref !== 'HEAD' && accepted.size < 50) accepted.add(ref);
      },
    ),
    { numRuns: 5000 },
  );

  for (const ref of accepted) {
    assert.equal(spawnSync('git', ['check-ref-format', ref]).status, 0, JSON.stringify(ref));
  }
});

test('a revision is a name of git or what comes before one, and never an option, a file or a search', () => {
  for (const text of [
    'main',
    'v1.2',
    'HEAD',
    '@',
    'HEAD~1',
    'main^2~3',
    '@^',
    'origin/feature/x',
    '0a1b2c3',
    'refs/tags/v1',
  ]) {
    assert.equal(checkRevision(text), text);
  }
  for (const text of [
    '',
    '~1',
    '-1',
    '--all',
    'a..b',
    'a:b',
    ':/x',
    'HEAD^{/x}',
    'main@{1}',
    'a b',
    'a\nb',
    'HEAD~1x',
  ]) {
    assert.throws(() => checkRevision(text), { code: 'RefInvalid' }, text);
  }
});
