import { isProtectedKind } from './deletion.ts';
import { parseObjectKey, type ObjectKey } from './key.ts';

/** The whole spec, and nothing below it: a field of it may be refused for what it is. */
const WHOLE = 'spec';

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

/**
 * The same of kinds that hold data, where a person has to approve it. Where the API server names the whole spec (of claims, and
 * before 1.37 of StatefulSets), it names nothing below. Definitions, namespaces and volumes are in no table: what goes with the
 * first two nobody can foresee, and a volume stays until its claim is gone, which then is of no use.
 */
const IMMUTABLE_WITH_DATA: Readonly<Record<string, readonly string[]>> = {
  '/PersistentVolumeClaim': [WHOLE],
  'apps/StatefulSet': [
    WHOLE,
    'spec.podManagementPolicy',
    'spec.selector',
    'spec.serviceName',
    'spec.volumeClaimTemplates',
  ],
};

/** Whether an object holds data and may be deleted to be made anew all the same, once a person has approved that. */
export function mayAskForNew(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref !== undefined && Object.hasOwn(IMMUTABLE_WITH_DATA, `${ref.group}/${ref.kind}`);
}

/**
 * Whether a field is one that only a new object can have, of a kind that may be deleted for it: at once, or where it holds
 * data (`mayAskForNew`) with an approval.
 */
export function canBeReplaced(key: ObjectKey, field: string | undefined): boolean {
  const ref = parseObjectKey(key);
  if (ref === undefined || field === undefined) return false;
  const name = `${ref.group}/${ref.kind}`;
  const withData = IMMUTABLE_WITH_DATA[name];
  if (withData !== undefined)
    return withData.some((known) => field === known || (known !== WHOLE && isBelow(field, known)));
  // What carries the data of others is never deleted to change a field.
  if (isProtectedKind(key)) return false;
  return (IMMUTABLE[name] ?? []).some((known) => field === known || isBelow(field, known));
}

function isBelow(field: string, known: string): boolean {
  return field.startsWith(`${known}.`) || field.startsWith(`${known}[`);
}
