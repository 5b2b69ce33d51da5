// A chart that costs what the large monitoring stacks cost: many templates, many includes, rules and dashboards by the
// hundred lines, resource definitions besides.
import type { Files } from './chart-corpus.ts';

const COMPONENTS = [
  'agent',
  'alerts',
  'collector',
  'dashboards',
  'gateway',
  'operator',
  'probe',
  'query',
  'rules',
  'store',
] as const;
const RULES = 40;
const PANELS = 16;
const DEFINITIONS = ['collectors', 'probes', 'rulesets'] as const;
const DEFINITION_FIELDS = 120;

/** Some 130 objects of 40 templates. */
export function heavyChart(): Files {
  const templates = COMPONENTS.flatMap((name, index) => [
    [`templates/${name}/workload.yaml`, workload(name)],
    [`templates/${name}/service.yaml`, service(name)],
    [`templates/${name}/access.yaml`, access(name)],
    [`templates/${name}/monitor.yaml`, monitor(name, index)],
  ]);
  return {
    'Chart.yaml': `apiVersion: v2
name: heavy
description: A chart of the bench
type: application
version: 68.4.0
appVersion: v0.79.2
kubeVersion: ">=1.25.0-0"
`,
    'values.yaml': values(),
    'templates/_helpers.tpl': HELPERS,
    ...(Object.fromEntries(templates) as Files),
    ...Object.fromEntries(DEFINITIONS.map((plural) => [`crds/${plural}.yaml`, definition(plural)])),
  };
}

const HELPERS = `{{- define "heavy.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" }}
{{- end }}

{{- define "heavy.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 26 | trimSuffix "-" }}
{{- else }}
{{- $name := include "heavy.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 26 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 26 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "heavy.component" -}}
{{- printf "%s-%s" (include "heavy.fullname" .root) .name }}
{{- end }}

{{- define "heavy.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride }}
{{- end }}

{{- define "heavy.selector" -}}
app.kubernetes.io/name: {{ include "heavy.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "heavy.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{ include "heavy.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | replace "+" "_" | quote }}
app.kubernetes.io/part-of: {{ include "heavy.name" .root }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- with .root.Values.commonLabels }}
{{ tpl (toYaml .) $.root }}
{{- end }}
{{- end }}

{{- define "heavy.image" -}}
{{- $image := .image }}
{{- $registry := .root.Values.global.registry | default $image.registry }}
{{- if $image.digest }}
{{- printf "%s/%s:%s@%s" $registry $image.repository $image.tag $image.digest }}
{{- else }}
{{- printf "%s/%s:%s" $registry $image.repository ($image.tag | default .root.Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "heavy.ruleLabels" -}}
severity: {{ .severity }}
component: {{ .name }}
{{- with .root.Values.rules.labels }}
{{ toYaml . }}
{{- end }}
{{- end }}
`;

/** The head of every object of a component. */
function metadata(name: string, suffix = ''): string {
  return `metadata:
  name: {{ include "heavy.component" $scope }}${suffix}
  namespace: {{ include "heavy.namespace" . }}
  labels:
    {{- include "heavy.labels" $scope | nindent 4 }}
    {{- with .Values.components.${name}.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.components.${name}.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}`;
}

/** What all templates of a component begin with and end with. */
function template(name: string, documents: readonly string[]): string {
  return `{{- $scope := dict "root" . "name" "${name}" }}
{{- if .Values.components.${name}.enabled }}
${documents.join('\n---\n')}
{{- end }}
`;
}

