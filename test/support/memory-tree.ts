import { createHash } from 'node:crypto';
import type { SourceTree, TreeEntry } from '@plumb/core';

export type MemoryContent = string | Uint8Array | { readonly link: string } | { readonly submodule: string };

/** Path → content: text or bytes of a file, or where a link or a submodule leads. */
export type MemoryFiles = Readonly<Record<string, MemoryContent>>;

/** A source tree in memory. As in Git, the id of a folder does not depend on where it lies. */
export function memoryTree(files: MemoryFiles): SourceTree {
  const contents = new Map<string, Uint8Array>();
  const all = Object.entries(files).map(([path, content]): TreeEntry => {
    const bytes = bytesOf(content);
    const oid = createHash('sha1').update(bytes).digest('hex');
    contents.set(oid, bytes);
    return { path, mode: modeOf(content), oid };
  });
  all.sort((left, right) => (left.path < right.path ? -1 : 1));
  const normal = (path: string): string => path.split('/').filter(isStep).join('/');
  const below = (folder: string) => all.filter(({ path }) => folder === '' || path.startsWith(`${folder}/`));
  return {
    async find(path) {
      const at = normal(path);
      const entry = all.find((candidate) => candidate.path === at);
      if (entry !== undefined) return { mode: entry.mode, oid: entry.oid };
      return below(at).length > 0 ? { mode: 'folder' } : undefined;
    },
    async treeId(path) {
      const at = normal(path);
      const entries = below(at).map((inside) => [inside.path.slice(at.length), inside.mode, inside.oid]);
      return entries.length === 0 ? undefined : createHash('sha1').update(JSON.stringify(entries)).digest('hex');
    },
    async entries(path) {
      return below(normal(path));
    },
    async read(entries) {
      return entries.map(({ oid }) => contents.get(oid) ?? new Uint8Array());
    },
  };
}

function isStep(step: string): boolean {
  return step !== '' && step !== '.';
}

function bytesOf(content: MemoryContent): Uint8Array {
  if (content instanceof Uint8Array) return content;
  if (typeof content === 'string') return Buffer.from(content);
  return Buffer.from('link' in content ? content.link : content.submodule);
}

function modeOf(content: MemoryContent): TreeEntry['mode'] {
  if (typeof content === 'string' || content instanceof Uint8Array) return 'file';
  return 'link' in content ? 'symlink' : 'submodule';
}
