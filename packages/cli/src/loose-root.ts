import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { KUSTOMIZATION_NAMES } from '@plumb/render';

export interface LooseRoot {
  /** The folder, or the nearest one above it that all of its bases are below. */
  readonly root: string;
  /** The folder and its bases: all that may be seen below the root. */
  readonly folders: readonly string[];
}

const MAX_FOLDERS = 1000;

/** What could be a path in a kustomization file: an item of a list, or a value. */
const PATHS = /(?:^[ \t]*-[ \t]+|[[,=][ \t]*|:[ \t]+)["']?([^\s"'[\],#]+)/gm;

/**
 * The edge of a folder that no repository is around: the folder itself, and the bases that its kustomization files name.
 * What lies beside them stays out of sight, whatever links lead to: who unpacked something foreign shows it nothing else.
 */
export async function looseRoot(folder: string): Promise<LooseRoot> {
  let root = folder;
  const seen = new Set([folder]);
  const open = [folder];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const base of await basesOf(at)) {
      if (seen.has(base) || seen.size >= MAX_FOLDERS) continue;
      seen.add(base);
      open.push(base);
      root = commonFolder(root, base);
    }
  }
  return { root, folders: [...seen] };
}

/** The folders with a kustomization file that the ones of this folder name. */
async function basesOf(folder: string): Promise<readonly string[]> {
  const bases: string[] = [];
  for (const name of KUSTOMIZATION_NAMES) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => '');
    for (const [, path = ''] of text.matchAll(PATHS)) {
      const base = resolve(folder, path);
      if (!isAbsolute(path) && (await isKustomization(base))) bases.push(base);
    }
  }
  return bases;
}

async function isKustomization(folder: string): Promise<boolean> {
  for (const name of KUSTOMIZATION_NAMES) {
    const stats = await stat(join(folder, name)).catch(() => undefined);
    if (stats?.isFile()) return true;
  }
  return false;
}

function commonFolder(a: string, b: string): string {
  let folder = a;
  while (relative(folder, b).split(sep)[0] === '..') folder = dirname(folder);
  return folder;
}
