import { createHash } from 'node:crypto';
import type { SourceTree, TreeEntry } from '@plumb/core';

export type MemoryFiles = Readonly<Record<string, string | { readonly link: string }>>;

/** A source tree in memory: path → text, or where a symbolic link leads. */
export function memoryTree(files: MemoryFiles): SourceTree {
  const contents = new Map<string, Uint8Array>();
  const all = Object.entries(files).map(([path, content]): TreeEntry => {
    const bytes = Buffer.from(typeof content === 'string' ? content : content.link);
    const oid = createHash('sha1').update(bytes).digest('hex');
    contents.set(oid, bytes);
    return { path, mode: typeof content === 'string' ? 'file' : 'symlink', oid };
  });
  const prefixOf = (path: string): string =>
    path
      .split('/')
      .filter((step) => step !== '' && step !== '.')
      .map((step) => `${step}/`)
      .join('');
  const below = (path: string): readonly TreeEntry[] =>
    all
      .filter((entry) => entry.path.startsWith(prefixOf(path)))
      .toSorted((left, right) => (left.path < right.path ? -1 : 1));
  return {
    async treeId(path) {
      // As in Git: the id of a folder does not depend on where it lies.
      const entries = below(path).map((entry) => ({ ...entry, path: entry.path.slice(prefixOf(path).length) }));
      return entries.length === 0 ? undefined : createHash('sha1').update(JSON.stringify(entries)).digest('hex');
    },
    async entries(path) {
      return below(path);
    },
    async read(entries) {
      return entries.map(({ oid }) => contents.get(oid) ?? new Uint8Array());
    },
  };
}
