import { isProtectedKind } from './deletion.ts';
import { parseObjectKey, type ObjectKey } from './key.ts';

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
  // What holds data, or carries the data of others, is never deleted to change a field.
  if (isProtectedKind(key)) return false;
  const name = `${ref.group}/${ref.kind}`;
  return (IMMUTABLE[name] ?? []).some((known) => {
    return field === known || field.startsWith(`${known}.`) || field.startsWith(`${known}[`);
  });
}
