import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Json, JsonObject, KubeObject, ManagedFieldsEntry } from '../object.ts';
import { compareObjects, type Normalised, type OfflineChange } from './compare-objects.ts';
import { schemaOf } from './kind-schema.ts';
import { treeOf } from './field-tree.ts';
import { comparable } from './comparable.ts';
import { secretMask } from '../secret-tag.ts';

const mask = secretMask(Buffer.from('key of the test'));

/** What is applied, as the entry of its manager. */
function entryOf(manager: string, applied: KubeObject, operation: 'Apply' | 'Update' = 'Apply'): ManagedFieldsEntry {
  const schema = schemaOf(applied.apiVersion, applied.kind);
  assert.ok(schema);
  const fieldsV1 = treeOf(comparable(applied), schema.type);
  return { manager, operation, apiVersion: applied.apiVersion, fieldsType: 'FieldsV1', fieldsV1 };
}

function owned(live: KubeObject, ...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return { ...live, metadata: { ...live.metadata, managedFields } };
}

function deployment(container: JsonObject, spec: JsonObject = {}, podSpec: JsonObject = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop' },
    spec: {
      ...spec,
      template: { spec: { ...podSpec, containers: [{ name: 'app', image: 'nginx:1', ...container }] } },
    },
  };
}

function changesOf(live: KubeObject, desired: KubeObject, manager?: string): readonly OfflineChange[] {
  return compareObjects(live, desired, { mask, manager }).changes;
}

function reasonsOf(live: KubeObject, desired: KubeObject): Readonly<Record<string, string>> {
  const { normalised } = compareObjects(live, desired, { mask });
  const text = ({ reason, managers }: Normalised): string => [reason, ...(managers ?? [])].join(' ');
  return Object.fromEntries(normalised.map((field) => [field.path, text(field)]));
}

const IN_APP = 'spec.template.spec.containers[name="app"]';

function env(...names: readonly string[]): JsonObject {
  return { env: names.map((name) => ({ name, value: name.toLowerCase() })) };
}

test('a value that is set is a change, with both values as they were written', () => {
  const live = deployment({ image: 'nginx:1', resources: { limits: { cpu: '1' } } }, { replicas: 2 });

  assert.deepEqual(
    changesOf(live, deployment({ image: 'nginx:2', resources: { limits: { cpu: '1500m' } } }, { replicas: 3 })),
    [
      { path: 'spec.replicas', before: 2, after: 3 },
      { path: `${IN_APP}.image`, before: 'nginx:1', after: 'nginx:2' },
      { path: `${IN_APP}.resources.limits.cpu`, before: '1', after: '1500m' },
    ],
  );
});

test('what is new has no value before, and what goes has none after', () => {
  const before = deployment(env('A', 'B'));
  const live = owned(before, entryOf('plumb', before));

  assert.deepEqual(changesOf(live, deployment(env('A', 'C'))), [
    { path: `${IN_APP}.env[name="B"]`, before: { name: 'B', value: 'b' } },
    { path: `${IN_APP}.env[name="C"]`, after: { name: 'C', value: 'c' } },
  ]);
});

test('spellings of one value are none: quantities, quotes, whole numbers, times and base64', () => {
  const live = deployment({
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m', memory: '512Mi' } },
    readinessProbe: { httpGet: { port: 80 }, periodSeconds: 5 },
  });
  const desired = deployment({
    ports: [{ containerPort: '80' }],
    resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5, memory: 536870912 } },
    readinessProbe: { httpGet: { port: '80' }, periodSeconds: '5' },
  });

  assert.deepEqual(changesOf(live, desired), []);
  assert.equal(reasonsOf(live, desired)[`${IN_APP}.resources.limits.memory`], 'spelling');
});

