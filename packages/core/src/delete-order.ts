import { parseObjectKey, type ObjectRef } from './key.ts';
import type { LiveObject } from './live.ts';
import { orderForDelete } from './order.ts';

const NOWHERE: ObjectRef = { group: '', kind: '', namespace: '', name: '' };

/**
 * Of all that is to go and is still there: what goes first. The reverse of applying: what depends on others before them,
 * then the latest wave, then the last phase. The rest waits until these are gone. Never empty where something is left.
 */
export function firstToGo(remaining: readonly LiveObject[]): readonly LiveObject[] {
  const needed = new Set(remaining.flatMap(({ dependsOn = [] }) => dependsOn));
  const free = remaining.filter(({ key }) => !needed.has(key));
  // Objects that name each other in a circle go together.
  const candidates = free.length > 0 ? free : remaining;
  const latest = Math.max(...candidates.map(({ wave = 0 }) => wave));
  const inWave = candidates.filter(({ wave = 0 }) => wave === latest);
  return orderForDelete(inWave, ({ key }) => parseObjectKey(key) ?? NOWHERE)[0] ?? [];
}

/** All of it, step by step: each step waits until the one before is gone. */
export function stepsOfDeletion(objects: readonly LiveObject[]): readonly (readonly LiveObject[])[] {
  const steps: (readonly LiveObject[])[] = [];
  let remaining = objects;
  while (remaining.length > 0) {
    const first = new Set(firstToGo(remaining));
    steps.push([...first]);
    remaining = remaining.filter((live) => !first.has(live));
  }
  return steps;
}
