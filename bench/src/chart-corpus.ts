// The charts that are rendered, in our own words: the shapes that people have, at three sizes.

/** Path below the chart → text. */
export type Files = Readonly<Record<string, string>>;

/** The helpers that nearly every chart has, under the chart's name. */
function helpers(chart: string): string {
  return `{{- define "${chart}.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "${chart}.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "${chart}.selector" -}}
app.kubernetes.io/name: {{ include "${chart}.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "${chart}.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "${chart}.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
`;
}

function chartYaml(name: string): string {
  return `apiVersion: v2
name: ${name}
description: A chart of the bench
type: application
version: 1.2.3
appVersion: "4.5.6"
`;
}

const SERVICE_ACCOUNT = (chart: string): string => `{{- if .Values.serviceAccount.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "${chart}.fullname" . }}
  labels:
    {{- include "${chart}.labels" . | nindent 4 }}
automountServiceAccountToken: {{ .Values.serviceAccount.automount }}
{{- end }}
`;

const TRIVIAL_DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "trivial.fullname" . }}
  labels:
    {{- include "trivial.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels:
      {{- include "trivial.selector" . | nindent 6 }}
  template:
    metadata:
      {{- with .Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      labels:
        {{- include "trivial.labels" . | nindent 8 }}
    spec:
      serviceAccountName: {{ include "trivial.fullname" . }}
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          imagePullPolicy: {{ .Values.image.pullPolicy }}
          ports:
            - name: http
              containerPort: {{ .Values.service.port }}
          livenessProbe:
            {{- toYaml .Values.livenessProbe | nindent 12 }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
`;

/** What a new chart is made of: four objects, one set of helpers. */
export function trivialChart(): Files {
  return {
    'Chart.yaml': chartYaml('trivial'),
    'values.yaml': `replicaCount: 2
image:
  repository: registry.example.com/web
  pullPolicy: IfNotPresent
  tag: ""
nameOverride: ""
fullnameOverride: ""
serviceAccount:
  create: true
  automount: true
podAnnotations:
  example.com/team: platform
service:
  type: ClusterIP
  port: 8080
ingress:
  enabled: true
  className: internal
  hosts: [web.example.com]
livenessProbe:
  httpGet: {path: /healthz, port: http}
resources:
  limits: {memory: 128Mi}
  requests: {cpu: 50m, memory: 64Mi}
`,
    'templates/_helpers.tpl': helpers('trivial'),
    'templates/deployment.yaml': TRIVIAL_DEPLOYMENT,
    'templates/service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: {{ include "trivial.fullname" . }}
  labels:
    {{- include "trivial.labels" . | nindent 4 }}
spec:
  type: {{ .Values.service.type }}
  ports:
    - port: {{ .Values.service.port }}
      targetPort: http
      name: http
  selector:
    {{- include "trivial.selector" . | nindent 4 }}
`,
    'templates/serviceaccount.yaml': SERVICE_ACCOUNT('trivial'),
    'templates/ingress.yaml': `{{- if .Values.ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "trivial.fullname" . }}
  labels:
    {{- include "trivial.labels" . | nindent 4 }}
spec:
  ingressClassName: {{ .Values.ingress.className }}
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "trivial.fullname" $ }}
                port:
                  name: http
    {{- end }}
{{- end }}
`,
    'templates/NOTES.txt': `Reach it at {{ first .Values.ingress.hosts }}.\n`,
    'templates/tests/connection.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: {{ include "trivial.fullname" . }}-test
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: wget
      image: registry.example.com/busybox
      args: ['wget', '{{ include "trivial.fullname" . }}:{{ .Values.service.port }}']
`,
  };
}

const COMPONENT = `{{- range $name, $component := .Values.components }}
{{- $fullname := printf "%s-%s" (include "middle.fullname" $) $name }}
{{- $config := merge (dict) $component.config $.Values.defaults.config }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 4 }}
spec:
  {{- if not $component.scale }}
  replicas: {{ $component.replicas | default $.Values.defaults.replicas }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "middle.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ $name }}
  template:
    metadata:
      annotations:
        checksum/config: {{ toYaml $config | sha256sum }}
      labels:
        {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 8 }}
    spec:
      serviceAccountName: {{ include "middle.fullname" $ }}
      securityContext:
        {{- toYaml $.Values.podSecurity | nindent 8 }}
      containers:
        - name: {{ $name }}
          image: {{ include "middle.image" (dict "root" $ "image" $component.image) }}
          envFrom:
            - configMapRef:
                name: {{ $fullname }}
          env:
            {{- range $key, $value := $component.env }}
            - name: {{ $key | upper | replace "-" "_" }}
              value: {{ tpl (toString $value) $ | quote }}
            {{- end }}
          ports:
            - name: http
              containerPort: {{ $component.port | int }}
          {{- if $component.probes }}
          readinessProbe:
            httpGet:
              path: {{ $component.probes.path | default "/ready" }}
              port: http
          {{- end }}
          resources:
            {{- toYaml (merge (dict) ($component.resources | default dict) $.Values.defaults.resources) | nindent 12 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 4 }}
spec:
  ports:
    - name: http
      port: 80
      targetPort: http
  selector:
    {{- include "middle.selector" $ | nindent 4 }}
    app.kubernetes.io/component: {{ $name }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 4 }}
data:
  {{- range $key, $value := $config }}
  {{ $key }}: {{ tpl (toString $value) $ | quote }}
  {{- end }}
{{- if $component.scale }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $fullname }}
  minReplicas: {{ $component.scale.from }}
  maxReplicas: {{ $component.scale.to }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 70
{{- end }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $fullname }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "middle.selector" $ | nindent 6 }}
      app.kubernetes.io/component: {{ $name }}
{{- end }}
`;

/** A chart with components from its values and a subchart: some 25 objects. */
export function middleChart(): Files {
  return {
    'Chart.yaml': `${chartYaml('middle')}dependencies:
  - name: cache
    version: 0.1.0
    condition: cache.enabled
`,
    'values.yaml': `global:
  registry: registry.example.com
commonLabels:
  example.com/team: shop
serviceAccount: {create: true, automount: false}
podSecurity: {runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000}
defaults:
  replicas: 2
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 256Mi}
  config:
    LOG_LEVEL: info
    REGION: eu-1
    RELEASE: '{{ .Release.Name }}'