test('defaults are none, written out or not, on either side', () => {
  const filled = deployment(
    { imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log', resources: {} },
    { replicas: 1, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } },
    { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', securityContext: {} },
  );

  assert.deepEqual(changesOf(filled, deployment({})), []);
  assert.deepEqual(changesOf(deployment({}), filled), []);
  assert.equal(reasonsOf(filled, deployment({}))['spec.replicas'], 'default');
});

test('a field that we drop goes back to its default', () => {
  const before = deployment({}, { replicas: 5, revisionHistoryLimit: 10 });
  const live = owned(before, entryOf('plumb', before));

  assert.deepEqual(changesOf(live, deployment({})), [{ path: 'spec.replicas', before: 5, after: 1 }]);
});

test('what says nothing is none: empty maps and lists, nulls, zeros that are not kept', () => {
  const live = deployment({});
  const desired = deployment(
    { args: [], env: null, securityContext: {}, resources: {}, tty: false, volumeMounts: [] },
    { paused: false, minReadySeconds: 0 },
    { affinity: {}, nodeSelector: {}, tolerations: [], hostNetwork: false },
  );

  assert.deepEqual(changesOf(live, desired), []);
  assert.equal(reasonsOf(live, desired)['spec.template.spec.affinity'], 'empty');
});

test('a zero that the server keeps is a change', () => {
  assert.deepEqual(changesOf(deployment({}), deployment({}, { replicas: 0 })), [{ path: 'spec.replicas', after: 0 }]);
  assert.deepEqual(
    changesOf(deployment({}), deployment({}, {}, { automountServiceAccountToken: false })).map(({ path }) => path),
    ['spec.template.spec.automountServiceAccountToken'],
  );
});

test('our variables in another order are a change, and those of others between them are none', () => {
  const before = deployment(env('A', 'INJECTED', 'B'));
  const live = owned(
    before,
    entryOf('plumb', deployment(env('A', 'B'))),
    entryOf('injector', deployment(env('INJECTED')), 'Update'),
  );

  assert.deepEqual(changesOf(live, deployment(env('A', 'B'))), []);
  const changes = changesOf(live, deployment(env('B', 'A')));
  assert.deepEqual(
    changes.map(({ path, isOrder }) => [path, isOrder]),
    [[`${IN_APP}.env`, true]],
  );
  assert.equal(reasonsOf(live, deployment(env('A', 'B')))[`${IN_APP}.env[name="INJECTED"]`], 'owner injector');
});

test('a variable that is put before the others is one change', () => {
  const before = deployment(env('A', 'B'));
  const live = owned(before, entryOf('plumb', before));

  assert.deepEqual(changesOf(live, deployment(env('NEW', 'A', 'B'))), [
    { path: `${IN_APP}.env[name="NEW"]`, after: { name: 'NEW', value: 'new' } },
  ]);
});

test('order means something for initial containers and arguments, and nothing for ports and volumes', () => {
  const lists = (isTurned: boolean): KubeObject => {
    const turned = <T>(items: readonly T[]): T[] => (isTurned ? items.toReversed() : [...items]);
    const named = (name: string): JsonObject => ({ name, image: 'nginx:1' });
    return deployment(
      { ports: turned([{ containerPort: 80 }, { containerPort: 81 }]), args: turned(['a', 'b']) },
      {},
      {
        initContainers: turned([named('one'), named('two')]),
        volumes: turned([
          { name: 'x', emptyDir: {} },
          { name: 'y', emptyDir: {} },
        ]),
      },
    );
  };

  assert.deepEqual(
    changesOf(lists(false), lists(true)).map(({ path }) => path),
    ['spec.template.spec.initContainers', `${IN_APP}.args`],
  );
  assert.equal(reasonsOf(lists(false), lists(true))['spec.template.spec.volumes'], 'order');
});

test('one list item is told from another by all its keys', () => {
  const ports = (...list: readonly Json[]): KubeObject => deployment({ ports: [...list] });
  const live = ports({ containerPort: 53, protocol: 'TCP' }, { containerPort: 53, protocol: 'UDP' });

  assert.deepEqual(changesOf(live, ports({ containerPort: 53 }, { containerPort: 53, protocol: 'UDP', name: 'dns' })), [
    { path: `${IN_APP}.ports[containerPort=53,protocol="UDP"].name`, after: 'dns' },
  ]);
});

test('fields of others stay, and so do those that we drop and somebody else owns too', () => {
  const labels = (names: JsonObject): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'env', labels: names as Readonly<Record<string, string>> },
  });
  const live = owned(
    labels({ ours: '1', shared: '1', theirs: '1', nobodys: '1' }),
    entryOf('plumb', labels({ ours: '1', shared: '1' })),
    entryOf('team', labels({ shared: '1', theirs: '1' })),
  );

  assert.deepEqual(changesOf(live, labels({ kept: '1' })), [
    { path: 'metadata.labels.ours', before: '1' },
    { path: 'metadata.labels.kept', after: '1' },
  ]);
  assert.equal(reasonsOf(live, labels({ kept: '1' }))['metadata.labels.shared'], 'owner team');
  assert.equal(reasonsOf(live, labels({ kept: '1' }))['metadata.labels.nobodys'], 'server');
});