function workload(name: string): string {
  return template(name, [
    `apiVersion: apps/v1
kind: Deployment
${metadata(name)}
spec:
  replicas: {{ .Values.components.${name}.replicas | default 1 }}
  revisionHistoryLimit: {{ .Values.revisionHistoryLimit }}
  selector:
    matchLabels:
      {{- include "heavy.selector" $scope | nindent 6 }}
  template:
    metadata:
      annotations:
        checksum/settings: {{ toJson .Values.components.${name}.settings | sha256sum }}
      labels:
        {{- include "heavy.labels" $scope | nindent 8 }}
    spec:
      serviceAccountName: {{ include "heavy.component" $scope }}
      {{- with .Values.components.${name}.priorityClassName | default .Values.global.priorityClassName }}
      priorityClassName: {{ . }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.global.securityContext | nindent 8 }}
      containers:
        - name: ${name}
          image: {{ include "heavy.image" (dict "root" . "image" .Values.components.${name}.image) | quote }}
          imagePullPolicy: {{ .Values.components.${name}.image.pullPolicy }}
          args:
            {{- range $key, $value := .Values.components.${name}.settings }}
            - --{{ $key | kebabcase }}={{ tpl (toString $value) $ }}
            {{- end }}
          env:
            {{- range $key, $value := .Values.components.${name}.env }}
            - name: {{ $key }}
              value: {{ tpl (toString $value) $ | quote }}
            {{- end }}
          ports:
            {{- range .Values.components.${name}.ports }}
            - name: {{ .name }}
              containerPort: {{ .port | int }}
              protocol: {{ .protocol | default "TCP" }}
            {{- end }}
          {{- range $probe := list "readinessProbe" "livenessProbe" "startupProbe" }}
          {{ $probe }}:
            {{- toYaml (merge (dict "httpGet" (dict "path" (printf "/-/%s" (trimSuffix "Probe" $probe)) "port" "http")) $.Values.global.probe) | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml (mergeOverwrite (deepCopy .Values.global.resources) (.Values.components.${name}.resources | default dict)) | nindent 12 }}
          volumeMounts:
            - name: settings
              mountPath: /etc/${name}
      volumes:
        - name: settings
          configMap:
            name: {{ include "heavy.component" $scope }}
      {{- with .Values.global.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      affinity:
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels:
                    {{- include "heavy.selector" $scope | nindent 20 }}`,
    `apiVersion: v1
kind: ConfigMap
${metadata(name)}
data:
  settings.yaml: |
    {{- toYaml .Values.components.${name}.settings | nindent 4 }}
  env: |
    {{- range $key, $value := .Values.components.${name}.env }}
    {{ $key }}={{ tpl (toString $value) $ }}
    {{- end }}`,
    `apiVersion: policy/v1
kind: PodDisruptionBudget
${metadata(name)}
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      {{- include "heavy.selector" $scope | nindent 6 }}`,
  ]);
}

function service(name: string): string {
  return template(name, [
    `apiVersion: v1
kind: Service
${metadata(name)}
spec:
  type: ClusterIP
  ports:
    {{- range .Values.components.${name}.ports }}
    - name: {{ .name }}
      port: {{ .port | int }}
      targetPort: {{ .name }}
    {{- end }}
  selector:
    {{- include "heavy.selector" $scope | nindent 4 }}`,
    `apiVersion: v1
kind: ServiceAccount
${metadata(name)}
automountServiceAccountToken: {{ .Values.global.automount }}`,
    `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
${metadata(name)}
spec:
  podSelector:
    matchLabels:
      {{- include "heavy.selector" $scope | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports:
        {{- range .Values.components.${name}.ports }}
        - port: {{ .port | int }}
        {{- end }}`,
  ]);
}

