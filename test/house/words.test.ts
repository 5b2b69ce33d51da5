import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineAt, read, repositoryFiles } from './repository.ts';

/** Text of ours: not what a tool wrote, not binary, not data that stands for other people's input. */
const OURS = repositoryFiles().filter(
  (path) =>
    /\.(?:[cm]?[jt]s|go|sh|md|json|ya?ml|mod)$|\.ci\/|\/?\.[a-z]+rc$/.test(path) &&
    !/\/(?:testdata|wasm|crds)\/|package-lock\.json$/.test(path),
);

// Written with a class, so that this file does not find itself.
test('no path of one machine is in the sources', () => {
  assert.deepEqual(find(OURS, /(?<![\w.:@-])\/(?:[w]ork|[r]oot)\/|\/tmp\/[p]lan|\/home\/[a-z]+\//g), []);
});

test('no registry is named: the lockfile and the settings leave it to the machine', () => {
  assert.deepEqual(find(['package-lock.json'], /"resolved": "(?:https?|git)[^"]*/g), []);
  assert.deepEqual(find(['.npmrc'], /registry\s*=.*/g), []);
});

test('nothing is left to be done later in a comment', () => {
  assert.deepEqual(find(OURS, /\b(?:TO[D]O|FIX[M]E|XX[X])\b/g), []);
});

test('no test runs alone', () => {
  const tests = OURS.filter((path) => path.endsWith('.test.ts'));

  assert.deepEqual(find(tests, /\b(?:test|it|describe|suite)\.only\(|\bonly: [t]rue/g), []);
});

test('no file is a dumping ground: one file holds one idea and is named after it', () => {
  const named = OURS.filter((path) => /\/(?:utils?|helpers?|types|common|misc|data)\.ts$/.test(path));

  assert.deepEqual(named, []);
});

function find(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) => {
    const text = read(path);
    return Array.from(text.matchAll(pattern), (match) => `${path}:${lineAt(text, match.index)}: ${match[0]}`);
  });
}
