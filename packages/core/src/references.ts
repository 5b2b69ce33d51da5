import type { ObjectRef } from './key.ts';
import { fieldAt, groupOf, isJsonObject, type Json, type KubeObject } from './object.ts';

/** Where the Pods of a kind are described, by `group/kind`. */
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ['/Pod', ['spec']],
  ['/ReplicationController', ['spec', 'template', 'spec']],
  ['apps/DaemonSet', ['spec', 'template', 'spec']],
  ['apps/Deployment', ['spec', 'template', 'spec']],
  ['apps/ReplicaSet', ['spec', 'template', 'spec']],
  ['apps/StatefulSet', ['spec', 'template', 'spec']],
  ['batch/CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
  ['batch/Job', ['spec', 'template', 'spec']],
]);

/**
 * What the Pods of an object cannot start without: the service account they run as, what they mount, what their
 * environment is read from. In the object's own namespace, as Kubernetes has it. Optional references are left out.
 */
export function referencesOf(object: KubeObject): readonly ObjectRef[] {
  const path = POD_SPECS.get(`${groupOf(object.apiVersion)}/${object.kind}`);
  const pod = path === undefined ? undefined : fieldAt(object, ...path);
  if (!isJsonObject(pod)) return [];
  const references: ObjectRef[] = [];
  const refer = (kind: string, holder: Json | undefined, field = 'name'): void => {
    const name = textIn(holder, field);
    if (name === undefined || (isJsonObject(holder) && holder['optional'] === true)) return;
    references.push({ group: '', kind, namespace: object.metadata.namespace ?? '', name });
  };
  refer('ServiceAccount', pod, 'serviceAccountName');
  for (const secret of listIn(pod, 'imagePullSecrets')) refer('Secret', secret);
  for (const volume of listIn(pod, 'volumes')) {
    refer('ConfigMap', fieldIn(volume, 'configMap'));
    refer('Secret', fieldIn(volume, 'secret'), 'secretName');
    refer('PersistentVolumeClaim', fieldIn(volume, 'persistentVolumeClaim'), 'claimName');
    for (const source of listIn(fieldIn(volume, 'projected'), 'sources')) {
      refer('ConfigMap', fieldIn(source, 'configMap'));
      refer('Secret', fieldIn(source, 'secret'));
    }
  }
  for (const container of [...listIn(pod, 'initContainers'), ...listIn(pod, 'containers')]) {
    for (const source of listIn(container, 'envFrom')) {
      refer('ConfigMap', fieldIn(source, 'configMapRef'));
      refer('Secret', fieldIn(source, 'secretRef'));
    }
    for (const variable of listIn(container, 'env')) {
      const from = fieldIn(variable, 'valueFrom');
      refer('ConfigMap', fieldIn(from, 'configMapKeyRef'));
      refer('Secret', fieldIn(from, 'secretKeyRef'));
    }
  }
  return references;
}

/** The Services that the API server will call once this object is there: of webhooks and of aggregated APIs. */
export function calledServices(object: KubeObject): readonly ObjectRef[] {
  const holders =
    object.kind === 'APIService'
      ? [fieldIn(object['spec'] as Json | undefined, 'service')]
      : listIn(object as unknown as Json, 'webhooks').map((webhook) =>
          fieldIn(fieldIn(webhook, 'clientConfig'), 'service'),
        );
  return holders.flatMap((service) => {
    const name = textIn(service, 'name');
    const namespace = textIn(service, 'namespace');
    return name === undefined || namespace === undefined ? [] : [{ group: '', kind: 'Service', namespace, name }];
  });
}

/** Whether a Service sends to the Pods that the object makes. */
export function isBackendOf(object: KubeObject, service: KubeObject): boolean {
  if (object.metadata.namespace !== service.metadata.namespace) return false;
  const path = POD_SPECS.get(`${groupOf(object.apiVersion)}/${object.kind}`);
  if (path === undefined || object.kind === 'Job' || object.kind === 'CronJob') return false;
  const selector = fieldAt(service, 'spec', 'selector');
  const labels = fieldAt(object, ...path.slice(0, -1), 'metadata', 'labels');
  if (!isJsonObject(selector) || !isJsonObject(labels)) return false;
  const wanted = Object.entries(selector);
  return wanted.length > 0 && wanted.every(([label, value]) => labels[label] === value);
}

function fieldIn(value: Json | undefined, field: string): Json | undefined {
  return isJsonObject(value) ? value[field] : undefined;
}

function listIn(value: Json | undefined, field: string): readonly Json[] {
  const list = fieldIn(value, field);
  return Array.isArray(list) ? (list as readonly Json[]) : [];
}

function textIn(value: Json | undefined, field: string): string | undefined {
  const text = fieldIn(value, field);
  return typeof text === 'string' && text !== '' ? text : undefined;
}
