import assert from 'node:assert/strict';
import { test } from 'node:test';

import { DIRECTIONS, ONE_FILE_EACH, whyForbidden, WRAPPED } from '../../tools/lint/directions.ts';
import { exists, manifests, read, repositoryFiles } from './repository.ts';

const SOURCES = repositoryFiles().filter((path) => /^packages\/[^/]+\/.*\.ts$/.test(path));

test('every import points inward, and wrapped modules stay behind their wrapper', () => {
  const refused = SOURCES.flatMap((file) =>
    importsOf(read(file)).flatMap((specifier) => {
      const why = whyForbidden(file, specifier);
      return why === undefined ? [] : [`${file}: ${why}`];
    }),
  );

  assert.deepEqual(refused, []);
});

test('the table of directions has no cycle', () => {
  const names = Object.keys(DIRECTIONS);

  const outward = names.flatMap((from, index) =>
    (DIRECTIONS[from] ?? []).filter((to) => names.indexOf(to) >= index).map((to) => `${from} → ${to}`),
  );

  assert.deepEqual(outward, []);
});

test('every package has its row, and depends on nothing of ours that the row does not name', () => {
  const refused = manifests().flatMap(({ path, manifest }) => {
    const [, folder] = /^packages\/([^/]+)\//.exec(path) ?? [];
    if (folder === undefined) return [];
    const allowed = DIRECTIONS[folder];
    if (allowed === undefined) return [`${path}: no row in tools/lint/directions.ts`];
    const ours = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@plumb/'));
    return ours.filter((name) => !allowed.includes(name.slice('@plumb/'.length))).map((name) => `${path}: ${name}`);
  });

  assert.deepEqual(refused, []);
});

test('a module that has one wrapper in a package is imported by one file of it', () => {
  const crowded = ONE_FILE_EACH.flatMap((module) => {
    const importers = SOURCES.filter((file) => !file.endsWith('.test.ts') && importsOf(read(file)).includes(module));
    const byPackage = Object.values(Object.groupBy(importers, (file) => file.split('/')[1] ?? ''));
    return byPackage.filter((files = []) => files.length > 1).map((files) => `${module}: ${files?.join(', ')}`);
  });

  assert.deepEqual(crowded, []);
});

test('a place that may import a wrapped module is there', () => {
  const gone = Object.values(WRAPPED).flatMap((places) => places.filter((place) => !exists(`packages/${place}`)));

  assert.deepEqual(gone, []);
});

test('an import is found however it is written', () => {
  const source = `
    import 'a';
    import b from "b";
    import { type C,
      D } from 'c';
    import * as e from '@e/e';
    export * from './f.ts';
    const { g } = await import('g');
    type H = import('h').H;
    const text = 'not imported from "i"';
  `;

  assert.deepEqual(importsOf(source), ['a', 'b', 'c', '@e/e', './f.ts', 'g', 'h']);
});

/** The specifiers that a source imports. Reads text, so a sentence that looks like an import counts as one. */
function importsOf(source: string): string[] {
  return Array.from(
    source.matchAll(/(?:^\s*(?:import|export)\s(?:[^'"`;]*\sfrom\s)?|^\s*import|\bimport\()\s*(['"])([^'"\s]+)\1/gm),
    ([, , specifier]) => specifier ?? '',
  );
}
