import { readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { KUSTOMIZATION_NAMES } from '@plumb/render';

const MAX_FOLDERS = 1000;

/** What could be a path in a kustomization file: an item of a list, or anything that leads upwards. */
const PATHS = /(?:^[ \t]*-[ \t]+|[[,=][ \t]*|:[ \t]+)["']?([^\s"'[\],#]+)/gm;

/**
 * The edge of a folder that no repository is around: the folder itself, or as far above as its kustomization files name
 * bases. Links lead no further: who unpacked something foreign gets nothing of what lies beside it.
 */
export async function looseRoot(folder: string): Promise<string> {
  let root = folder;
  const seen = new Set([folder]);
  const open = [folder];
  for (let at = open.pop(); at !== undefined && seen.size <= MAX_FOLDERS; at = open.pop()) {
    for (const name of KUSTOMIZATION_NAMES) {
      const text = await readFile(join(at, name), 'utf8').catch(() => '');
      for (const [, path = ''] of text.matchAll(PATHS)) {
        const target = resolve(at, path);
        const stats = await stat(target).catch(() => undefined);
        if (stats === undefined) continue;
        const base = stats.isDirectory() ? target : dirname(target);
        root = commonFolder(root, base);
        if (!stats.isDirectory() || seen.has(base)) continue;
        seen.add(base);
        open.push(base);
      }
    }
  }
  return root;
}

function commonFolder(a: string, b: string): string {
  let folder = a;
  while (relative(folder, b).split(sep)[0] === '..') folder = dirname(folder);
  return folder;
}
