import {
  objectKey,
  parseObjectKey,
  parseTargetKey,
  type DesiredSet,
  type KubeObject,
  type ObjectKey,
  type PlanItem,
  type PlanPolicies,
} from '@plumb/core';
import { judgePolicies, type Policy } from '@plumb/policy';
import type { FindingPlaces } from '@plumb/render';
import type { TargetSpec } from './targets.ts';

/** What policies are held against. */
export interface Judged {
  readonly spec: Pick<TargetSpec, 'target' | 'environment' | 'namespace'>;
  readonly desired: DesiredSet;
  readonly items: readonly PlanItem[];
  /** The objects that are live, as far as they are the application's. */
  readonly marked: ReadonlyMap<ObjectKey, KubeObject>;
  readonly places: FindingPlaces;
  /** Whether warnings name the line of their field too: that reads files again, for each application that has any. */
  readonly isExact: boolean;
  readonly signal: AbortSignal;
}

/** What policies say of a plan, each with the line that a person has to change, or that of the object. */
export async function judgePlan(policies: readonly Policy[], judged: Judged): Promise<PlanPolicies> {
  const { spec, desired, items, marked, places, isExact, signal } = judged;
  const wanted = [...desired.objects, ...desired.hooks];
  const { results, counts } = judgePolicies(policies, {
    // What people have written is judged, as it is without a cluster, and not how it is sent.
    objects: wanted.map(({ key, object, written = object }) => ({
      object: written,
      namespace: object.metadata.namespace ?? '',
      oldObject: marked.get(key),
    })),
    plan: {
      items: items.flatMap(({ action, key, changes, reason }) => {
        const ref = parseObjectKey(key);
        return ref === undefined ? [] : [{ action, ref, changes, reason }];
      }),
    },
    environment: spec.environment === '' ? undefined : spec.environment,
    namespace: spec.namespace,
    application: parseTargetKey(spec.target)?.application ?? '',
  });
  const byKey = new Map(wanted.map((object) => [object.key, object]));
  const located = results.map(async ({ index: _index, ...result }) => {
    const object = result.ref === undefined ? undefined : byKey.get(objectKey(result.ref));
    if (object === undefined) return result;
    if (!isExact && result.severity === 'warn') {
      const { file, line } = object.origin;
      return { ...result, where: line === undefined ? { file } : { file, line } };
    }
    const { origin, written = object.object } = object;
    const where = await places.placeOf({ object: written, origin }, result.path, { isFieldName: false, signal });
    return { ...result, where };
  });
  return { results: await Promise.all(located), counts };
}