components:
  web:
    image: {name: web, tag: 1.4.2}
    port: 8080
    scale: {from: 2, to: 10}
    probes: {path: /healthz}
    config: {THEME: dark}
    env:
      api-url: 'http://{{ include "middle.fullname" . }}-api'
  api:
    image: {name: api, tag: 2.0.0}
    port: 9000
    scale: {from: 3, to: 12}
    probes: {}
    config: {LOG_LEVEL: debug, POOL: "20"}
    env:
      cache-host: '{{ .Release.Name }}-cache'
      timeout-seconds: 30
  worker:
    image: {name: worker, tag: 2.0.0}
    port: 9100
    replicas: 4
    resources:
      limits: {memory: 512Mi}
    config: {QUEUES: "mail,reports"}
    env: {}
ingress:
  hosts: [shop.example.com, www.shop.example.com]
jobs:
  cleanup: {schedule: "0 3 * * *", args: [cleanup, --older-than, 30d]}
  report: {schedule: "30 6 * * 1", args: [report]}
cache:
  enabled: true
  replicas: 3
`,
    'templates/_helpers.tpl': `${helpers('middle')}
{{- define "middle.componentLabels" -}}
{{ include "middle.labels" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "middle.image" -}}
{{- printf "%s/%s:%s" .root.Values.global.registry .image.name (.image.tag | default .root.Chart.AppVersion) | quote }}
{{- end }}
`,
    'templates/components.yaml': COMPONENT,
    'templates/serviceaccount.yaml': SERVICE_ACCOUNT('middle'),
    'templates/rbac.yaml': `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ include "middle.fullname" . }}
