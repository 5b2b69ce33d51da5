import type { FieldChange } from '../diff.ts';
import { formatFieldPath, parseFieldPath, type FieldPath } from '../field-path.ts';
import type { KubeObject } from '../object.ts';
import { compareObjects, type Normalised } from './compare-objects.ts';

/**
 * What differs between a live object and its manifest besides these changes, which the API server has told, with the reason
 * why it is none. What the manifest alone would change and the server does not was put back by admission.
 */
export function besidesChanges(
  live: KubeObject,
  desired: KubeObject,
  changes: readonly FieldChange[],
): readonly Normalised[] {
  // Only paths are told, no values.
  const comparison = compareObjects(live, desired, { mask: (value) => value });
  const changed = changes.map(({ path }) => parseFieldPath(path) ?? []);
  const isChanged = (path: FieldPath): boolean =>
    changed.some((other) => isWithin(path, other) || isWithin(other, path));
  const putBack = comparison.changes.map(({ path }): Normalised => ({ path, reason: 'server' }));
  return [...comparison.normalised, ...putBack].filter(({ path }) => !isChanged(parseFieldPath(path) ?? []));
}

function isWithin(path: FieldPath, outer: FieldPath): boolean {
  return outer.length <= path.length && formatFieldPath(path.slice(0, outer.length)) === formatFieldPath(outer);
}