test('a field that we set and somebody else owns as well is named with the owner', () => {
  const before = deployment({}, { replicas: 4 });
  const live = owned(before, entryOf('kubectl-edit', deployment({}, { replicas: 4 }), 'Update'));

  assert.deepEqual(changesOf(live, deployment({}, { replicas: 2 })), [
    { path: 'spec.replicas', before: 4, after: 2, owners: ['kubectl-edit'] },
  ]);
});

test('a container that we drop goes, though somebody has set its image', () => {
  const sidecar = { name: 'sidecar', image: 'proxy:1' };
  const two = (image: string): KubeObject => ({
    ...deployment({}),
    spec: {
      template: {
        spec: {
          containers: [
            { name: 'app', image: 'nginx:1' },
            { ...sidecar, image },
          ],
        },
      },
    },
  });
  const live = owned(two('proxy:2'), entryOf('plumb', two('proxy:1')), {
    ...entryOf('kubectl-set', two('proxy:2'), 'Update'),
    fieldsV1: {
      'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"sidecar"}': { 'f:image': {} } } } } },
    },
  });

  assert.deepEqual(
    changesOf(live, deployment({})).map(({ path }) => path),
    ['spec.template.spec.containers[name="sidecar"]'],
  );
});

test('replicas of an autoscaler are left to it, even if they are desired', () => {
  const before = deployment({}, { replicas: 7 });
  const live = owned(before, entryOf('plumb', deployment({})), {
    ...{ manager: 'kube-controller-manager', operation: 'Update', subresource: 'scale', apiVersion: 'apps/v1' },
    fieldsV1: { 'f:spec': { 'f:replicas': {} } },
  });

  assert.deepEqual(changesOf(live, deployment({}, { replicas: 2 })), []);
  assert.equal(reasonsOf(live, deployment({}, { replicas: 2 }))['spec.replicas'], 'owner kube-controller-manager');
});

test('what a former tool applied counts as ours, as long as we have applied nothing', () => {
  const sent = deployment(env('A', 'B'));
  const noted = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(sent) };
  const withNote = { ...sent, metadata: { ...sent.metadata, annotations: noted } };
  const former = owned(withNote, entryOf('kubectl-client-side-apply', withNote, 'Update'));
  const both = owned(withNote, entryOf('plumb', deployment(env('A'))), entryOf('kubectl', deployment(env('B'))));

  assert.deepEqual(
    changesOf(former, deployment(env('A'))).map(({ path }) => path),
    [`${IN_APP}.env[name="B"]`],
  );
  assert.deepEqual(changesOf(both, deployment(env('A'))), []);
});

test('what kubectl sent and a webhook has changed is no change', () => {
  const sent = deployment({ image: 'nginx:1' });
  const noted = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(sent) };
  const mirrored = deployment({ image: 'mirror.example.org/nginx:1' });
  const live = owned(
    { ...mirrored, metadata: { ...mirrored.metadata, annotations: noted } },
    entryOf('kubectl-client-side-apply', mirrored, 'Update'),
  );

  assert.deepEqual(changesOf(live, sent), []);
  assert.deepEqual(
    changesOf(live, deployment({ image: 'nginx:2' })).map(({ after }) => after),
    ['nginx:2'],
  );
});

