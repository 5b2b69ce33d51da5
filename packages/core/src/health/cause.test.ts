import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, KubeObject } from '../object.ts';
import { causeOf, podsOfRollout, podTrouble, rolloutOf, withCause } from './cause.ts';
import type { Health, HealthStatus } from './health.ts';

interface PodParts {
  readonly name?: string;
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly status?: Json;
  readonly deleted?: boolean;
}

function pod({ name = 'web-1', owner = 'rs', labels = {}, status = {}, deleted = false }: PodParts): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels,
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'x', uid: owner, controller: true }],
      ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status,
  };
}

const container = (parts: { readonly [field: string]: Json }): Json => ({
  phase: 'Running',
  containerStatuses: [{ name: 'app', image: 'registry.example/web:2', ready: false, restartCount: 0, ...parts }],
});
const waiting = (reason: string, message?: string): Json =>
  container({ state: { waiting: { reason, ...(message === undefined ? {} : { message }) } } });

const CASES: readonly (readonly [what: string, status: Json, says: string | undefined])[] = [
  ['no status yet', {}, undefined],
  ['containers are being created', waiting('ContainerCreating'), undefined],
  ['init containers run', waiting('PodInitializing'), undefined],
  ['runs and is not ready yet', container({ state: { running: {} } }), undefined],
  [
    'waits for a room on a node',
    {
      phase: 'Pending',
      conditions: [
        {
          type: 'PodScheduled',
          status: 'False',
          reason: 'Unschedulable',
          message: '0/3 nodes are available: 3 Insufficient memory.',
        },
      ],
    },
    'wait Unschedulable, 0/3 nodes are available: 3 Insufficient memory',
  ],
  [
    'is held back by a gate',
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    undefined,
  ],
  [
    'the image is not there',
    waiting('ErrImagePull', 'rpc error: code = NotFound: manifest unknown'),
    'fail ImagePullBackOff, image registry.example/web:2 cannot be pulled (not found)',
  ],
  [
    'the same while it backs off',
    waiting('ImagePullBackOff', 'Back-off pulling image: manifest unknown'),
    'fail ImagePullBackOff, image registry.example/web:2 cannot be pulled (not found)',
  ],
  [
    'the registry refuses',
    waiting('ErrImagePull', '401 Unauthorized'),
    'fail ImagePullBackOff, image registry.example/web:2 cannot be pulled (access denied)',
  ],
  [
    'a Secret is missing',
    waiting('CreateContainerConfigError', 'secret "db" not found'),
    'fail CreateContainerConfigError, container app: secret "db" not found',
  ],
  [
    'one crash is none yet',
    container({ restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }),
    undefined,
  ],
  [
    'two crashes are a loop',
    container({ restartCount: 1, state: { terminated: { exitCode: 1 } } }),
    'fail CrashLoopBackOff, container app keeps stopping with exit code 1',
  ],
  [
    'a loop, while it runs again',
    container({ restartCount: 2, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }),
    'fail CrashLoopBackOff, container app keeps stopping with exit code 1',
  ],
  [
    'backed off after the first crash',
    container({
      restartCount: 1,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 3 } },
    }),
    'fail CrashLoopBackOff, container app keeps stopping with exit code 3',
  ],
  [
    'up again after many crashes',
    container({ ready: true, restartCount: 9, state: { running: {} }, lastState: { terminated: { exitCode: 1 } } }),
    undefined,
  ],
  [
    'killed for its memory',
    container({
      restartCount: 4,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
    }),
    'fail OOMKilled, container app needs more memory than its limit, exit code 137',
  ],
  [
    'what a process wrote is not repeated',
    container({ restartCount: 2, state: { terminated: { exitCode: 1, message: 'password=hunter2' } } }),
    'fail CrashLoopBackOff, container app keeps stopping with exit code 1',
  ],
  [
    'evicted',
    { phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' },
    'fail Evicted, The node was low on memory',
  ],
  [
    'a Job failed',
    { phase: 'Failed', containerStatuses: [{ name: 'app', state: { terminated: { reason: 'Error', exitCode: 2 } } }] },
    'fail Error, exit code 2',
  ],
];

for (const [what, status, says] of CASES) {
  test(`a pod: ${what}`, () => {
    const trouble = podTrouble(pod({ status }));

    const said = trouble && `${trouble.isFailure ? 'fail' : 'wait'} ${trouble.reason}, ${trouble.detail}`;
    assert.equal(said, says);
  });
}

const rollout = { revision: '2', wanted: 2, available: 0 };
const broken = waiting('ImagePullBackOff');
const healthOf = (status: HealthStatus): Health => ({ status, message: '' });

