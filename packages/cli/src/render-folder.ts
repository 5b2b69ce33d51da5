import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { PlumbError, type RendererName } from '@plumb/core';
import { localTree, repositoryRoot } from '@plumb/git';
import type { Renderer, RenderOutcome } from '@plumb/render';
import { nameFromFolder } from './folder-name.ts';
import { readValuesFiles } from './values-files.ts';
import { looseRoot } from './loose-root.ts';

/** What `plumb render` is asked for: a folder of a working copy, and how. */
export interface FolderRequest {
  readonly folder: string;
  readonly release?: string | undefined;
  readonly namespace?: string | undefined;
  readonly environment?: string | undefined;
  readonly renderer?: RendererName | undefined;
  /** Files, relative to `cwd`. */
  readonly values?: readonly string[] | undefined;
  readonly set?: readonly string[] | undefined;
}

interface RenderOptions {
  readonly renderer: Renderer;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** Renders a folder as its files are now. Errors of the input are in the outcome. */
export async function renderFolder(
  request: FolderRequest,
  { renderer, cwd, signal }: RenderOptions,
): Promise<RenderOutcome> {
  const directory = resolve(cwd, request.folder);
  if (!(await stat(directory).catch(() => undefined))?.isDirectory()) {
    throw new PlumbError('PathMissing', `there is no folder ${request.folder}`, {
      fix: 'Name the folder of the manifests.',
    });
  }
  const layers = await readValuesFiles(request.values ?? [], cwd);
  const root = (await repositoryRoot(directory)) ?? (await looseRoot(directory));
  return renderer.render({
    tree: localTree(root),
    path: relative(root, directory).split(sep).join('/'),
    release: request.release ?? nameFromFolder(directory),
    namespace: request.namespace ?? 'default',
    environment: request.environment,
    renderer: request.renderer,
    set: request.set,
    layers,
    signal,
  });
}