function access(name: string): string {
  const subjects = `subjects:
  - kind: ServiceAccount
    name: {{ include "heavy.component" $scope }}
    namespace: {{ include "heavy.namespace" . }}`;
  const rules = `rules:
  {{- range .Values.components.${name}.rules }}
  - apiGroups: {{ toJson .groups }}
    resources:
      {{- toYaml .resources | nindent 6 }}
    verbs: [get, list, watch]
  {{- end }}`;
  return template(
    name,
    ['ClusterRole', 'Role'].flatMap((kind) => [
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\n${metadata(name)}\n${rules}`,
      `apiVersion: rbac.authorization.k8s.io/v1
kind: ${kind}Binding
${metadata(name)}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ${kind}
  name: {{ include "heavy.component" $scope }}
${subjects}`,
    ]),
  );
}

function monitor(name: string, index: number): string {
  const rules = Array.from({ length: RULES }, (_, rule) => alert(name, rule)).join('\n');
  const panels = Array.from({ length: PANELS }, (_, panel) => panelOf(name, panel)).join(',\n');
  return template(name, [
    `apiVersion: monitoring.example.com/v1
kind: Monitor
${metadata(name)}
spec:
  selector:
    matchLabels:
      {{- include "heavy.selector" $scope | nindent 6 }}
  endpoints:
    {{- range .Values.components.${name}.ports }}
    - port: {{ .name }}
      interval: {{ $.Values.rules.interval }}
    {{- end }}`,
    `apiVersion: monitoring.example.com/v1
kind: RuleSet
${metadata(name)}
spec:
  groups:
    - name: ${name}.rules
      rules:
${rules}`,
    `apiVersion: v1
kind: ConfigMap
${metadata(name, '-dashboard')}
data:
  ${name}.json: |-
    {
      "title": "{{ .Values.dashboards.prefix }} / ${name}",
      "uid": "${String(index).padStart(8, '0')}",
      "timezone": "{{ .Values.dashboards.timezone }}",
      "panels": [
${panels}
      ]
    }`,
  ]);
}

function alert(name: string, rule: number): string {
  const severity = ['info', 'warning', 'critical'][rule % 3] ?? 'info';
  return `        {{- if not (.Values.rules.disabled.Alert${rule} | default false) }}
        - alert: ${name.replace(/^./, (first) => first.toUpperCase())}Alert${rule}
          annotations:
            {{- with .Values.rules.annotations }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
            description: '{{ include "heavy.component" $scope }} {{\`{{ $labels.pod }}\`}} has stayed above {{\`{{ $value }}\`}} for ${rule + 5} minutes.'
            runbook_url: {{ .Values.rules.runbook }}/${name}/alert-${rule}
            summary: The ${name} is not what it should be (${rule}).
          expr: |-
            sum by (namespace, pod) (
              rate(${name}_requests_total{job="{{ include "heavy.component" $scope }}", code=~"5..", namespace=~"{{ .Values.rules.namespaces }}"}[5m])
            ) / ${rule + 1} > ${(rule + 1) / 100}
          for: {{ dig "Alert${rule}" "for" "${rule + 5}m" .Values.rules.overrides }}
          labels:
            {{- include "heavy.ruleLabels" (dict "root" . "name" "${name}" "severity" "${severity}") | nindent 12 }}
        {{- end }}`;
}

function panelOf(name: string, panel: number): string {
  return `        {
          "id": ${panel},
          "title": "${name} ${panel}",
          "type": "timeseries",
          "datasource": {"type": "metrics", "uid": "{{ .Values.dashboards.source }}"},
          "gridPos": {"h": 8, "w": 12, "x": ${(panel % 2) * 12}, "y": ${Math.floor(panel / 2) * 8}},
          "fieldConfig": {"defaults": {"unit": "short", "min": 0, "custom": {"lineWidth": 1, "fillOpacity": 10}}, "overrides": []},
          "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
          "targets": [
            {"refId": "A", "expr": "sum(rate(${name}_requests_total{namespace=\\"$namespace\\"}[$__rate_interval])) by (pod)", "legendFormat": "{{\`{{pod}}\`}}"},
            {"refId": "B", "expr": "histogram_quantile(0.9${panel % 10}, sum(rate(${name}_seconds_bucket[5m])) by (le))", "legendFormat": "p9${panel % 10}"}
          ]
        }`;
}

function values(): string {
  const components = COMPONENTS.map(
    (name, index) => `  ${name}:
    enabled: true
    replicas: ${(index % 3) + 1}
    image: {registry: registry.example.com, repository: stack/${name}, tag: v2.${index}.0, pullPolicy: IfNotPresent}
    labels: {tier: ${index % 2 === 0 ? 'edge' : 'core'}}
    annotations: {example.com/owner: team-${index}}
    settings:
      logLevel: info
      logFormat: json
      listenAddress: ':${9000 + index}'
      storagePath: /var/lib/${name}
      externalUrl: 'https://{{ .Release.Name }}.example.com/${name}'
      retention: ${index + 7}d
    env:
      POD_NAMESPACE: '{{ .Release.Namespace }}'
      PEERS: '{{ .Release.Name }}-${name}-peers'
      GOGC: ${50 + index}
    ports:
      - {name: http, port: ${9000 + index}}
      - {name: metrics, port: ${9100 + index}}
    resources:
      limits: {memory: ${128 * (index + 1)}Mi}
    rules:
      - {groups: [""], resources: [pods, services, endpoints, nodes]}
      - {groups: [apps], resources: [deployments, statefulsets, daemonsets]}
      - {groups: [monitoring.example.com], resources: [${DEFINITIONS.join(', ')}]}
`,
  ).join('');
  return `nameOverride: ""
fullnameOverride: ""
namespaceOverride: ""
commonLabels:
  release: '{{ .Release.Name }}'
revisionHistoryLimit: 10
global:
  registry: ""
  priorityClassName: ""
  automount: true
  securityContext: {runAsNonRoot: true, runAsUser: 65534, fsGroup: 65534}
  probe: {periodSeconds: 10, timeoutSeconds: 3, failureThreshold: 3}
  resources:
    requests: {cpu: 100m, memory: 128Mi}
    limits: {memory: 256Mi}
  tolerations:
    - {key: node-role.kubernetes.io/control-plane, operator: Exists, effect: NoSchedule}
rules:
  interval: 30s
  namespaces: '.*'
  runbook: https://runbooks.example.com
  labels: {team: platform}
  annotations: {dashboard: https://dashboards.example.com}
  disabled: {Alert3: true}
  overrides:
    Alert7: {for: 1h}
dashboards: {prefix: Stack, timezone: utc, source: default}
components:
${components}`;
}

function definition(plural: string): string {
  const kind = plural.replace(/^./, (first) => first.toUpperCase()).replace(/s$/, '');
  const fields = Array.from(
    { length: DEFINITION_FIELDS },
    (_, index) => `                field${index}:
                  description: What a person may set for field ${index}, of which this says at some length what it does.
                  type: object
                  properties:
                    name: {type: string, maxLength: ${64 + index}}
                    weight: {type: integer, format: int32, minimum: ${index}}
                    values:
                      type: array
                      items: {type: string}
                  required: [name]`,
  ).join('\n');
  return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ${plural}.monitoring.example.com
spec:
  group: monitoring.example.com
  names: {kind: ${kind}, listKind: ${kind}List, plural: ${plural}, singular: ${kind.toLowerCase()}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
${fields}
`;
}