test('a failure of one pod makes the workload degraded, and pods alike are counted', () => {
  const pods = ['web-b', 'web-a'].map((name) => pod({ name, status: broken }));

  const one = causeOf(rollout, pods.slice(0, 1));
  const two = causeOf(rollout, pods);

  assert.equal(one?.status, 'Degraded');
  assert.equal(
    one.message,
    '0 of 2 pods available; web-b: ImagePullBackOff, image registry.example/web:2 cannot be pulled',
  );
  assert.match(two?.message ?? '', /; 2 pods like web-a: ImagePullBackOff, /);
});

test('a failure is named before what may still pass', () => {
  const status = {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'no room' }],
  };

  const alone = causeOf(rollout, [pod({ name: 'a', status })]);
  const both = causeOf(rollout, [pod({ name: 'a', status }), pod({ name: 'b', status: broken })]);

  assert.deepEqual([alone?.status, both?.status], ['Progressing', 'Degraded']);
});

test('a pod of a Job that fails is named, and the Job itself says when it gives up', () => {
  const job = rolloutOf({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: {}, status: {} });
  assert.ok(job !== undefined);

  const cause = causeOf(job, [pod({ name: 'migrate-1', status: broken })]);
  const shown = [healthOf('Progressing'), healthOf('Degraded')].map((health) => withCause(health, cause).status);

  assert.match(cause?.message ?? '', /^0 of 1 pod completed; migrate-1: ImagePullBackOff, /);
  assert.deepEqual(shown, ['Progressing', 'Degraded']);
});

test('what works or stands still is not explained', () => {
  const cause = causeOf(rollout, [pod({ status: broken })]);

  const shown = (['Healthy', 'Suspended', 'Progressing'] as const).map(
    (status) => withCause(healthOf(status), cause).status,
  );

  assert.deepEqual(shown, ['Healthy', 'Suspended', 'Degraded']);
});

test('only pods of the current revision count, by the uid of their owners', () => {
  const replicaSet = (uid: string, revision: string, owner: string): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: uid,
      uid,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: owner, controller: true }],
    },
  });
  const sets = [replicaSet('old', '1', 'web'), replicaSet('new', '2', 'web'), replicaSet('other', '2', 'foreign')];
  const pods = [
    pod({ name: 'of-old', owner: 'old' }),
    pod({ name: 'of-new', owner: 'new' }),
    pod({ name: 'of-other', owner: 'other' }),
    pod({ name: 'leaving', owner: 'new', deleted: true }),
    pod({ name: 'evicted', owner: 'new', status: { phase: 'Failed' } }),
  ];

  const found = podsOfRollout({ kind: 'Deployment', uid: 'web', rollout }, pods, sets);

  assert.deepEqual(
    found.map(({ metadata }) => metadata.name),
    ['of-new'],
  );
});

test('pods of StatefulSets and DaemonSets are told by their labels, those of Jobs by their owner', () => {
  const pods = ['1', '2'].map((revision) =>
    pod({
      name: revision,
      owner: 'w',
      labels: { 'controller-revision-hash': revision, 'pod-template-generation': revision },
    }),
  );
  const names = (kind: string, revision: string | undefined): readonly string[] =>
    podsOfRollout({ kind, uid: 'w', rollout: { ...rollout, revision } }, pods, []).map(({ metadata }) => metadata.name);

  assert.deepEqual(
    [names('StatefulSet', '2'), names('DaemonSet', '1'), names('Job', undefined)],
    [['2'], ['1'], ['1', '2']],
  );
});

test('a workload says which rollout it is in, other kinds none', () => {
  const deployment: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', annotations: { 'deployment.kubernetes.io/revision': '7' } },
    spec: { replicas: 3 },
    status: { availableReplicas: 1 },
  };

  const unseen = { ...deployment, metadata: { ...deployment.metadata, generation: 2 } };

  assert.deepEqual(rolloutOf(deployment), { revision: '7', wanted: 3, available: 1 });
  assert.equal(rolloutOf(unseen)?.revision, '');
  assert.equal(rolloutOf({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }), undefined);
});

test('whatever a status holds, a cause is one short line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.jsonValue(), (text, anything) => {
      const statuses = [
        waiting('CreateContainerError', text),
        container({ image: text, state: { waiting: { reason: 'ErrImagePull' } } }),
        anything as Json,
      ];
      for (const status of statuses) {
        const said = causeOf(rollout, [pod({ status })]);
        assert.ok(said === undefined || (said.message.length < 400 && !/[\n\r]/.test(said.message)));
      }
    }),
  );
});
