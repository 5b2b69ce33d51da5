import assert from 'node:assert/strict';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

import { exists, lineAt, read, repositoryFiles } from './repository.ts';

const PAGES = repositoryFiles().filter((path) => path.endsWith('.md') && !path.includes('/testdata/'));
const RECORDS = PAGES.filter((path) => /^docs\/decisions\/\d{3}-.*\.md$/.test(path));

test('every link of a page leads to a file', () => {
  const broken = PAGES.flatMap((page) => {
    const text = read(page);
    return Array.from(text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g)).flatMap(({ index, 1: target = '' }) =>
      exists(normalize(join(dirname(page), target))) ? [] : [`${page}:${lineAt(text, index)}: ${target}`],
    );
  });

  assert.deepEqual(broken, []);
});

test('every source file that a page names is there', () => {
  const missing = PAGES.flatMap((page) => {
    const text = read(page);
    const paths = text.matchAll(/`((?:packages|native|tools|test|bench|demo|docs)\/[\w./-]+\.(?:ts|go|md|mjs|sh))`/g);
    return Array.from(paths).flatMap(({ index, 1: path = '' }) =>
      exists(path) ? [] : [`${page}:${lineAt(text, index)}: ${path}`],
    );
  });

  assert.deepEqual(missing, []);
});

test('every decision has its own number and is listed', () => {
  const listed = read('docs/decisions/README.md');

  const numbers = RECORDS.map((path) => path.slice('docs/decisions/'.length).slice(0, 3));
  const unlisted = RECORDS.filter((path) => !listed.includes(`(${path.slice('docs/decisions/'.length)})`));

  assert.deepEqual(unlisted, []);
  assert.equal(new Set(numbers).size, numbers.length, `a number is used twice: ${numbers.join(', ')}`);
});
