import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileGlobs } from './glob.ts';

test('globs match whole paths', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['**/*.{yaml,yml,json}', 'a.yaml', true],
    ['**/*.{yaml,yml,json}', 'x/y/a.json', true],
    ['**/*.{yaml,yml,json}', 'x/a.txt', false],
    ['*.yaml', 'x/a.yaml', false],
    ['x/**', 'x/y/z', true],
    ['x/**/z', 'x/z', true],
    ['x/**/z', 'x/a/b/z', true],
    ['**/test-?.yaml', 'a/test-1.yaml', true],
    ['**/test-?.yaml', 'a/test-12.yaml', false],
    ['a.b', 'axb', false],
  ];

  for (const [pattern, path, expected] of cases) {
    assert.equal(compileGlobs([pattern])(path), expected, `${pattern} on ${path}`);
  }
});

test('names with a leading dot need it written', () => {
  const matches = compileGlobs(['**/*.yaml']);

  assert.equal(matches('.github/a.yaml'), false);
  assert.equal(matches('x/.a.yaml'), false);
  assert.equal(compileGlobs(['.github/*.yaml'])('.github/a.yaml'), true);
});

test('a hostile pattern does not take more than its share', () => {
  const pattern = `${'*a'.repeat(200)}b`;

  assert.equal(compileGlobs([pattern])('a'.repeat(5000)), false);
  assert.equal(compileGlobs(['{a,b}'.repeat(40)])('c'), false);
});

test('two stars alone match every path without a leading dot', () => {
  const name = fc.string({ unit: fc.constantFrom(...'ab*?{'), minLength: 1, maxLength: 4 });

  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => compileGlobs(['**'])(names.join('/'))),
    { seed: 1 },
  );
});
