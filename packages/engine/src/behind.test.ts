import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Commit } from '@plumb/git';
import { isBehind } from './behind.ts';

/** Parents by commit; what is named as a parent only is not stored. */
type Graph = Readonly<Record<string, readonly string[]>>;

const CASES: readonly (readonly [name: string, graph: Graph, expected: boolean])[] = [
  ['a branch on top of the base is not behind', { head: ['base'], base: ['root'], root: [] }, false],
  ['a branch without anything of its own is behind', { head: [], base: ['head'] }, true],
  ['a branch from an older commit is behind', { head: ['old'], base: ['old'], old: ['root'], root: [] }, true],
  [
    'a branch that has merged the base is not behind',
    { head: ['mine', 'base'], mine: ['old'], base: ['old'], old: [] },
    false,
  ],
  [
    'older history that is not stored does not matter',
    { head: ['old'], base: ['newer'], newer: ['old'], old: ['gone'] },
    true,
  ],
  ['where the branches meet beyond what is stored, nothing is said', { head: ['gone'], base: ['lost'] }, false],
];

for (const [name, graph, expected] of CASES) {
  test(name, async () => {
    const history = {
      hasCommit: (sha: string) => Promise.resolve(graph[sha] !== undefined),
      commit: (sha: string) => Promise.resolve({ parents: graph[sha] ?? [] } as unknown as Commit),
    };

    const found = await isBehind(history, { base: 'base', head: 'head' }, { signal: new AbortController().signal });

    assert.equal(found, expected);
  });
}
