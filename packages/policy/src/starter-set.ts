import { PlumbError, type JsonObject } from '@plumb/core';
import type { Policy } from './policy.ts';
import { readPolicies } from './read-policies.ts';

/** In the words of a file of policies: what such a file says of one of them by its name is laid over it. */
export const STARTER_SET: readonly JsonObject[] = [
  {
    name: 'no-latest-tag',
    description: 'Images name a version, so that a restart runs what was rolled out.',
    subject: 'container',
    action: 'warn',
    expression: `!has(container.image) || container.image.contains('@sha256:')
      || (container.image.matches(':[^/:]+$') && !container.image.endsWith(':latest'))`,
    messageExpression: `'the image ' + container.image + ' names no version'`,
    message: 'the image names no version',
    fix: 'Write a tag other than latest, or a digest.',
    field: 'image',
  },
  {
    name: 'no-privileged',
    description: 'Containers are not privileged: that is root on the node.',
    subject: 'container',
    action: 'warn',
    expression: '!container.?securityContext.?privileged.orValue(false)',
    message: 'the container is privileged',
    fix: 'Leave out securityContext.privileged, and add the capabilities that are needed.',
    field: 'securityContext.privileged',
  },
  {
    name: 'no-host-namespaces',
    description: 'Pods do not share network, processes or IPC of the node.',
    subject: 'pod',
    action: 'warn',
    expression: '!pod.?hostNetwork.orValue(false) && !pod.?hostPID.orValue(false) && !pod.?hostIPC.orValue(false)',
    message: 'the pod shares namespaces of the node',
    fix: 'Leave out hostNetwork, hostPID and hostIPC.',
    field: 'hostNetwork',
  },
  {
    name: 'no-host-path',
    description: 'Pods do not mount folders of the node.',
    subject: 'pod',
    action: 'warn',
    expression: '!has(pod.volumes) || pod.volumes.all(v, !has(v.hostPath))',
    messageExpression: `'the pod mounts folders of the node: ' +
      pod.volumes.filter(v, has(v.hostPath)).map(v, string(v.hostPath.path)).join(', ')`,
    message: 'the pod mounts folders of the node',
    fix: 'Use a PersistentVolumeClaim, an emptyDir or a ConfigMap.',
    field: 'volumes',
  },
  {
    name: 'memory-limit',
    description: 'Containers have a limit of memory, so that a leak ends them and not the node.',
    subject: 'container',
    action: 'warn',
    expression: 'has(container.resources) && has(container.resources.limits) && has(container.resources.limits.memory)',
    message: 'the container has no limit of memory',
    fix: 'Set resources.limits.memory.',
    field: 'resources.limits.memory',
  },
  {
    name: 'readiness-probe',
    description: 'What serves says when it is ready, so that a rollout waits for it.',
    subject: 'container',
    action: 'warn',
    match: { kinds: ['Deployment', 'StatefulSet'] },
    expression: 'isInit || !has(container.ports) || has(container.readinessProbe)',
    message: 'the container has ports and no readiness probe',
    fix: 'Set readinessProbe.',
    field: 'readinessProbe',
  },
  {
    name: 'disruption-budget',
    description: 'What runs more than once has a PodDisruptionBudget, so that a drain leaves some of it running.',
    subject: 'object',
    action: 'warn',
    match: { kinds: ['Deployment', 'StatefulSet'] },
    expression: `object.?spec.?replicas.orValue(1) < 2 || byKind.?PodDisruptionBudget.orValue([]).exists(budget,
      budget.metadata.namespace == object.metadata.namespace
      && selects(budget.?spec.?selector.orValue(null), object.?spec.?template.?metadata.?labels.orValue({})))`,
    message: 'no PodDisruptionBudget selects its pods',
    fix: 'Add a PodDisruptionBudget with the labels of the pods.',
    field: 'spec.replicas',
  },
  {
    name: 'no-stateful-deletion',
    description: 'What holds data, or takes other objects with it, is not deleted by the way.',
    subject: 'item',
    action: 'warn',
    match: {
      kinds: ['StatefulSet', 'PersistentVolumeClaim', 'PersistentVolume', 'CustomResourceDefinition', 'Namespace'],
    },
    expression: `!(item.action in ['delete', 'replace'])`,
    messageExpression: `item.kind + '/' + item.name + ' would be deleted'`,
    message: 'it would be deleted',
    fix: 'Keep it in Git, or delete it by hand once its data is not needed any more.',
  },
];

/** The starter set, read: every policy warns. `monotonic`: milliseconds that only ever grow. */
export function starterPolicies(options: { readonly monotonic: () => number }): readonly Policy[] {
  const read = readPolicies([{ documents: [{ policies: STARTER_SET }], file: 'starter set' }], options);
  if (!read.ok) throw new PlumbError('Internal', read.error.map(({ message }) => message).join('; '));
  return read.value.map((policy) => ({ ...policy, where: undefined }));
}
