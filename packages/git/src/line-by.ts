import type { SourceTree } from '@plumb/core';
import type { Commit } from './commit.ts';

export interface LinePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

interface History {
  /** Undefined where it is not stored. */
  readonly commitOf: (sha: string) => Promise<Commit | undefined>;
  readonly treeOf: (sha: string) => SourceTree;
  /** A commit that the line may not be older than. */
  readonly after: string | undefined;
  readonly signal: AbortSignal;
}

/** Each step may have to fetch a file: who looks for a recent change needs few. */
const MAX_STEPS = 50;

/**
 * Follows a line back through history for as long as a parent has it too, and answers the commit from which on none does.
 * A line is known by its text: one that is moved is still the same, and one that is there a second time is new. Cheaper
 * than `git blame`, which would need all files of all commits.
 */
export async function lineBy(
  commit: string,
  { file, line }: LinePlace,
  { commitOf, treeOf, after, signal }: History,
): Promise<Commit | undefined> {
  const read = async (sha: string): Promise<Version | undefined> => {
    const tree = treeOf(sha);
    const found = await tree.find(file, { signal });
    if (found?.mode !== 'file') return undefined;
    const { oid } = found;
    return {
      oid,
      lines: async () => linesOf((await tree.read([{ path: file, mode: 'file', oid }], { signal }))[0]),
    };
  };
  let at = await commitOf(commit);
  let version = await read(commit);
  const text = (await version?.lines())?.[line - 1];
  if (text === undefined) return undefined;
  for (let steps = 0; at !== undefined && version !== undefined && steps < MAX_STEPS; steps += 1) {
    const times = countOf(await version.lines(), text);
    let parent: Commit | undefined;
    let then: Version | undefined;
    for (const sha of at.parents) {
      parent = await commitOf(sha);
      if (parent === undefined) return undefined;
      then = await read(sha);
      if (then !== undefined && (then.oid === version.oid || countOf(await then.lines(), text) >= times)) break;
      then = undefined;
    }
    if (then === undefined) return at;
    if (parent?.sha === after) return undefined;
    at = parent;
    version = then;
  }
  return undefined;
}

interface Version {
  readonly oid: string;
  readonly lines: () => Promise<readonly string[]>;
}

function linesOf(bytes: Uint8Array | undefined): readonly string[] {
  return new TextDecoder().decode(bytes ?? new Uint8Array()).split('\n');
}

function countOf(lines: readonly string[], text: string): number {
  return lines.filter((line) => line === text).length;
}
