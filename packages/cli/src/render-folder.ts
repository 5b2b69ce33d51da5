import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PlumbError, type RendererName } from '@plumb/core';
import type { Renderer, RenderOutcome } from '@plumb/render';
import { nameFromFolder } from './folder-name.ts';
import { folderTree } from './folder-tree.ts';
import { readValuesFiles } from './values-files.ts';

/** How a folder is rendered: what the flags of `plumb render` say. */
export interface RenderInputFlags {
  readonly release?: string | undefined;
  readonly namespace?: string | undefined;
  readonly env?: string | undefined;
  readonly renderer?: RendererName | undefined;
  /** Files, relative to `cwd`. */
  readonly values?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
}

export const DEFAULT_NAMESPACE = 'default';

interface RenderOptions {
  readonly renderer: Renderer;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Renders a folder as its files are now. Errors of the input are in the outcome. */
export async function renderFolder(
  folder: string,
  flags: RenderInputFlags,
  { renderer, cwd, signal }: RenderOptions,
): Promise<RenderOutcome> {
  const directory = resolve(cwd, folder);
  const stats = await stat(directory).catch(() => undefined);
  if (stats?.isDirectory() !== true) {
    const message = stats === undefined ? `there is no folder ${folder}` : `${folder} is a file, not a folder`;
    throw new PlumbError('PathMissing', message, { fix: 'Name the folder of the manifests.' });
  }
  const layers = await readValuesFiles(flags.values ?? [], cwd);
  return renderer.render({ ...(await folderTree(directory)), ...inputsOf(flags, directory), layers, signal });
}

/** What templates see of the flags, with their defaults. */
export function inputsOf({ release, namespace, env, renderer, set }: RenderInputFlags, directory: string) {
  return {
    release: release ?? nameFromFolder(directory),
    namespace: namespace ?? DEFAULT_NAMESPACE,
    environment: env,
    renderer,
    set,
  };
}
