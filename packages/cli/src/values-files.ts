import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PlumbError } from '@plumb/core';
import { decodeText, type ValuesLayer } from '@plumb/render';

/**
 * The files of `--values`, in their order. They are the person's own choice, so they may lie anywhere; only what a
 * repository names itself has to stay inside of it.
 */
export async function readValuesFiles(files: readonly string[], cwd: string): Promise<readonly ValuesLayer[]> {
  return Promise.all(files.map((file) => readLayer(file, cwd)));
}

async function readLayer(file: string, cwd: string): Promise<ValuesLayer> {
  const bytes = await readFile(resolve(cwd, file)).catch((cause: unknown) => {
    throw new PlumbError('PathMissing', `the values file ${file} cannot be read`, {
      where: { file },
      fix: 'Correct the name of the values file.',
      cause,
    });
  });
  return { path: file, text: decodeText(bytes, file) };
}
