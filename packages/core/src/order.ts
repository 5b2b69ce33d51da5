import { objectKey, type ObjectRef } from './key.ts';
import { type GroupKind } from './object.ts';

/**
 * In which order kinds are applied: each phase needs the ones before it. Objects of one phase do not need each other, so
 * they are applied side by side. Waves, hooks and `depends-on` refine this; they never turn it around.
 */
const PHASES: readonly (readonly string[])[] = [
  ['Namespace'],
  ['CustomResourceDefinition.apiextensions.k8s.io'],
  // What workloads refer to, or are admitted under.
  [
    'ConfigMap',
    'LimitRange',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'ResourceQuota',
    'Secret',
    'ServiceAccount',
    'ClusterRole.rbac.authorization.k8s.io',
    'Role.rbac.authorization.k8s.io',
    'CSIDriver.storage.k8s.io',
    'StorageClass.storage.k8s.io',
    'VolumeAttributesClass.storage.k8s.io',
    'IngressClass.networking.k8s.io',
    'NetworkPolicy.networking.k8s.io',
    'PriorityClass.scheduling.k8s.io',
    'RuntimeClass.node.k8s.io',
  ],
  // The server looks up the role when a binding is written by someone who is not an administrator.
  ['ClusterRoleBinding.rbac.authorization.k8s.io', 'RoleBinding.rbac.authorization.k8s.io'],
  // Everything else: workloads, services, custom resources.
  [],
  // What can refuse or redirect requests: only when the workload behind it is on its way.
  [
    'MutatingAdmissionPolicy.admissionregistration.k8s.io',
    'MutatingAdmissionPolicyBinding.admissionregistration.k8s.io',
    'MutatingWebhookConfiguration.admissionregistration.k8s.io',
    'ValidatingAdmissionPolicy.admissionregistration.k8s.io',
    'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io',
    'ValidatingWebhookConfiguration.admissionregistration.k8s.io',
    'APIService.apiregistration.k8s.io',
  ],
];

const DEFAULT_PHASE = PHASES.findIndex((kinds) => kinds.length === 0);

const PHASE_OF: ReadonlyMap<string, number> = new Map(
  PHASES.flatMap((kinds, phase) => kinds.map((kind) => [kind, phase] as const)),
);

/** The number of the phase in which objects of this kind are applied, from 0. */
export function applyPhase({ group, kind }: GroupKind): number {
  return PHASE_OF.get(group === '' ? kind : `${kind}.${group}`) ?? DEFAULT_PHASE;
}

/**
 * The items as phases to be applied one after another; there are no empty ones. Within a phase they are sorted by key, so
 * that the same set always gives the same order: `orderForApply(objects, refOf)`.
 */
export function orderForApply<T>(items: readonly T[], refOfItem: (item: T) => ObjectRef): readonly (readonly T[])[] {
  const phases: { key: string; item: T }[][] = PHASES.map(() => []);
  for (const item of items) {
    const ref = refOfItem(item);
    phases[applyPhase(ref)]?.push({ key: objectKey(ref), item });
  }
  return phases
    .filter((phase) => phase.length > 0)
    .map((phase) => phase.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ item }) => item));
}

/** The same, turned around: what needs others goes before them. */
export function orderForDelete<T>(items: readonly T[], refOfItem: (item: T) => ObjectRef): readonly (readonly T[])[] {
  return orderForApply(items, refOfItem)
    .map((phase) => [...phase].reverse())
    .reverse();
}
