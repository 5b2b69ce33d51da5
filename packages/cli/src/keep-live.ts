import { digest, PlumbError, type FieldChange, type SourceTree, type Where } from '@plumb/core';
import { keepEdits, type KeepEditsRequest } from '@plumb/engine';
import type { GitIdentity } from '@plumb/git';
import { keepMessage, type KeptChange } from './keep-message.ts';
import { lineDiff, type Hunk } from './line-diff.ts';
import type { Remote } from './plan-source.ts';
import { throwAll } from './report-error.ts';

type Search = Pick<KeepEditsRequest, 'spec' | 'renderer' | 'others' | 'allowsOthers' | 'file' | 'signal'>;

export interface KeepLiveRequest extends Search, Omit<KeptChange, 'target'> {
  readonly remote: Pick<Remote, 'at' | 'store' | 'push'>;
  /** The full name of the followed branch. */
  readonly followed: string;
  /** Push to this branch instead; undefined: the followed one. */
  readonly branch: string | undefined;
  /** Who makes the commit; undefined: nothing is pushed. */
  readonly author: GitIdentity | undefined;
  /** Epoch milliseconds of the commit. */
  readonly timeMs: number;
}

export interface KeptLive {
  readonly files: readonly { readonly file: string; readonly hunks: readonly Hunk[] }[];
  /** Where each field is written now. */
  readonly places: readonly { readonly path: string; readonly where: Where }[];
  /** Other targets that change as well. */
  readonly others: readonly string[];
  /** The branch that has it now, or would have: `main`. */
  readonly branch: string;
  /** Undefined where nothing was pushed: Git says so already, or it was only asked. */
  readonly commit: string | undefined;
}

/**
 * Puts live values of an object into Git: finds the edit at the tip of the followed branch, proves it by renders, commits
 * it in the name of who asks, and pushes. Where somebody else pushes at the same time it is all done once more, from what
 * they pushed. Throws what `keepEdits`, `Mirror.store` and `Mirror.push` say.
 */
export async function keepLive(request: KeepLiveRequest): Promise<KeptLive> {
  try {
    return await keepOnce(request);
  } catch (thrown) {
    const isMoved = thrown instanceof PlumbError && thrown.code === 'BranchMoved' && request.branch === undefined;
    if (!isMoved) throw thrown;
    return await keepOnce(request);
  }
}

async function keepOnce(request: KeepLiveRequest): Promise<KeptLive> {
  const { remote, followed, author, signal, spec, key, changes } = request;
  const call = { signal };
  const { tree, commit: parent, committedMs } = await remote.at(followed, call);
  if (parent === undefined) throw new PlumbError('RefMissing', `${followed} has no commit`);
  const result = await keepEdits({
    ...request,
    tree,
    committedMs,
    fields: changes.map(({ path, after }) => ({ path, live: after })),
  });
  if (!result.ok) throwAll(result.error);
  const { files, places, others } = result.value;
  const branch = request.branch ?? followed.slice('refs/heads/'.length);
  const diffs: KeptLive['files'][number][] = [];
  for (const [file, text] of files) diffs.push({ file, hunks: lineDiff(await textOf(tree, file, call), text) });
  const kept = { files: diffs, places, others, branch };
  if (files.size === 0 || author === undefined) return { ...kept, commit: undefined };
  const message = keepMessage({ ...request, target: spec.target, key });
  const commit = await remote.store({ parent, files, author, timeMs: request.timeMs, message }, call);
  await remote.push(commit, branch, call);
  return { ...kept, commit };
}

async function textOf(tree: SourceTree, path: string, call: { readonly signal: AbortSignal }): Promise<string> {
  const found = await tree.find(path, call);
  if (found?.mode !== 'file') return '';
  const [bytes] = await tree.read([{ path, mode: 'file', oid: found.oid }], call);
  return new TextDecoder().decode(bytes);
}

/** A name for a branch that holds one kept change: the same change, the same name. */
export function keepBranchName({ target, key, changes }: Omit<KeptChange, 'reason' | 'changedBy'>): string {
  const words = `${target.split('/').slice(1).join('-')}-${key.split('/').at(-1) ?? ''}`.toLowerCase();
  const name = words.replaceAll(/[^a-z0-9-]+/g, '-').slice(0, 60);
  const wanted = changes.map(({ path, after }: FieldChange) => [path, after ?? null]);
  return `plumb/keep-${name}-${digest([target, key, ...wanted]).slice(0, 8)}`;
}