rules:
  - apiGroups: [""]
    resources: [configmaps, endpoints]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ include "middle.fullname" . }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ include "middle.fullname" . }}
subjects:
  - kind: ServiceAccount
    name: {{ include "middle.fullname" . }}
    namespace: {{ .Release.Namespace }}
`,
    'templates/ingress.yaml': `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ include "middle.fullname" . }}
  labels:
    {{- include "middle.labels" . | nindent 4 }}
spec:
  tls:
    - secretName: {{ include "middle.fullname" . }}-tls
      hosts:
        {{- toYaml .Values.ingress.hosts | nindent 8 }}
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ . }}
      http:
        paths:
          {{- range $name := keys $.Values.components | sortAlpha }}
          - path: /{{ $name }}
            pathType: Prefix
            backend: {service: {name: {{ include "middle.fullname" $ }}-{{ $name }}, port: {name: http}}}
          {{- end }}
    {{- end }}
`,
    'templates/network-policy.yaml': `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "middle.fullname" . }}
spec:
  podSelector:
    matchLabels:
      {{- include "middle.selector" . | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector: {}
`,
    'templates/jobs.yaml': `{{- range $name, $job := .Values.jobs }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "middle.fullname" $ }}-{{ $name }}
  labels:
    {{- include "middle.componentLabels" (dict "root" $ "component" $name) | nindent 4 }}
spec:
  schedule: {{ $job.schedule | quote }}
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
            - name: {{ $name }}
              image: {{ include "middle.image" (dict "root" $ "image" $.Values.components.worker.image) }}
              args: {{ toJson $job.args }}
{{- end }}
`,
    'charts/cache/Chart.yaml': chartYaml('cache').replace('1.2.3', '0.1.0'),
    'charts/cache/values.yaml': `replicas: 1
port: 6379
config:
  maxmemory: 100mb
  appendonly: "no"
serviceAccount: {create: true, automount: false}
`,
    'charts/cache/templates/_helpers.tpl': helpers('cache'),
    'charts/cache/templates/serviceaccount.yaml': SERVICE_ACCOUNT('cache'),
    'charts/cache/templates/config.yaml': `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "cache.fullname" . }}
  labels:
    {{- include "cache.labels" . | nindent 4 }}
data:
  cache.conf: |
    {{- range $key, $value := .Values.config }}
    {{ $key }} {{ $value }}
    {{- end }}
`,
    'charts/cache/templates/statefulset.yaml': `apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ include "cache.fullname" . }}
  labels:
    {{- include "cache.labels" . | nindent 4 }}
spec:
  serviceName: {{ include "cache.fullname" . }}
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels:
      {{- include "cache.selector" . | nindent 6 }}
  template:
    metadata:
      annotations:
        checksum/config: {{ include (print $.Template.BasePath "/config.yaml") . | sha256sum }}
      labels:
        {{- include "cache.labels" . | nindent 8 }}
    spec:
      containers:
        - name: cache
          image: {{ .Values.global.registry }}/cache:7
          args: [/etc/cache/cache.conf]
          ports:
            - {name: cache, containerPort: {{ .Values.port }}}
          volumeMounts:
            - {name: config, mountPath: /etc/cache}
            - {name: data, mountPath: /data}
      volumes:
        - name: config
          configMap: {name: {{ include "cache.fullname" . }}}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        accessModes: [ReadWriteOnce]
        resources: {requests: {storage: 1Gi}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "cache.fullname" . }}
spec:
  clusterIP: None
  ports:
    - {name: cache, port: {{ .Values.port }}}
  selector:
    {{- include "cache.selector" . | nindent 4 }}
`,
  };
}
