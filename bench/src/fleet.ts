import { applySetId, withTracking, type KubeObject, type TargetKey } from '@plumb/core';

/** The applications that are measured: four objects each, as plain manifests in a folder each. */
export const NAMESPACE = 'bench';
export const REPOSITORY = 'fleet';

export function nameOf(index: number): string {
  return `app-${String(index).padStart(5, '0')}`;
}

function folderOf(index: number): string {
  return `apps/${nameOf(index)}`;
}

/** ServiceAccount, Service, Deployment and Ingress; `version` is a variable of the Deployment's environment. */
export function objectsOf(index: number, version: string): readonly KubeObject[] {
  const name = nameOf(index);
  const labels = { 'app.kubernetes.io/name': name };
  const metadata = { name, labels: { ...labels, 'app.kubernetes.io/part-of': 'fleet' } };
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
    },
    deploymentOf(index, version),
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata,
      spec: {
        rules: [
          {
            host: `${name}.example.com`,
            http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }] },
          },
        ],
      },
    },
  ];
}

export function deploymentOf(index: number, version: string): KubeObject {
  const name = nameOf(index);
  const labels = { 'app.kubernetes.io/name': name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { ...labels, 'app.kubernetes.io/part-of': 'fleet' } },
    spec: {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: name,
          containers: [
            {
              name: 'app',
              image: 'registry.example.com/app:1.0.0',
              ports: [{ containerPort: 8080, protocol: 'TCP' }],
              env: [{ name: 'VERSION', value: version }],
              resources: { requests: { cpu: '10m', memory: '32Mi' } },
            },
          ],
        },
      },
    },
  };
}

/** The files of one application, by path in the repository. */
export function filesOf(index: number, version: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    objectsOf(index, version).map((object) => [`${folderOf(index)}/${object.kind.toLowerCase()}.yaml`, yaml(object)]),
  );
}

/** The one file of an application that changes with its version. */
export function deploymentFileOf(index: number, version: string): Readonly<Record<string, string>> {
  return { [`${folderOf(index)}/deployment.yaml`]: yaml(deploymentOf(index, version)) };
}

/** What is sent for an object, byte for byte what the engine sends too: with both marks of membership. */
export function applyOf(index: number, object: KubeObject): { readonly path: string; readonly body: string } {
  const name = nameOf(index);
  const set = applySetId({ group: 'plumb.dev', kind: 'Application', namespace: NAMESPACE, name });
  const placed = { ...object, metadata: { ...object.metadata, namespace: NAMESPACE } };
  const marked = withTracking(placed, `${NAMESPACE}/${name}` as TargetKey, set);
  const root = object.apiVersion === 'v1' ? '/api/v1' : `/apis/${object.apiVersion}`;
  const plural = `${object.kind.toLowerCase()}${object.kind === 'Ingress' ? 'es' : 's'}`;
  const query = 'fieldManager=plumb&force=false&fieldValidation=Strict';
  return { path: `${root}/namespaces/${NAMESPACE}/${plural}/${name}?${query}`, body: JSON.stringify(marked) };
}

export function applicationOf(index: number): unknown {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: nameOf(index), namespace: NAMESPACE },
    spec: { source: { repository: REPOSITORY, path: folderOf(index) } },
  };
}

/** Block style, as people write it. */
function yaml(value: unknown, indent = ''): string {
  if (Array.isArray(value)) {
    return value.map((item) => `${indent}- ${yaml(item, `${indent}  `).slice(indent.length + 2)}`).join('');
  }
  return Object.entries(value as Record<string, unknown>)
    .map(([key, item]) =>
      typeof item === 'object'
        ? `${indent}${key}:\n${yaml(item, `${indent}  `)}`
        : `${indent}${key}: ${typeof item === 'string' ? JSON.stringify(item) : String(item)}\n`,
    )
    .join('');
}
