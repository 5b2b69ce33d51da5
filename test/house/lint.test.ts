import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { test } from 'node:test';

import { lineAt, read } from './repository.ts';

interface LintSettings {
  readonly overrides: readonly {
    readonly files: readonly string[];
    readonly rules: Readonly<Record<string, unknown>>;
  }[];
}

const EVERYWHERE = ['**/*.test.ts', 'test/**', 'tools/**', 'demo/**', 'bench/**', 'packages/*/{test,tools}/**'];

test('every exception to a lint rule names a file that is there', () => {
  const settings = JSON.parse(read('.oxlintrc.json').replace(/^\s*\/\/.*$/gm, '')) as LintSettings;

  const patterns = settings.overrides.flatMap(({ files }) => files).filter((pattern) => !EVERYWHERE.includes(pattern));
  const gone = patterns.filter((pattern) => globSync(pattern, { exclude: ['node_modules/**'] }).length === 0);

  assert.deepEqual(gone, []);
});

test('a rule is switched off for one line, with the reason, and never one of the house', () => {
  const silenced = globSync('packages/*/src/**/*.ts').flatMap((path) => {
    const text = read(path);
    return Array.from(text.matchAll(/.*(?:(?:oxlint|eslint)-disable|@ts-(?:ignore|expect-error|nocheck)).*/g))
      .filter(([line]) => !/-disable-(?:next-)?line (?!house)[\w/-]+ -- \S/.test(line))
      .map(({ index, 0: line }) => `${path}:${lineAt(text, index)}: ${line.trim()}`);
  });

  assert.deepEqual(silenced, []);
});
