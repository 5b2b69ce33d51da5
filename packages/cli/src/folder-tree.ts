import { relative, sep } from 'node:path';
import type { SourceTree } from '@plumb/core';
import { localTree, repositoryRoot } from '@plumb/git';
import { foldersOnly } from './folders-only.ts';
import { looseRoot } from './loose-root.ts';

/** A folder of this machine, and what a render of it may read. */
export interface FolderTree {
  readonly tree: SourceTree;
  /** The folder in the tree; '' is its root. */
  readonly path: string;
}

/** The working copy around a folder, as its files are now; without one, the folder and the bases that it names. */
export async function folderTree(directory: string): Promise<FolderTree> {
  const repository = await repositoryRoot(directory);
  if (repository !== undefined) return { tree: localTree(repository), path: pathBelow(repository, directory) };
  const { root, folders } = await looseRoot(directory);
  const shown = folders.map((folder) => pathBelow(root, folder));
  return { tree: foldersOnly(localTree(root), shown), path: pathBelow(root, directory) };
}

/** A path of the machine as a path in a tree. */
export function pathBelow(root: string, path: string): string {
  return relative(root, path).split(sep).join('/');
}
