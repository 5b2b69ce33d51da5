import { parseObjectKey, type ObjectKey } from './key.ts';
import type { KubeObject } from './object.ts';

export const SYNC_OPTIONS_ANNOTATION = 'plumb.dev/sync-options';
const ARGO_SYNC_OPTIONS_ANNOTATION = 'argocd.argoproj.io/sync-options';

/** What an object asks for of the way it is treated. */
export interface SyncOptions {
  /** Whether it may be deleted and made anew where a field that cannot be changed demands it. */
  readonly recreate: boolean;
  /** The annotation that keeps it from being deleted when it leaves Git; undefined where it is deleted. */
  readonly keep: string | undefined;
  /** The annotation that keeps it when its application is deleted with its objects. */
  readonly keepOnDelete: string | undefined;
  /** Words that nobody knows, each with its annotation: a typo, most likely. */
  readonly unknown: readonly string[];
}

/** Words of Argo CD that ask for what Plumb does anyway, or for what it never does. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  // Always by server-side apply, which needs no last-applied annotation and so no replace of what is large.
  'ServerSideApply',
  'ClientSideApplyMigration',
  // Fields are validated by the API server; definitions that are missing yet are waited for.
  'Validate',
  'SkipDryRunOnMissingResource',
  // Fields of others are never touched.
  'RespectIgnoreDifferences',
  'ApplyOutOfSyncOnly',
  // Deletions go last, with a propagation of their own.
  'PruneLast',
  'PrunePropagationPolicy',
  // Of the application: `spec.createNamespace`.
  'CreateNamespace',
  'FailOnSharedResource',
]);

/** Annotations of other tools that keep an object, with the value that says so. */
const KEEPERS: readonly [annotation: string, value: string][] = [
  ['plumb.dev/prune', 'false'],
  ['kustomize.toolkit.fluxcd.io/prune', 'disabled'],
  ['helm.sh/resource-policy', 'keep'],
];

/**
 * The options in the annotations of an object, in the words of Argo CD (`Prune=false,Force=true`), under Plumb's name and
 * under Argo CD's. What both say counts once; unknown words change nothing.
 */
export function syncOptionsOf(annotations: KubeObject['metadata']['annotations'] = {}): SyncOptions {
  let recreate = false;
  let keep: string | undefined;
  let keepOnDelete: string | undefined;
  const unknown: string[] = [];
  for (const annotation of [SYNC_OPTIONS_ANNOTATION, ARGO_SYNC_OPTIONS_ANNOTATION]) {
    for (const word of (annotations[annotation] ?? '').split(',').map((text) => text.trim())) {
      if (word === '') continue;
      const [name = '', value = ''] = word.split('=', 2);
      if (name === 'Force') recreate ||= value === 'true';
      // Argo CD's `Replace` alone sends the whole object and deletes nothing.
      else if (name === 'Replace') recreate ||= value === 'true' && annotation === SYNC_OPTIONS_ANNOTATION;
      else if (name === 'Prune') keep ??= keeps(value) ? `${annotation}: ${word}` : undefined;
      else if (name === 'Delete') keepOnDelete ??= keeps(value) ? `${annotation}: ${word}` : undefined;
      else if (!WITHOUT_EFFECT.has(name)) unknown.push(`${annotation}: ${word}`);
    }
  }
  for (const [annotation, value] of KEEPERS) {
    if (annotations[annotation]?.trim() === value) keep ??= `${annotation}: ${value}`;
  }
  return { recreate, keep, keepOnDelete: keepOnDelete ?? keep, unknown };
}

/** `confirm` of Argo CD waits for a person, who is never asked here: it stays. */
function keeps(value: string): boolean {
  return value === 'false' || value === 'confirm';
}

/** Kinds that hold data, or on which the data of others depends: deleting one to change a field is never worth it. */
const NEVER_RECREATED: ReadonlySet<string> = new Set([
  '/Namespace',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  'apps/StatefulSet',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

/**
 * Fields that the API server takes at creation only, by kind. A refusal that names another one may mean something else
 * (a policy, a typo) and never leads to a deletion. Source: `pkg/apis` of Kubernetes 1.37.
 */
const IMMUTABLE: Readonly<Record<string, readonly string[]>> = {
  '/ConfigMap': ['data', 'binaryData', 'immutable'],
  '/Pod': ['spec'],
  '/Secret': ['data', 'immutable', 'type'],
  '/Service': ['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.loadBalancerClass'],
  'apps/DaemonSet': ['spec.selector'],
  'apps/Deployment': ['spec.selector'],
  'apps/ReplicaSet': ['spec.selector'],
  'batch/Job': ['spec.template', 'spec.selector', 'spec.completions', 'spec.completionMode', 'spec.podFailurePolicy'],
  'networking.k8s.io/IngressClass': ['spec.controller'],
  'node.k8s.io/RuntimeClass': ['handler'],
  'rbac.authorization.k8s.io/ClusterRoleBinding': ['roleRef'],
  'rbac.authorization.k8s.io/RoleBinding': ['roleRef'],
  'scheduling.k8s.io/PriorityClass': ['value', 'preemptionPolicy'],
  'storage.k8s.io/CSIDriver': ['spec'],
  'storage.k8s.io/StorageClass': ['parameters', 'provisioner', 'reclaimPolicy', 'volumeBindingMode'],
};

/** Whether a field is one that only a new object can have, of a kind that may be deleted for it. */
export function canBeReplaced(key: ObjectKey, field: string | undefined): boolean {
  const ref = parseObjectKey(key);
  if (ref === undefined || field === undefined) return false;
  const name = `${ref.group}/${ref.kind}`;
  if (NEVER_RECREATED.has(name)) return false;
  return (IMMUTABLE[name] ?? []).some((known) => {
    return field === known || field.startsWith(`${known}.`) || field.startsWith(`${known}[`);
  });
}