test('without managedFields, what is not desired is left alone, but for what kubectl noted', () => {
  const live = deployment(env('A', 'B', 'C'));
  const noted = {
    'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(deployment(env('A', 'B'))),
  };

  assert.deepEqual(changesOf(live, deployment(env('A'))), []);
  assert.equal(reasonsOf(live, deployment(env('A')))[`${IN_APP}.env[name="B"]`], 'unowned');
  assert.deepEqual(
    changesOf({ ...live, metadata: { ...live.metadata, annotations: noted } }, deployment(env('A'))).map(
      ({ path }) => path,
    ),
    [`${IN_APP}.env[name="B"]`],
  );
});

test('another manager can be asked about', () => {
  const before = deployment(env('A', 'B'));
  const live = owned(before, entryOf('team', before));

  assert.deepEqual(changesOf(live, deployment(env('A'))), []);
  assert.equal(changesOf(live, deployment(env('A')), 'team').length, 1);
});

test('status, what the server writes, and marks are never a change', () => {
  const live = {
    ...deployment({}),
    metadata: { name: 'api', namespace: 'shop', uid: 'u', resourceVersion: '7', generation: 3 },
    status: { replicas: 1 },
  };
  const desired = { ...deployment({}), status: {} };

  assert.deepEqual(changesOf(live, desired), []);
  assert.equal(reasonsOf(live, desired)['metadata.uid'], 'server');
  assert.equal(reasonsOf(live, desired)['status'], 'server');
});

function secret(content: JsonObject): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys' }, ...content };
}

test('values of Secrets are compared by what they hold, and shown by a tag that equal values share', () => {
  const live = secret({ type: 'Opaque', data: { same: 'YQ==', other: 'YQ==', old: 'Yg==' } });
  const desired = secret({ stringData: { same: 'a', other: 'c', old: 'c' } });
  const changes = changesOf(live, desired);
  const byPath = new Map(changes.map((change) => [change.path, change]));

  assert.deepEqual([...byPath.keys()], ['data.other', 'data.old']);
  assert.match(String(byPath.get('data.other')?.before), /^\(secret [0-9a-f]{8}\)$/);
  assert.equal(byPath.get('data.other')?.after, byPath.get('data.old')?.after);
  assert.notEqual(byPath.get('data.other')?.before, byPath.get('data.old')?.before);
  assert.doesNotMatch(JSON.stringify(compareObjects(live, desired, { mask })), /YQ==|Yg==|Yw==/);
});

test('another response has other tags', () => {
  const other = secretMask(Buffer.from('another key'));
  const [live, desired] = [secret({ data: { a: 'YQ==' } }), secret({ data: { a: 'Yg==' } })];

  assert.notDeepEqual(compareObjects(live, desired, { mask: other }).changes, changesOf(live, desired));
});

const ROLLOUT = {
  apiVersion: 'example.org/v1',
  kind: 'Rollout',
  metadata: { name: 'r' },
};

test('of an unknown kind, lists are told apart by what their owners are on record for', () => {
  const rows = (...names: readonly string[]): KubeObject => ({
    ...ROLLOUT,
    spec: { rows: names.map((id) => ({ id, size: 1 })), tags: [...names] },
  });
  const entry = (manager: string, ...names: readonly string[]): ManagedFieldsEntry => ({
    ...{ manager, operation: 'Apply', apiVersion: 'example.org/v1' },
    fieldsV1: {
      'f:spec': {
        'f:rows': Object.fromEntries(
          names.map((id) => [`k:${JSON.stringify({ id })}`, { '.': {}, 'f:id': {}, 'f:size': {} }]),
        ),
        'f:tags': Object.fromEntries(names.map((id) => [`v:${JSON.stringify(id)}`, {}])),
      },
    },
  });
  const live = owned(rows('a', 'x', 'b'), entry('plumb', 'a', 'b'), entry('team', 'x'));

  assert.deepEqual(changesOf(live, rows('b', 'a')), []);
  assert.deepEqual(
    changesOf(live, rows('a')).map(({ path }) => path),
    ['spec.rows[id="b"]', 'spec.tags[="b"]'],
  );
});

