import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { closest, PlumbError, type SourceTree } from '@plumb/core';
import { decodeText, followPath, type ValuesLayer } from '@plumb/render';
import { pathBelow } from './folder-tree.ts';

/**
 * The files of `--values`, in their order. They are the person's own choice, so they may lie anywhere; only what a
 * repository names itself has to stay inside of it.
 */
export async function readValuesFiles(files: readonly string[], cwd: string): Promise<readonly ValuesLayer[]> {
  return Promise.all(files.map((file) => readLayer(file, cwd)));
}

interface Repository {
  readonly root: string;
  readonly tree: SourceTree;
  /** `at main`, `in the working copy`: what the tree shows. */
  readonly place: string;
}

export interface ValuesAt {
  readonly layers: readonly ValuesLayer[];
  /** Those of the repository, by their path in it. */
  readonly files: readonly string[];
}

/** As `readValuesFiles`; files inside the repository are read as the tree has them. */
export async function readValuesFilesAt(
  { root, tree, place }: Repository,
  files: readonly string[],
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<ValuesAt> {
  const layers: ValuesLayer[] = [];
  const inside: string[] = [];
  for (const file of files) {
    const path = pathBelow(root, resolve(cwd, file));
    if (path === '..' || path.startsWith('../')) {
      layers.push(await readLayer(file, cwd));
      continue;
    }
    const found = await followPath(tree, path, { signal });
    if (found?.mode !== 'file') {
      throw new PlumbError('PathMissing', `${place} there is no values file ${path}`, {
        where: { file: path },
        fix: 'Values files inside the repository are read at both sides: commit it first, or move it elsewhere.',
      });
    }
    const [bytes = new Uint8Array()] = await tree.read([found], { signal });
    layers.push({ path: file, text: decodeText(bytes, file) });
    inside.push(found.path);
  }
  return { layers, files: inside };
}

async function readLayer(file: string, cwd: string): Promise<ValuesLayer> {
  const path = resolve(cwd, file);
  try {
    return { path: file, text: decodeText(await readFile(path), file) };
  } catch (thrown) {
    if (thrown instanceof PlumbError) throw thrown;
    const isMissing = thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT';
    const near = isMissing ? closest(basename(path), await readdir(dirname(path)).catch(() => [])) : undefined;
    throw new PlumbError(
      'PathMissing',
      isMissing ? `there is no values file ${file}` : `the values file ${file} cannot be read`,
      {
        where: { file },
        fix: near === undefined ? 'Correct the name of the values file.' : `Did you mean ${join(dirname(file), near)}?`,
        ...(isMissing ? {} : { cause: thrown }),
      },
    );
  }
}
