import { PlumbError, type SourceTree, type TreeEntry } from '@plumb/core';
import { followPath } from './follow-path.ts';
import { joinPath } from './repository-path.ts';

/** A file as a renderer sees it, links followed. */
export interface SourceFile {
  /** The path below the rendered folder, as it is reached. */
  readonly name: string;
  /** Where its content lies in the repository: what a person has to edit. */
  readonly path: string;
  readonly entry: TreeEntry;
}

interface Call {
  readonly signal: AbortSignal;
}

/**
 * All files below a folder, sorted by name, with symbolic links followed inside the repository. Throws `PathMissing`
 * for no such folder, `SymlinkEscape` and `SymlinkLoop` for links that lead out or in circles, `SubmoduleDisabled` for
 * a submodule: each would read as "these objects are gone".
 *
 * `isExcluded` gets names below the folder; what it names is not followed.
 */
export async function listSourceFiles(
  tree: SourceTree,
  folder: string,
  isExcluded: (name: string) => boolean,
  call: Call,
): Promise<readonly SourceFile[]> {
  const real = await followPath(tree, folder, call);
  if (real?.mode !== 'folder') {
    throw new PlumbError('PathMissing', `there is no folder ${folder || '.'} in the repository`);
  }
  const files = await filesBelow(tree, real.path, '', isExcluded, [real.path], call);
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file that a path names, links followed, or undefined. */
export async function findSourceFile(tree: SourceTree, path: string, call: Call): Promise<TreeEntry | undefined> {
  const found = await followPath(tree, path, call);
  return found?.mode === 'file' ? { path: found.path, mode: 'file', oid: found.oid } : undefined;
}

async function filesBelow(
  tree: SourceTree,
  folder: string,
  prefix: string,
  isExcluded: (name: string) => boolean,
  /** The real folders that the walk is inside of: to come to one of them again is to walk in a circle. */
  open: readonly string[],
  call: Call,
): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = [];
  for (const entry of await tree.entries(folder, call)) {
    const { path } = entry;
    const name = joinPath(prefix, folder === '' ? path : path.slice(folder.length + 1));
    if (entry.mode === 'file') {
      files.push({ name, path, entry });
      continue;
    }
    if (isExcluded(name) || isBelowExcluded(name, isExcluded)) continue;
    const found = await followPath(tree, path, call);
    if (found === undefined) {
      throw new PlumbError('PathMissing', `the link ${path} leads to nothing`, {
        where: { file: path },
        fix: 'Restore what the link leads to, or remove the link.',
      });
    }
    if (found.mode === 'file') {
      files.push({ name, path: found.path, entry: { path: found.path, mode: 'file', oid: found.oid } });
    } else if (open.some((outer) => isWithin(outer, found.path)) || isWithin(path, found.path)) {
      throw new PlumbError('SymlinkLoop', `the link ${path} leads to a folder that it lies in`, {
        where: { file: path },
      });
    } else files.push(...(await filesBelow(tree, found.path, name, isExcluded, [...open, found.path], call)));
  }
  return files;
}

/** Whether a folder on the way to the name is left out. */
function isBelowExcluded(name: string, isExcluded: (name: string) => boolean): boolean {
  for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
    if (isExcluded(name.slice(0, at))) return true;
  }
  return false;
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
