// Kustomize overlays of any size: mixed kinds in a base, and an overlay that does what overlays do.
import type { Files } from './chart-corpus.ts';

/** Objects of the base lie ten to a file, a group of things that belong together. */
const GROUP = 10;

/** A base and an overlay over it that give `count` objects: those of the base and a generated ConfigMap. */
export function kustomizeOverlay(count: number): Files {
  const objects = Array.from({ length: count - 1 }, (_, index) => baseObject(index));
  const files = new Map<string, string>();
  for (const [index, text] of objects.entries()) {
    const name = `group-${String(Math.floor(index / GROUP)).padStart(2, '0')}.yaml`;
    files.set(name, `${files.has(name) ? `${files.get(name)}---\n` : ''}${text}`);
  }
  return {
    'base/kustomization.yaml': `resources:\n${[...files.keys()].map((name) => `  - ${name}\n`).join('')}`,
    ...Object.fromEntries([...files].map(([name, text]) => [`base/${name}`, text])),
    'overlay/kustomization.yaml': `resources:
  - ../base
namespace: staging
namePrefix: stage-
labels:
  - pairs:
      environment: staging
      team: shop
    includeSelectors: true
images:
  - name: registry.example.com/web
    newTag: 2.4.1
  - name: registry.example.com/sidecar
    newName: mirror.example.com/sidecar
    newTag: "7"
patches:
  - path: web.yaml
  - target:
      kind: Deployment
    patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: any
      spec:
        template:
          spec:
            containers:
              - name: web
                resources:
                  limits:
                    memory: 256Mi
  - target:
      kind: Service
      name: web-0
    patch: |-
      - op: add
        path: /spec/type
        value: NodePort
      - op: replace
        path: /spec/ports/0/port
        value: 8080
configMapGenerator:
  - name: settings
    literals:
      - LOG_LEVEL=debug
      - REGION=eu-1
    files:
      - motd.txt
`,
    'overlay/web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-0
spec:
  replicas: 4
  template:
    spec:
      containers:
        - name: web
          env:
            - name: STAGE
              value: staging
`,
    'overlay/motd.txt': 'This is staging.\nBe nice.\n',
  };
}

function baseObject(index: number): string {
  const group = Math.floor(index / GROUP);
  const build = KINDS[index % KINDS.length] ?? deployment;
  return build(group);
}

const KINDS: readonly ((group: number) => string)[] = [
  deployment,
  (group) => `apiVersion: v1
kind: Service
metadata:
  name: web-${group}
spec:
  selector:
    app: web-${group}
  ports:
    - name: http
      port: 80
      targetPort: http
`,
  (group) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: web-${group}
data:
  THEME: "dark"
  PEER: web-${group}
  config.ini: |
    [web]
    workers = ${group + 1}
`,
  (group) => `apiVersion: v1
kind: ServiceAccount
metadata:
  name: web-${group}
`,
  (group) => `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web-${group}
spec:
  rules:
    - host: web-${group}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web-${group}
                port:
                  name: http
`,
  (group) => `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web-${group}
spec:
  minReplicas: 1
  maxReplicas: ${group + 3}
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web-${group}
`,
  (group) => `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: web-${group}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, watch]
`,
  (group) => `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: web-${group}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: web-${group}
subjects:
  - kind: ServiceAccount
    name: web-${group}
    namespace: default
`,
  (group) => `apiVersion: batch/v1
kind: CronJob
metadata:
  name: cleanup-${group}
spec:
  schedule: "${group % 60} 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
            - name: cleanup
              image: registry.example.com/web:1.0.0
              args: [cleanup]
              envFrom:
                - configMapRef:
                    name: settings
`,
  (group) => `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web-${group}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app: web-${group}
`,
];

function deployment(group: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-${group}
  labels:
    app: web-${group}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web-${group}
  template:
    metadata:
      labels:
        app: web-${group}
    spec:
      serviceAccountName: web-${group}
      containers:
        - name: web
          image: registry.example.com/web:1.0.0
          ports:
            - name: http
              containerPort: 8080
          envFrom:
            - configMapRef:
                name: web-${group}
            - configMapRef:
                name: settings
        - name: sidecar
          image: registry.example.com/sidecar:6
`;
}
