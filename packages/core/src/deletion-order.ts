import { parseObjectKey, type ObjectKey, type ObjectRef } from './key.ts';
import type { LiveObject } from './live.ts';
import { applyPhase, orderForDelete } from './order.ts';

/**
 * Of a set that is to be deleted, the objects that go first; the others wait until these are gone. The order of applying,
 * turned around: the last wave first, in a wave the kinds from last to first, and nothing before what depends on it.
 * Namespaces and definitions go at the very end, whatever their waves: they would take the others along.
 */
export function firstToGo(objects: readonly LiveObject[]): readonly LiveObject[] {
  const last = Math.max(...objects.map(waveOf));
  const [phase = []] = orderForDelete(
    objects.filter((live) => waveOf(live) === last),
    ({ key }) => refOf(key),
  );
  const neededBy = new Set(objects.flatMap(({ dependsOn = [] }) => dependsOn));
  const free = phase.filter(({ key }) => !neededBy.has(key));
  if (free.length > 0) return free;
  // What others of another phase depend on: those go first. Where nobody is free they depend on each other in a circle.
  const dependents = objects.filter(({ key, dependsOn = [] }) => dependsOn.length > 0 && !neededBy.has(key));
  return dependents.length > 0 ? dependents : phase;
}

function waveOf({ key, wave = 0 }: LiveObject): number {
  return applyPhase(refOf(key)) <= applyPhase(DEFINITION) ? -Infinity : wave;
}

const DEFINITION = { group: 'apiextensions.k8s.io', kind: 'CustomResourceDefinition' };

function refOf(key: ObjectKey): ObjectRef {
  return parseObjectKey(key) ?? { group: '', kind: '', namespace: '', name: key };
}
