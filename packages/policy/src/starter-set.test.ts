import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFieldPath, isNamespaced, valueAt, type KubeObject } from '@plumb/core';
import { judgePolicies, type JudgedItem } from './judge.ts';
import { STARTER_SET, starterPolicies } from './starter-set.ts';

const POLICIES = starterPolicies({ monotonic: () => 0 });

const GOOD_CONTAINER = {
  name: 'app',
  image: 'registry.example.org:5000/shop/api:1.2.3',
  ports: [{ containerPort: 80 }],
  readinessProbe: { httpGet: { path: '/', port: 80 } },
  resources: { limits: { memory: '64Mi' } },
};

function workload(kind: string, container: object = {}, pod: object = {}, spec: object = {}): KubeObject {
  const podSpec = { containers: [{ ...GOOD_CONTAINER, ...container }], ...pod };
  const template = { metadata: { labels: { app: 'api', tier: 'web' } }, spec: podSpec };
  const metadata = { name: 'api' };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: podSpec };
  if (kind === 'CronJob')
    return { apiVersion: 'batch/v1', kind, metadata, spec: { jobTemplate: { spec: { template } } } };
  return { apiVersion: 'apps/v1', kind, metadata, spec: { template, ...spec } };
}

function budget(selector: object | undefined, namespace?: string): KubeObject {
  const metadata = { name: 'api', ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec: { minAvailable: 1, selector } };
}

function deletion(kind: string, action = 'delete'): JudgedItem {
  return { action, ref: { group: '', kind, namespace: 'shop', name: 'data' }, changes: [], reason: 'removed' };
}

/** `policy field` of each finding. */
function findings(objects: readonly KubeObject[], items: readonly JudgedItem[] = []): readonly string[] {
  const judged = objects.map((object) => ({
    object,
    namespace: isNamespaced(object) ? (object.metadata.namespace ?? 'shop') : '',
  }));
  const { results } = judgePolicies(POLICIES, {
    objects: judged,
    plan: { items },
    namespace: 'shop',
    application: 'shop',
  });
  assert.deepEqual(
    results.filter(({ fault }) => fault !== undefined),
    [],
  );
  return results.map(({ policy, path }) => `${policy} ${formatFieldPath(path)}`.trim());
}

const APP = 'spec.template.spec.containers[name="app"]';
const NOTHING: readonly string[] = [];

