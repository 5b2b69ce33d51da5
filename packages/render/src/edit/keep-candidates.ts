import type { Rendered, SourceTree } from '@plumb/core';
import { joinPath } from '../repository-path.ts';
import {
  CandidateList,
  readTextFile,
  type Candidates,
  type EditCandidate,
  type WishedChange,
} from './edit-candidate.ts';
import { overKustomize, tryKustomize } from './kustomize-candidates.ts';
import { tryManifest } from './manifest-candidates.ts';
import { overValues, tryValues } from './values-candidates.ts';

export type { EditCandidate, WishedChange } from './edit-candidate.ts';
export { withValueAt } from './json-edit.ts';

export interface CandidateSource {
  readonly tree: SourceTree;
  /** What the folder renders to now. */
  readonly rendered: Rendered;
  readonly folder: string;
  /** Of manifests with values: a values file of its own counts by its name alone. */
  readonly environment: string | undefined;
}

interface Call {
  readonly signal: AbortSignal;
}

/**
 * Where a field could be changed in the repository so that it renders to another value: guesses, the likeliest first. A
 * template is never changed; nor is what is not in the repository.
 */
export async function keepCandidates(
  { tree, rendered, folder }: CandidateSource,
  change: WishedChange,
  call: Call,
): Promise<Omit<Candidates, 'overrides'>> {
  const list = new CandidateList();
  const { renderer, valuesFiles = [] } = rendered;
  if (renderer === 'kustomize') await tryKustomize(tree, folder, change, list, call);
  else {
    if (renderer !== 'plain') await tryValues(tree, valuesFiles, change, list, call);
    const source = await readTextFile(tree, change.object.origin.file, call);
    if (source !== undefined && (renderer === 'plain' || !source.text.includes('{{')))
      tryManifest(source, change, list);
  }
  return list;
}

/**
 * What could be laid over the repository for this folder and environment alone, where an edit that was found reaches
 * others too: a patch in the outermost kustomization, or the value in a values file that lies over the one of the edit.
 */
export async function overrideCandidates(
  { tree, rendered, folder, environment }: CandidateSource,
  change: WishedChange,
  found: readonly EditCandidate[],
  call: Call,
): Promise<readonly EditCandidate[]> {
  const { renderer, valuesFiles = [] } = rendered;
  if (renderer === 'kustomize') return overKustomize(tree, folder, change, call);
  if (renderer === 'plain') return [];
  const isOwn = renderer === 'values' && environment !== undefined;
  const own = isOwn ? joinPath(folder, `values-${environment}.yaml`) : undefined;
  const overrides: EditCandidate[] = [];
  for (const candidate of found) {
    const over = await overValues(tree, candidate, { files: valuesFiles, own }, call);
    overrides.push(
      ...over.filter((one) => !overrides.some(({ file, text }) => file === one.file && text === one.text)),
    );
  }
  return overrides;
}
