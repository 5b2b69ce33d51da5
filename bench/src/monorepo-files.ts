// One repository with thousands of applications: overlays over one shared base, and charts and plain folders among them.
import { trivialChart, type Files } from './chart-corpus.ts';
import { filesOf as plainFilesOf } from './fleet.ts';

export interface Member {
  readonly name: string;
  readonly kind: 'overlay' | 'chart' | 'plain';
  /** Its folder in the repository. */
  readonly path: string;
  readonly index: number;
}

export const BASE = 'base';

/** As many overlays as asked for, and a tenth of that in charts and in plain folders. */
export function membersOf(overlays: number): readonly Member[] {
  const some = Math.ceil(overlays / 10);
  return [...numbered('overlay', overlays), ...numbered('chart', some), ...numbered('plain', some)];
}

function numbered(kind: Member['kind'], count: number): readonly Member[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `${kind}-${String(index).padStart(4, '0')}`;
    return { name, kind, path: `apps/${name}`, index };
  });
}

/** Everything at the first commit. */
export function repositoryFiles(members: readonly Member[]): Files {
  return Object.assign({ 'README.md': 'What we run.\n' }, baseFiles('1'), ...members.map((member) => filesOf(member)));
}

/** What lies in the shared base that all overlays stand on. */
export function baseFiles(version: string): Files {
  return {
    [`${BASE}/kustomization.yaml`]: 'resources:\n  - deployment.yaml\n  - service.yaml\n  - ingress.yaml\n',
    [`${BASE}/deployment.yaml`]: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app: web
spec:
  replicas: 1
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example.com/web:1.0.0
          env:
            - name: BASE_VERSION
              value: "${version}"
          envFrom:
            - configMapRef:
                name: settings
`,
    [`${BASE}/service.yaml`]: `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - name: http
      port: 80
`,
    [`${BASE}/ingress.yaml`]: `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  defaultBackend:
    service:
      name: web
      port:
        name: http
`,
  };
}

/** The files of one application; `version` changes what is rendered. */
export function filesOf({ name, kind, path, index }: Member, version = '1'): Files {
  if (kind === 'plain') return below(path, plainFilesOf(index, version));
  if (kind === 'chart') {
    const chart = trivialChart();
    const values = `${chart['values.yaml']}commonLabels:\n  example.com/version: v${version}-${name}\n`;
    return below(path, { ...chart, 'values.yaml': values });
  }
  return below(path, {
    'kustomization.yaml': `resources:
  - ../../${BASE}
namespace: ${name}
namePrefix: ${name}-
labels:
  - pairs:
      app.kubernetes.io/name: ${name}
    includeSelectors: true
images:
  - name: registry.example.com/web
    newTag: ${version}.0.0
patches:
  - path: replicas.yaml
configMapGenerator:
  - name: settings
    literals:
      - NAME=${name}
`,
    'replicas.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: ${(index % 5) + 1}
`,
  });
}

/** Files by their last name, in another folder. */
function below(folder: string, files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${folder}/${path.replace(/^apps\/[^/]+\//, '')}`, text]),
  );
}