const cases: readonly (readonly [string, readonly KubeObject[], readonly string[]])[] = [
  ['a good Deployment', [workload('Deployment')], NOTHING],
  ['a digest', [workload('Deployment', { image: `api@sha256:${'a'.repeat(64)}` })], NOTHING],
  ['a digest beside latest', [workload('Deployment', { image: `api:latest@sha256:${'a'.repeat(64)}` })], NOTHING],
  ['latest', [workload('Deployment', { image: 'api:latest' })], [`no-latest-tag ${APP}.image`]],
  ['no tag', [workload('Deployment', { image: 'api' })], [`no-latest-tag ${APP}.image`]],
  ['a port and no tag', [workload('Deployment', { image: 'host:5000/api' })], [`no-latest-tag ${APP}.image`]],
  ['a tag that only looks like it', [workload('Deployment', { image: 'api:latest-2' })], NOTHING],
  ['latest in a Pod', [workload('Pod', { image: 'a:latest' })], ['no-latest-tag spec.containers[name="app"].image']],
  [
    'latest in a CronJob',
    [workload('CronJob', { image: 'a:latest' })],
    ['no-latest-tag spec.jobTemplate.spec.template.spec.containers[name="app"].image'],
  ],
  [
    'latest in an init container',
    [workload('Job', {}, { initContainers: [{ ...GOOD_CONTAINER, name: 'init', image: 'a' }] })],
    ['no-latest-tag spec.template.spec.initContainers[name="init"].image'],
  ],
  [
    'privileged',
    [workload('DaemonSet', { securityContext: { privileged: true } })],
    [`no-privileged ${APP}.securityContext.privileged`],
  ],
  ['not privileged', [workload('DaemonSet', { securityContext: { privileged: false } })], NOTHING],
  ['the network of the node', [workload('Pod', {}, { hostNetwork: true })], ['no-host-namespaces spec.hostNetwork']],
  ['the processes of the node', [workload('Pod', {}, { hostPID: true })], ['no-host-namespaces spec.hostNetwork']],
  [
    'a folder of the node',
    [
      workload(
        'Pod',
        {},
        {
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', hostPath: { path: '/var' } },
          ],
        },
      ),
    ],
    ['no-host-path spec.volumes'],
  ],
  ['other volumes', [workload('Pod', {}, { volumes: [{ name: 'a', emptyDir: {} }] })], NOTHING],
  ['no limit', [workload('Job', { resources: {} })], [`memory-limit ${APP}.resources.limits.memory`]],
  [
    'a limit of something else',
    [workload('Job', { resources: { limits: { cpu: 1 } } })],
    [`memory-limit ${APP}.resources.limits.memory`],
  ],
  ['no probe', [workload('Deployment', { readinessProbe: undefined })], [`readiness-probe ${APP}.readinessProbe`]],
  ['no probe of a Job', [workload('Job', { readinessProbe: undefined })], NOTHING],
  ['no probe and no port', [workload('Deployment', { readinessProbe: undefined, ports: undefined })], NOTHING],
  ['two and no budget', [workload('Deployment', {}, {}, { replicas: 2 })], ['disruption-budget spec.replicas']],
  ['one and no budget', [workload('Deployment', {}, {}, { replicas: 1 })], NOTHING],
  [
    'two and a budget',
    [workload('Deployment', {}, {}, { replicas: 2 }), budget({ matchLabels: { app: 'api' } })],
    NOTHING,
  ],
  [
    'two and a budget by expressions',
    [
      workload('StatefulSet', {}, {}, { replicas: 3 }),
      budget({ matchExpressions: [{ key: 'tier', operator: 'In', values: ['web', 'api'] }] }),
    ],
    NOTHING,
  ],
  [
    'two and a budget of others',
    [workload('Deployment', {}, {}, { replicas: 2 }), budget({ matchLabels: { app: 'other' } })],
    ['disruption-budget spec.replicas'],
  ],
  [
    'two and a budget in another namespace',
    [workload('Deployment', {}, {}, { replicas: 2 }), budget({ matchLabels: { app: 'api' } }, 'other')],
    ['disruption-budget spec.replicas'],
  ],
  ['things without pods', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }], NOTHING],
];

for (const [what, objects, expected] of cases) {
  test(`the starter set on ${what}: ${expected.length === 0 ? 'nothing' : expected.join(', ')}`, () => {
    assert.deepEqual(findings(objects), expected);
  });
}

const items: readonly (readonly [JudgedItem, readonly string[]])[] = [
  [deletion('StatefulSet'), ['no-stateful-deletion']],
  [deletion('PersistentVolumeClaim'), ['no-stateful-deletion']],
  [deletion('CustomResourceDefinition'), ['no-stateful-deletion']],
  [deletion('Namespace'), ['no-stateful-deletion']],
  [deletion('StatefulSet', 'replace'), ['no-stateful-deletion']],
  [deletion('StatefulSet', 'change'), NOTHING],
  [deletion('ConfigMap'), NOTHING],
];

for (const [item, expected] of items) {
  test(`the starter set on a plan to ${item.action} a ${item.ref.kind}`, () => {
    assert.deepEqual(findings([], [item]), expected);
  });
}

test('every policy of the starter set warns, says what it is for and what to do, and has a bad and a good case', () => {
  const told = new Set(
    [...cases.flatMap(([, , found]) => found), ...items.flatMap(([, found]) => found)].map(
      (text) => text.split(' ')[0],
    ),
  );

  assert.deepEqual([...told].map(String).sort(), STARTER_SET.map(({ name }) => String(name)).sort());
  for (const { actions, description, fix } of POLICIES) {
    assert.deepEqual(actions, [{ environment: '*', action: 'warn' }]);
    assert.match(description, /^[A-Z].*\.$/);
    assert.match(fix, /^[A-Z].*\.$/);
  }
});

test('a field that is not there has a parent that is', () => {
  const object = workload('Deployment', { resources: {} });
  const { results } = judgePolicies(POLICIES, { objects: [{ object, namespace: '' }], namespace: '', application: '' });
  const [first] = results;

  assert.notEqual(valueAt(object, first?.path.slice(0, -2) ?? []), undefined);
});
