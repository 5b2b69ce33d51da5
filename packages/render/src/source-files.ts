import { PlumbError, type SourceTree, type TreeEntry } from '@plumb/core';
import { folderOf, joinPath, resolveFrom } from './repository-path.ts';

/** A file as a renderer sees it, links followed. */
export interface SourceFile {
  /** The path below the rendered folder, as it is reached. */
  readonly name: string;
  /** Where its content lies in the repository: what a person has to edit. */
  readonly path: string;
  readonly entry: TreeEntry;
}

const MAX_LINK_HOPS = 40;

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
  options: { readonly signal: AbortSignal },
): Promise<readonly SourceFile[]> {
  const entries = await tree.entries(folder, options);
  if (entries.length > 0 && entries.every((entry) => entry.mode === 'file')) {
    return entries.map((entry) => ({ name: below(folder, entry.path), path: entry.path, entry }));
  }
  const links = await Links.load(tree, options);
  const real = links.resolveFolder(folder);
  if (real === undefined) throw new PlumbError('PathMissing', `there is no folder ${folder || '.'} in the repository`);
  const files = links.filesBelow(real, '', isExcluded, [real]);
  return files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file that a path names, links followed, or undefined. */
export async function findSourceFile(
  tree: SourceTree,
  path: string,
  options: { readonly signal: AbortSignal },
): Promise<TreeEntry | undefined> {
  const siblings = await tree.entries(folderOf(path), options);
  const direct = siblings.find((entry) => entry.path === path);
  if (direct?.mode === 'file') return direct;
  const found = (await Links.load(tree, options)).resolve(path);
  return found?.kind === 'file' ? found.entry : undefined;
}

function below(folder: string, path: string): string {
  return folder === '' ? path : path.slice(folder.length + 1);
}

type Resolved =
  | { readonly kind: 'file'; readonly entry: TreeEntry }
  | { readonly kind: 'folder'; readonly path: string };

/** The whole repository's names with its links: loaded only where a link or a missing folder makes it needed. */
class Links {
  readonly #files = new Map<string, TreeEntry>();
  readonly #links = new Map<string, string>();
  /** Direct children of each folder. */
  readonly #children = new Map<string, string[]>([['', []]]);

  static async load(tree: SourceTree, options: { readonly signal: AbortSignal }): Promise<Links> {
    const links = new Links();
    const entries = await tree.entries('', options);
    const linkEntries = entries.filter((entry) => entry.mode === 'symlink');
    const targets = await tree.read(linkEntries, options);
    const decoder = new TextDecoder();
    for (const [index, entry] of linkEntries.entries()) links.#links.set(entry.path, decoder.decode(targets[index]));
    for (const entry of entries) links.#add(entry);
    return links;
  }

  #add(entry: TreeEntry): void {
    if (entry.mode !== 'symlink') this.#files.set(entry.path, entry);
    let path = entry.path;
    while (path !== '') {
      const folder = folderOf(path);
      const known = this.#children.get(folder);
      if (known !== undefined) {
        known.push(path);
        return;
      }
      this.#children.set(folder, [path]);
      path = folder;
    }
  }

  resolveFolder(path: string): string | undefined {
    const found = this.resolve(path);
    return found?.kind === 'folder' ? found.path : undefined;
  }

  /** Follows every link on the way. Undefined where nothing is there. */
  resolve(path: string): Resolved | undefined {
    let at = '';
    let pending = path === '' ? [] : path.split('/');
    for (let hops = 0; ;) {
      const [step, ...rest] = pending;
      if (step === undefined) break;
      const next = joinPath(at, step);
      const target = this.#links.get(next);
      if (target === undefined) {
        at = next;
        pending = rest;
        continue;
      }
      if (++hops > MAX_LINK_HOPS) {
        throw new PlumbError('SymlinkLoop', `the link ${next} leads through more than ${MAX_LINK_HOPS} links`, {
          where: { file: next },
        });
      }
      const landed = resolveFrom(at, target);
      if (landed === undefined) {
        throw new PlumbError('SymlinkEscape', `the link ${next} leads out of the repository`, {
          where: { file: next },
        });
      }
      at = '';
      pending = [...(landed === '' ? [] : landed.split('/')), ...rest];
    }
    if (this.#children.has(at)) return { kind: 'folder', path: at };
    const entry = this.#files.get(at);
    return entry === undefined ? undefined : { kind: 'file', entry };
  }

  filesBelow(
    folder: string,
    prefix: string,
    isExcluded: (name: string) => boolean,
    /** The real folders that the walk is inside of: to come to one of them again is to walk in a circle. */
    open: readonly string[],
  ): readonly SourceFile[] {
    const files: SourceFile[] = [];
    for (const path of this.#children.get(folder) ?? []) {
      const name = joinPath(prefix, below(folder, path));
      if (isExcluded(name)) continue;
      const found = this.resolve(path);
      if (found === undefined) {
        throw new PlumbError('PathMissing', `the link ${path} leads to nothing`, {
          where: { file: path },
          fix: 'Restore what the link leads to, or remove the link.',
        });
      }
      if (found.kind === 'folder') {
        if (open.includes(found.path)) {
          throw new PlumbError('SymlinkLoop', `the link ${path} leads to a folder that it lies in`, {
            where: { file: path },
          });
        }
        files.push(...this.filesBelow(found.path, name, isExcluded, [...open, found.path]));
      } else if (found.entry.mode === 'submodule') {
        throw new PlumbError('SubmoduleDisabled', `${path} is a submodule`, { where: { file: path } });
      } else files.push({ name, path: found.entry.path, entry: found.entry });
    }
    return files;
  }
}
