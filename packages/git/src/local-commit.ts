import { lstat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PlumbError, type SourceTree } from '@plumb/core';
import { isNoRepository } from './classify.ts';
import { parseCommit, type Commit } from './commit.ts';
import { ObjectReader, UnusableRepository } from './object-reader.ts';
import { checkRevision } from './ref.ts';
import { TreeReader } from './tree-reader.ts';

/** The files of one commit; disposing ends the git that reads them. */
export interface CommitTree extends AsyncDisposable {
  readonly commit: Commit;
  readonly tree: SourceTree;
}

/**
 * Opens what a revision (`main`, `v1.2`, `HEAD~1`, a commit id) of the working copy in `folder` names, without touching
 * the working copy. Only what is stored there is read: nothing is fetched, and nothing that the repository's own
 * configuration names is run.
 *
 * @throws {PlumbError} `RefInvalid`, `RefMissing`, `PathMissing` where there is no git repository, `GitFailed` where it
 * cannot be read.
 */
export async function commitTree(
  folder: string,
  revision: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<CommitTree> {
  const name = checkRevision(revision);
  const gitFolder = join(resolve(folder), '.git');
  if (!(await lstat(gitFolder).catch(() => undefined))) throw noRepository(folder);
  await using opening = new AsyncDisposableStack();
  const lifetime = new AbortController();
  const reader = opening.use(new ObjectReader(gitFolder));
  opening.defer(() => lifetime.abort(new Error('the repository is closed')));
  const guard = <T>(_signal: AbortSignal, attempt: () => Promise<T>) => told(folder, attempt);
  const commit = await told(folder, () => readCommit(reader, name, signal));
  const trees = new TreeReader({ reader, lifetime: lifetime.signal });
  const open = opening.move();
  return {
    commit,
    tree: trees.sourceTree(async () => commit.tree, guard),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function readCommit(reader: ObjectReader, name: string, signal: AbortSignal): Promise<Commit> {
  // A tag is followed to what it is on.
  const [object] = await reader.read([{ name: `${name}^{commit}`, want: 'contents' }], { signal });
  if (object?.bytes !== undefined) return parseCommit(object.oid, object.bytes);
  throw new PlumbError('RefMissing', `there is no commit ${name} in this repository`, {
    subject: name,
    fix: 'Correct the name, or fetch it first: what only the remote has, or what a shallow clone left out, is not here.',
  });
}

/** What is wrong with a repository of the user is the user's to know. */
async function told<T>(folder: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (thrown) {
    if (!(thrown instanceof UnusableRepository)) throw thrown;
    if (isNoRepository(thrown.message)) throw noRepository(folder);
    throw new PlumbError('GitFailed', `reading the git repository in ${folder}: ${thrown.message}`, {
      fix: 'Fetch again what is missing where the clone is a partial one; else "git fsck" tells what is damaged.',
      cause: thrown,
    });
  }
}

function noRepository(folder: string): PlumbError {
  return new PlumbError('PathMissing', `there is no git repository in ${folder}`, {
    fix: 'Name a folder of a working copy.',
  });
}
