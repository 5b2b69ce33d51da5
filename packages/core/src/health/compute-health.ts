import { groupOf, isJsonObject, type GroupKind, type Json, type KubeObject } from '../object.ts';
import { apiService, customResourceDefinition } from './api-extension.ts';
import { customResource } from './conventions.ts';
import { assessGeneric } from './generic.ts';
import { healthy, type Health, type HealthRule, type Look } from './health.ts';
import { cronJob, job } from './job.ts';
import { service } from './network.ts';
import { pod } from './pod.ts';
import { horizontalPodAutoscaler, podDisruptionBudget } from './policy.ts';
import { persistentVolume, persistentVolumeClaim } from './storage.ts';
import { daemonSet, deployment, replicaSet, statefulSet } from './workload.ts';

/** The built-in kinds whose health is told by their status, by `group/kind`. */
const RULES: ReadonlyMap<string, HealthRule> = new Map([
  ['/PersistentVolume', persistentVolume],
  ['/PersistentVolumeClaim', persistentVolumeClaim],
  ['/Pod', pod],
  ['/ReplicationController', replicaSet],
  ['/Service', service],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinition],
  ['apiregistration.k8s.io/APIService', apiService],
  ['apps/DaemonSet', daemonSet],
  ['apps/Deployment', deployment],
  ['apps/ReplicaSet', replicaSet],
  ['apps/StatefulSet', statefulSet],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscaler],
  ['batch/CronJob', cronJob],
  ['extensions/DaemonSet', daemonSet],
  ['extensions/Deployment', deployment],
  ['extensions/ReplicaSet', replicaSet],
  ['batch/Job', job],
  ['policy/PodDisruptionBudget', podDisruptionBudget],
]);

/** Nothing to read: such an object does its work by being there. */
const PRESENCE: HealthRule = { assess: () => healthy('exists'), reads: {} };

/** The groups that the API server brings along. Groups of add-ons may end in `.k8s.io` too, so they are listed. */
const BUILT_IN_GROUPS: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

function ruleOf(group: string, kind: string): HealthRule {
  return RULES.get(`${group}/${kind}`) ?? (BUILT_IN_GROUPS.has(group) ? PRESENCE : customResource);
}

/** The look of whoever waits: every caller but the one that shows objects as they are. */
const WAITING: Look = { awaitsEnd: true };

/** The health that an object tells about itself. It fetches nothing and never throws. */
export function computeHealth(object: KubeObject, look: Look = WAITING): Health {
  return assessGeneric(object) ?? ruleOf(groupOf(object.apiVersion), object.kind).assess(object, look);
}

/** Whether health of this kind reads more than metadata, so that a watch has to carry the whole objects. */
export function needsStatus({ group, kind }: GroupKind): boolean {
  return ruleOf(group, kind) !== PRESENCE;
}

/** The annotation in which kubectl keeps a second copy of the whole object. */
const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The part of an object that `computeHealth` reads, to be kept in memory: identity, metadata without the managed fields
 * (take their fingerprint first) and the fields of spec and status that its rule names.
 */
export function trimForHealth(object: KubeObject): KubeObject {
  const { apiVersion, kind } = object;
  const { managedFields: _managedFields, annotations, ...metadata } = object.metadata;
  const { [LAST_APPLIED_ANNOTATION]: _copy, ...ownAnnotations } = annotations ?? {};
  const { reads } = ruleOf(groupOf(apiVersion), kind);
  const spec = pick(object.spec, reads.spec ?? []);
  const status =
    reads.status === 'all'
      ? (object.status as Json | undefined)
      : pick(object.status, ['observedGeneration', 'conditions', ...(reads.status ?? [])]);
  return {
    apiVersion,
    kind,
    metadata: { ...metadata, annotations: ownAnnotations },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

function pick(value: unknown, fields: readonly string[]): Json | undefined {
  if (!isJsonObject(value)) return undefined;
  const picked: [string, Json][] = [];
  for (const field of fields) {
    const kept = value[field];
    if (kept !== undefined) picked.push([field, kept]);
  }
  return picked.length === 0 ? undefined : Object.fromEntries(picked);
}
