import { createHash } from 'node:crypto';
import type { SourceTree, TreeEntry } from '@plumb/core';

export type TreeContent = string | Uint8Array | { readonly link: string } | { readonly submodule: string };

/** A source tree in memory: path → content. */
export function treeOf(files: Readonly<Record<string, TreeContent>>): SourceTree {
  const contents = new Map<string, Uint8Array>();
  const all: TreeEntry[] = [];
  for (const [path, content] of Object.entries(files)) {
    const bytes = bytesOf(content);
    const oid = createHash('sha1').update(bytes).digest('hex');
    contents.set(oid, bytes);
    all.push({ path, mode: modeOf(content), oid });
  }
  all.sort((a, b) => (a.path < b.path ? -1 : 1));
  const below = (folder: string) => all.filter((entry) => folder === '' || entry.path.startsWith(`${folder}/`));
  return {
    async treeId(path) {
      const entries = below(path);
      if (entries.length === 0) return undefined;
      return createHash('sha1').update(JSON.stringify(entries)).digest('hex');
    },
    async entries(path) {
      return below(path);
    },
    async read(entries) {
      return entries.map((entry) => contents.get(entry.oid) ?? new Uint8Array());
    },
  };
}

function bytesOf(content: TreeContent): Uint8Array {
  if (typeof content === 'string') return new TextEncoder().encode(content);
  if (content instanceof Uint8Array) return content;
  return new TextEncoder().encode('link' in content ? content.link : content.submodule);
}

function modeOf(content: TreeContent): TreeEntry['mode'] {
  if (typeof content === 'string' || content instanceof Uint8Array) return 'file';
  return 'link' in content ? 'symlink' : 'submodule';
}
