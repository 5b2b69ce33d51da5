import { digest, type SourceTree } from '@plumb/core';
import { mergedTree } from './merged-tree.ts';

/** A tree with the text of some files replaced, or files added: what a commit of them would be. */
export function editedTree(base: SourceTree, files: ReadonlyMap<string, string>): SourceTree {
  const edits: SourceTree = {
    find: async (path) => {
      const text = files.get(path);
      return text === undefined ? undefined : { mode: 'file', oid: digest(text) };
    },
    treeId: async () => undefined,
    entries: async () => [],
    read: async (entries) => entries.map(({ path }) => new TextEncoder().encode(files.get(path) ?? '')),
  };
  return mergedTree(base, edits, [...files.keys()]);
}
