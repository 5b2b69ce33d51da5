import { PlumbError, type Found, type SourceTree, type TreeEntry } from '@plumb/core';
import {
  UnusableRepository,
  untilAborted,
  type GitObject,
  type ObjectQuery,
  type ObjectReader,
} from './object-reader.ts';
import { byPath, pathSteps } from './path.ts';
import { sharedRun } from './shared-run.ts';
import { TreeCache } from './tree-cache.ts';
import { parseTree, type Tree, type TreeItem } from './tree.ts';

export interface TreeReaderOptions {
  readonly reader: ObjectReader;
  /** For reads that several callers share, so that no one of them may end it for the others. */
  readonly lifetime: AbortSignal;
  /** Brings files that are not stored; without it they are missing. */
  readonly fetchBlobs?: (oids: readonly string[], signal: AbortSignal) => Promise<void>;
}

/** The id of a root folder: asked anew for each reading, since a mirror may have to fetch its commit again. */
type RootOf = (signal: AbortSignal) => Promise<string>;

/** Runs one reading, and sees to what it meets. */
type Guard = <T>(signal: AbortSignal, attempt: () => Promise<T>) => Promise<T>;

const MAX_BLOB_BYTES = 10 * 1024 * 1024;
const MAX_TREE_BYTES = 256 * 1024 * 1024;
const CACHED_TREE_ITEMS = 100_000;

/** Reads the folders and files of commits that are stored, without a checkout. Folders are parsed once. */
export class TreeReader {
  readonly #options: TreeReaderOptions;
  readonly #trees = new TreeCache(CACHED_TREE_ITEMS);
  /** What is being read: many readers ask for the same at once, and it is read for the first of them. */
  readonly #loading = new Map<string, Promise<Tree>>();

  constructor(options: TreeReaderOptions) {
    this.#options = options;
  }

  /** All below a root folder, as a source tree. */
  sourceTree(rootOf: RootOf, guard: Guard): SourceTree {
    const locate = async (path: string, signal: AbortSignal): Promise<TreeItem | undefined> =>
      this.locate(await rootOf(signal), path, signal);
    return {
      find: (path, { signal }) =>
        guard(signal, async () => {
          const item = await locate(path, signal);
          return item === undefined ? undefined : foundOf(item);
        }),
      treeId: (path, { signal }) =>
        guard(signal, async () => {
          const item = await locate(path, signal);
          return item?.mode === 'tree' ? item.oid : undefined;
        }),
      entries: (path, { signal }) =>
        guard(signal, async () => {
          const item = await locate(path, signal);
          return item?.mode === 'tree' ? this.walk(path, item.oid, signal) : [];
        }),
      read: (entries, { signal }) =>
        guard(signal, async () => {
          await rootOf(signal);
          return this.#readBlobs(entries, signal);
        }),
    };
  }

  /** What stands at a path below a root folder. */
  async locate(root: string, path: string, signal: AbortSignal): Promise<TreeItem | undefined> {
    let item: TreeItem | undefined = { mode: 'tree', oid: root };
    for (const step of pathSteps(path)) {
      if (item?.mode !== 'tree') return undefined;
      const tree: Tree = this.#trees.get(item.oid) ?? (await this.#readTree(item.oid, signal));
      item = tree.items.get(step);
    }
    return item;
  }

  /** All entries below a folder, one batch of reads for each level. */
  async walk(path: string, oid: string, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    const entries: TreeEntry[] = [];
    const start = pathSteps(path).join('/');
    let level: { readonly path: string; readonly oid: string }[] = [{ path: start, oid }];
    while (level.length > 0) {
      const trees = await this.#readTrees(
        level.map((folder) => folder.oid),
        signal,
      );
      const below: { readonly path: string; readonly oid: string }[] = [];
      for (const [index, folder] of level.entries()) {
        const tree = trees[index];
        if (!tree?.isUtf8) {
          throw new PlumbError('Encoding', `a file name in the folder "${folder.path}" is not UTF-8`, {
            where: { file: folder.path },
            fix: 'Rename the file.',
          });
        }
        for (const [name, item] of tree.items) {
          const itemPath = folder.path === '' ? name : `${folder.path}/${name}`;
          if (item.mode === 'tree') below.push({ path: itemPath, oid: item.oid });
          else entries.push({ path: itemPath, mode: item.mode, oid: item.oid });
        }
      }
      level = below;
    }
    return entries.sort(byPath);
  }

  #readTree(oid: string, signal: AbortSignal): Promise<Tree> {
    const read = async (): Promise<Tree> => {
      const [tree] = await this.#readTrees([oid], this.#options.lifetime);
      return tree ?? absent(oid);
    };
    return untilAborted(sharedRun(this.#loading, oid, read), signal);
  }

  async #readTrees(oids: readonly string[], signal: AbortSignal): Promise<readonly Tree[]> {
    const trees = new Map<string, Tree>();
    const unknown: ObjectQuery[] = [];
    for (const oid of oids) {
      const cached = this.#trees.get(oid);
      if (cached) trees.set(oid, cached);
      else unknown.push({ name: oid, want: 'contents', limitBytes: MAX_TREE_BYTES });
    }
    const objects = await this.#options.reader.read(unknown, { signal });
    for (const [index, object] of objects.entries()) {
      const oid = unknown[index]?.name ?? '';
      // A commit is stored with all of its trees, so one that is missing was lost here.
      if (object?.type !== 'tree') throw new UnusableRepository(`the tree ${oid} is missing`);
      if (!object.bytes) throw new PlumbError('GitFailed', `the tree ${oid} is larger than ${MAX_TREE_BYTES} bytes`);
      const tree = parseTree(object.bytes, oid.length / 2);
      trees.set(oid, tree);
      this.#trees.set(oid, tree);
    }
    return oids.map((oid) => trees.get(oid) ?? absent(oid));
  }

  async #readBlobs(entries: readonly TreeEntry[], signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const submodule = entries.find((entry) => entry.mode === 'submodule');
    if (submodule) {
      throw new PlumbError('SubmoduleDisabled', `${submodule.path} is a submodule`, {
        where: { file: submodule.path },
      });
    }
    const found = await this.#findBlobs(entries, signal);
    return entries.map(({ path, oid }, index) => {
      const object = found[index];
      if (!object) throw new UnusableRepository(`the blob ${oid} of ${path} is missing`);
      if (object.bytes) return object.bytes;
      throw new PlumbError('FileTooLarge', `${path} has ${object.sizeBytes} bytes`, { where: { file: path } });
    });
  }

  /** What is stored, and what could be fetched. */
  async #findBlobs(entries: readonly TreeEntry[], signal: AbortSignal): Promise<readonly (GitObject | undefined)[]> {
    const { reader, fetchBlobs } = this.#options;
    const query = (oid: string): ObjectQuery => ({ name: oid, want: 'contents', limitBytes: MAX_BLOB_BYTES });
    const found = [
      ...(await reader.read(
        entries.map(({ oid }) => query(oid)),
        { signal },
      )),
    ];
    const missing = entries.filter((_, index) => !found[index]).map(({ oid }) => oid);
    if (missing.length === 0 || fetchBlobs === undefined) return found;
    await fetchBlobs(missing, signal);
    const fetched = [...(await reader.read(missing.map(query), { signal }))];
    for (const index of entries.keys()) found[index] ??= fetched.shift();
    return found;
  }
}

function foundOf({ mode, oid }: TreeItem): Found {
  return mode === 'tree' ? { mode: 'folder' } : { mode, oid };
}

function absent(oid: string): never {
  throw new Error(`no answer for ${oid}`);
}