test('of an unknown kind, nothing is taken for a default or a spelling', () => {
  const live = { ...ROLLOUT, spec: { replicas: 1, size: '1', list: ['a', 'b'] } };

  assert.deepEqual(
    changesOf(live, { ...ROLLOUT, spec: { size: 1, list: ['b', 'a'] } }).map(({ path, before, after }) => [
      path,
      before,
      after,
    ]),
    [
      ['spec.size', '1', 1],
      ['spec.list', ['a', 'b'], ['b', 'a']],
    ],
  );
});

test('two versions of an autoscaler on CPU are the same', () => {
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' };
  const v1 = (percentage: number): KubeObject => ({
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'api' },
    spec: { maxReplicas: 3, scaleTargetRef: target, targetCPUUtilizationPercentage: percentage },
  });
  const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } };
  const v2: KubeObject = {
    ...v1(70),
    apiVersion: 'autoscaling/v2',
    spec: { maxReplicas: 3, minReplicas: 1, scaleTargetRef: target, metrics: [{ type: 'Resource', resource: cpu }] },
  };

  assert.deepEqual(changesOf(v2, v1(70)), []);
  assert.deepEqual(changesOf(v1(70), v2), []);
  assert.equal(changesOf(v2, v1(60)).length, 1);
});

test('a Service loses what its new type has no use for, and keeps what the server has given it', () => {
  const service = (spec: JsonObject): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web' },
    spec,
  });
  const applied = service({ type: 'NodePort', ports: [{ port: 80 }] });
  const live = owned(
    service({
      ...{ type: 'NodePort', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], externalTrafficPolicy: 'Cluster' },
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30_000 }],
    }),
    entryOf('plumb', applied),
  );

  assert.deepEqual(changesOf(live, applied), []);
  assert.deepEqual(
    changesOf(live, service({ ports: [{ port: 80 }] })).map(({ path }) => path),
    ['spec.type', 'spec.externalTrafficPolicy', 'spec.ports[port=80,protocol="TCP"].nodePort'],
  );
});

const KINDS = [
  ['apps/v1', 'Deployment'],
  ['v1', 'Service'],
  ['v1', 'Secret'],
  ['v1', 'Pod'],
  ['batch/v1', 'Job'],
  ['autoscaling/v1', 'HorizontalPodAutoscaler'],
  ['example.org/v1', 'Thing'],
] as const;

/** What a file may hold under a name that means something. */
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, '', '1', 1, 0, true, [], {}, '500m', 'nginx'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        ...['spec', 'template', 'containers', 'name', 'env', 'ports', 'data', 'metadata', 'labels', 'annotations'],
        ...['f:spec', 'f:template', 'f:containers', 'k:{"name":"1"}', 'v:1', '.', '__proto__', 'constructor', 'type'],
      ),
      tie('value'),
      { maxKeys: 5 },
    ),
  ),
})).value;

const files = fc.record({
  kind: fc.constantFrom(...KINDS),
  spec: anything,
  data: anything,
  labels: anything,
  annotations: anything,
  fieldsV1: anything,
});

test('any two files are compared without a fault, and one with itself is the same', () => {
  fc.assert(
    fc.property(files, files, (left, right) => {
      const object = ({ spec, data, labels, annotations, fieldsV1 }: typeof left): KubeObject => {
        const managedFields = [{ manager: 'plumb', operation: 'Apply', fieldsV1 }, fieldsV1];
        const metadata = { name: 'a', labels, annotations, managedFields };
        return { apiVersion: left.kind[0], kind: left.kind[1], metadata, spec, data } as unknown as KubeObject;
      };

      compareObjects(object(left), object(right), { mask });
      assert.deepEqual(compareObjects(object(left), object(left), { mask }).changes, []);
    }),
  );
});
