import { fail, ok, PlumbError, type RendererName, type Result } from '@plumb/core';

export interface Choice {
  readonly renderer: RendererName;
  /** Why, as one phrase: `Chart.yaml is there`. */
  readonly because: string;
}

/** The file directly in a folder that tells its renderer; `undefined` names any other. */
const MARKS: ReadonlyMap<string, RendererName> = new Map([
  ['Chart.yaml', 'helm'],
  ['kustomization.yaml', 'kustomize'],
  ['kustomization.yml', 'kustomize'],
  ['Kustomization', 'kustomize'],
]);

/**
 * The renderer of a folder, told by the names of the files directly in it: a chart, a Kustomize root, manifests with
 * `values.yaml`, else plain manifests. A chart that is a Kustomize root too has to be told apart by the user.
 */
export function chooseRenderer(names: Iterable<string>): Result<Choice, PlumbError> {
  let marked: { readonly renderer: RendererName; readonly name: string } | undefined;
  let hasValues = false;
  for (const name of names) {
    if (name === 'values.yaml') hasValues = true;
    const renderer = MARKS.get(name);
    if (renderer === undefined) continue;
    if (marked !== undefined && marked.renderer !== renderer) {
      const message = `the folder has ${marked.name} and ${name}: it is not clear which is meant`;
      return fail(new PlumbError('RendererUnclear', message, { where: { file: name } }));
    }
    marked = { renderer, name };
  }
  if (marked !== undefined) return ok({ renderer: marked.renderer, because: `${marked.name} is there` });
  if (hasValues) return ok({ renderer: 'values', because: 'values.yaml is there, and no Chart.yaml' });
  return ok({ renderer: 'plain', because: 'neither Chart.yaml nor kustomization.yaml nor values.yaml is there' });
}

/** The error for the mark of a renderer deeper inside of a folder of plain manifests, or undefined. */
export function markInside(name: string, file: string): PlumbError | undefined {
  const renderer = MARKS.get(name.slice(name.lastIndexOf('/') + 1));
  if (renderer === undefined) return undefined;
  const what = renderer === 'helm' ? 'a Helm chart' : 'a Kustomize root';
  return new PlumbError('RendererUnclear', `${what} lies inside of a folder of plain manifests`, {
    where: { file },
    fix: 'Make it an application of its own, or exclude its folder with spec.render.manifests.exclude.',
  });
}
