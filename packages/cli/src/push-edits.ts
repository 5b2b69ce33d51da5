import { PlumbError, type SourceTree } from '@plumb/core';
import type { GitIdentity } from '@plumb/git';
import { lineDiff, type Hunk } from './line-diff.ts';
import type { PlanSource, Remote } from './plan-source.ts';

export interface EditPush {
  readonly remote: Pick<Remote, 'at' | 'store' | 'push'>;
  /** The full name of the followed branch. */
  readonly followed: string;
  /** Push to this branch instead; undefined: the followed one. */
  readonly branch: string | undefined;
  /** That branch is named after the change: where it is there already, it has it. Default: no. */
  readonly isNamedAfterChange?: boolean;
  /** Who makes the commit; undefined: nothing is pushed. */
  readonly author: GitIdentity | undefined;
  /** Epoch milliseconds of the commit. */
  readonly timeMs: number;
  readonly signal: AbortSignal;
}

export interface DecidedEdits<T> {
  /** The files as they are to be, by path; none where Git says so already. */
  readonly files: ReadonlyMap<string, string>;
  readonly message: string;
  readonly about: T;
}

export interface PushedEdits<T> {
  readonly files: readonly { readonly file: string; readonly hunks: readonly Hunk[] }[];
  readonly about: T;
  /** The branch that has it now, or would have: `main`. */
  readonly branch: string;
  /** Undefined where nothing was pushed: Git says so already, or it was only asked. */
  readonly commit: string | undefined;
}

/**
 * Commits edits on top of the followed branch in the name of who asks, and pushes. Where somebody else pushes at the same time
 * they are decided once more, from what was pushed. Throws what `decide`, `Mirror.store` and `Mirror.push` say.
 */
export async function pushEdits<T>(
  push: EditPush,
  decide: (source: PlanSource) => Promise<DecidedEdits<T>>,
): Promise<PushedEdits<T>> {
  try {
    return await pushOnce(push, decide);
  } catch (thrown) {
    const isMoved = thrown instanceof PlumbError && thrown.code === 'BranchMoved' && push.branch === undefined;
    if (!isMoved) throw thrown;
    return await pushOnce(push, decide);
  }
}

async function pushOnce<T>(
  { remote, followed, branch: wanted, isNamedAfterChange, author, timeMs, signal }: EditPush,
  decide: (source: PlanSource) => Promise<DecidedEdits<T>>,
): Promise<PushedEdits<T>> {
  const call = { signal };
  const source = await remote.at(followed, call);
  const { tree, commit: parent } = source;
  if (parent === undefined) throw new PlumbError('RefMissing', `${followed} has no commit`);
  const { files, message, about } = await decide(source);
  const branch = wanted ?? followed.slice('refs/heads/'.length);
  const diffs: PushedEdits<T>['files'][number][] = [];
  for (const [file, text] of files) diffs.push({ file, hunks: lineDiff(await textOf(tree, file, call), text) });
  const decided = { files: diffs, about, branch };
  if (files.size === 0 || author === undefined) return { ...decided, commit: undefined };
  const commit = await remote.store({ parent, files, author, timeMs, message }, call);
  try {
    await remote.push(commit, branch, call);
  } catch (thrown) {
    const isThere = thrown instanceof PlumbError && thrown.code === 'BranchMoved';
    if (!isThere || wanted === undefined || isNamedAfterChange !== true) throw thrown;
    return { ...decided, commit: (await remote.at(branch, call)).commit };
  }
  return { ...decided, commit };
}

async function textOf(tree: SourceTree, path: string, call: { readonly signal: AbortSignal }): Promise<string> {
  const found = await tree.find(path, call);
  if (found?.mode !== 'file') return '';
  const [bytes] = await tree.read([{ path, mode: 'file', oid: found.oid }], call);
  return new TextDecoder().decode(bytes);
}
