import { computeHealth, rolloutOf, type Health, type Rollout } from './health/index.ts';
import { HOOK_RUN_ANNOTATION } from './hook.ts';
import { keyOf, type ObjectKey, type TargetKey } from './key.ts';
import { autoscalerOf, fieldsHash, fieldsHashBeforeScaling } from './managed-fields.ts';
import type { KubeObject } from './object.ts';
import { annotatedDependencies, annotatedWave } from './order-graph.ts';
import { syncOptionsOf } from './sync-options.ts';
import { FIELD_MANAGER, trackedTarget } from './tracking.ts';

/**
 * What the engine remembers of one object in the cluster: enough to judge membership, drift and health, and nothing
 * else, so that 20,000 objects cost megabytes and not hundreds of them.
 */
export interface LiveObject {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** Counts changes of the content, of kinds that count them. */
  readonly generation?: number;
  /** The target that its marks name; undefined where the marks are missing or name another object. */
  readonly target: TargetKey | undefined;
  /** Fingerprint of the fields that we own; undefined where we own none. */
  readonly fieldsHash: string | undefined;
  /** The autoscaler that owns its number of replicas: Git's number then waits. */
  readonly scaledBy?: string;
  /** What the fingerprint was before that, where we owned the number. */
  readonly fieldsHashBeforeScaling?: string;
  /** The last other manager that wrote the object, for naming who made a drift. */
  readonly lastEditor: Editor | undefined;
  readonly deleting: boolean;
  /** What a deletion waits for; only while it is being deleted. */
  readonly finalizers?: readonly string[];
  readonly health: Health;
  /** Which run of a hook it is; undefined where it is none. */
  readonly hookRun?: string;
  /** Its wave, where it names one: what came late goes early. */
  readonly wave?: number;
  /** What its `depends-on` names: it goes before these. */
  readonly dependsOn?: readonly ObjectKey[];
  /** Why it is never deleted when Git lets go of it: see `SyncOptions`, as the two others. */
  readonly keep?: string;
  readonly askFirst?: string;
  readonly keepWithoutApplication?: string;
  /** Of a workload: what its pods are told by. */
  readonly rollout?: Rollout;
}

export interface Editor {
  readonly manager: string;
  /** RFC 3339, from the API server; empty where it says none (an update of the scale). */
  readonly time: string;
}

/** Sums up an object as the API server reports it. Its managedFields must be there. */
export function observe(object: KubeObject, assess: (object: KubeObject) => Health = computeHealth): LiveObject {
  const hookRun = object.metadata.annotations?.[HOOK_RUN_ANNOTATION];
  const deleting = object.metadata.deletionTimestamp !== undefined;
  const { finalizers = [] } = object.metadata;
  const wave = annotatedWave(object);
  const scaledBy = autoscalerOf(object);
  const beforeScaling = fieldsHashBeforeScaling(object);
  const dependsOn = annotatedDependencies(object);
  const { keep, askFirst, keepWithoutApplication } = syncOptionsOf(object);
  const rollout = rolloutOf(object);
  return {
    key: keyOf(object),
    apiVersion: object.apiVersion,
    uid: object.metadata.uid ?? '',
    resourceVersion: object.metadata.resourceVersion ?? '',
    target: trackedTarget(object),
    fieldsHash: fieldsHash(object),
    lastEditor: lastEditorOf(object),
    deleting,
    health: assess(object),
    ...(typeof object.metadata.generation === 'number' ? { generation: object.metadata.generation } : {}),
    ...(scaledBy === undefined ? {} : { scaledBy }),
    ...(beforeScaling === undefined ? {} : { fieldsHashBeforeScaling: beforeScaling }),
    ...(deleting && finalizers.length > 0 ? { finalizers } : {}),
    ...(hookRun === undefined ? {} : { hookRun }),
    ...(wave === 0 ? {} : { wave }),
    ...(dependsOn.length === 0 ? {} : { dependsOn }),
    ...(keep === undefined ? {} : { keep }),
    ...(askFirst === undefined ? {} : { askFirst }),
    ...(keepWithoutApplication === undefined ? {} : { keepWithoutApplication }),
    ...(rollout === undefined ? {} : { rollout }),
  };
}

/** Status writers (controllers) are not editors: a rollout is not a drift. */
function lastEditorOf(object: KubeObject): Editor | undefined {
  let last: Editor | undefined;
  for (const { manager, time = '', subresource } of object.metadata.managedFields ?? []) {
    if (manager === undefined || manager === FIELD_MANAGER || subresource === 'status') continue;
    if (last === undefined || time > last.time) last = { manager, time };
  }
  return last;
}

/**
 * Whether the first resource version is older than the second. Kubernetes guarantees the order of resource versions of
 * one resource as integers (KEP-5504); where one is not a number nothing is claimed and the answer is false.
 */
export function isOlderVersion(left: string, right: string): boolean {
  const digits = /^[0-9]+$/;
  if (!digits.test(left) || !digits.test(right)) return false;
  return left.length === right.length ? left < right : left.length < right.length;
}
