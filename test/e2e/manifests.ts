/** A manifest of a ConfigMap, as people write it. */
export function configMap(name: string, data: Readonly<Record<string, string>> = { key: 'value' }): string {
  const lines = Object.entries(data).map(([key, value]) => `  ${key}: "${value}"\n`);
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${lines.join('')}`;
}

/** A manifest of a Deployment that becomes healthy. */
export function deployment(
  name: string,
  { replicas = 1, image = 'registry.example.com/app:1', label = name } = {},
): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
  selector:
    matchLabels: {app: ${label}}
  template:
    metadata:
      labels: {app: ${label}}
    spec:
      containers:
      - {name: app, image: "${image}"}
`;
}

/** A manifest with annotations. */
export function annotated(manifest: string, annotations: Readonly<Record<string, string>>): string {
  const lines = Object.entries(annotations).map(([name, value]) => `    ${name}: "${value}"\n`);
  return manifest.replace(/^(metadata:\n {2}name: .*\n)/m, `$1  annotations:\n${lines.join('')}`);
}

/** A manifest of a Job; annotations of its pod steer how it ends. */
export function job(
  name: string,
  annotations: Readonly<Record<string, string>>,
  pod: Readonly<Record<string, string>> = {},
): string {
  const steer = Object.entries(pod).map(([key, value]) => `        ${key}: "${value}"\n`);
  const template = steer.length === 0 ? '' : `    metadata:\n      annotations:\n${steer.join('')}`;
  const manifest = `apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  backoffLimit: 0
  template:
${template}    spec:
      restartPolicy: Never
      containers:
      - {name: run, image: "registry.example.com/run:1"}
`;
  return annotated(manifest, annotations);
}
