import type { SourceTree } from '@plumb/core';

/** The tree with these folders in it and nothing else; the ones above them are there, with what leads to them. */
export function foldersOnly(tree: SourceTree, folders: readonly string[]): SourceTree {
  const outermost = folders.filter((folder) => !folders.some((other) => other !== folder && isWithin(folder, other)));
  const isShown = (path: string) => outermost.some((folder) => isWithin(path, folder));
  const below = (path: string) => outermost.filter((folder) => isWithin(folder, path)).toSorted();
  return {
    async find(path, call) {
      return isShown(path) || below(path).length > 0 ? tree.find(path, call) : undefined;
    },
    async treeId(path, call) {
      if (isShown(path)) return tree.treeId(path, call);
      const ids = await Promise.all(below(path).map((folder) => tree.treeId(folder, call)));
      return ids.length === 0 ? undefined : ids.join(' ');
    },
    async entries(path, call) {
      if (isShown(path)) return tree.entries(path, call);
      const lists = await Promise.all(below(path).map((folder) => tree.entries(folder, call)));
      return lists.flat().toSorted((a, b) => (a.path < b.path ? -1 : 1));
    },
    read: (entries, call) => tree.read(entries, call),
  };
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}
