import { fail, ok, PlumbError, type Rendered, type Result } from '@plumb/core';

export type RendererName = Rendered['renderer'];

const LATER: ReadonlyMap<string, string> = new Map([
  ['Chart.yaml', 'Helm charts'],
  ['kustomization.yaml', 'Kustomize folders'],
  ['kustomization.yml', 'Kustomize folders'],
  ['Kustomization', 'Kustomize folders'],
]);

/**
 * The renderer of a folder, told by the files directly in it: `values.yaml` makes it manifests with values, anything
 * else plain manifests. `Chart.yaml` and `kustomization.yaml` come with a later version.
 *
 * `entries` are paths in the repository, `path` the folder ('' is the root).
 */
export function chooseRenderer(
  entries: Iterable<{ readonly path: string }>,
  path: string,
): Result<RendererName, PlumbError> {
  let chosen: RendererName = 'plain';
  for (const entry of entries) {
    const name = path === '' ? entry.path : entry.path.slice(path.length + 1);
    const unsupported = unsupportedFile(name, entry.path);
    if (unsupported !== undefined && !name.includes('/')) return fail(unsupported);
    if (name === 'values.yaml') chosen = 'values';
  }
  return ok(chosen);
}

/** The error for a file that only a later version can render, wherever it lies, or undefined. */
export function unsupportedFile(name: string, file: string): PlumbError | undefined {
  const what = LATER.get(name.slice(name.lastIndexOf('/') + 1));
  if (what === undefined) return undefined;
  return new PlumbError('RendererUnsupported', `${what} come with a later version: ${file}`, { where: { file } });
}
