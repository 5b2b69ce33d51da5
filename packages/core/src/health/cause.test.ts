import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, KubeObject } from '../object.ts';
import { findCause, rolloutOf, withCause, type Rollout, type Workload } from './cause.ts';
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
      uid: `uid-of-${name}`,
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

const rollout: Rollout = { revision: undefined, wanted: 2, available: 0 };

/** Of a ReplicaSet, which is the simplest workload. */
function causeOf(of: Rollout, pods: readonly KubeObject[]): Health | undefined {
  return findCause({ kind: 'ReplicaSet', uid: 'rs', rollout: of }, { pods, replicaSets: [] }).cause;
}

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

function replicaSet(uid: string, revision: string, owner: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: uid,
      uid,
      annotations: { 'deployment.kubernetes.io/revision': revision },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: owner, controller: true }],
    },
  };
}

const SETS = [replicaSet('old', '1', 'web'), replicaSet('new', '2', 'web'), replicaSet('other', '2', 'foreign')];
const DEPLOYMENT: Workload = { kind: 'Deployment', uid: 'web', rollout: { ...rollout, revision: '2' } };

test('only pods of the current revision count, by the uid of their owners', () => {
  const pods = [
    pod({ name: 'of-old', owner: 'old', status: broken }),
    pod({ name: 'of-new', owner: 'new', status: broken }),
    pod({ name: 'of-other', owner: 'other', status: broken }),
    pod({ name: 'leaving', owner: 'new', status: broken, deleted: true }),
    pod({ name: 'evicted', owner: 'new', status: { phase: 'Failed' } }),
  ];

  const { cause } = findCause(DEPLOYMENT, { pods, replicaSets: SETS });

  assert.match(cause?.message ?? '', /; of-new: ImagePullBackOff, /);
});

test('pods of StatefulSets and DaemonSets are told by their labels, those of Jobs by their owner', () => {
  const pods = ['1', '2'].map((revision) =>
    pod({
      name: revision,
      owner: 'w',
      labels: { 'controller-revision-hash': revision, 'pod-template-generation': revision },
      status: broken,
    }),
  );
  const said = (kind: string, revision: string | undefined): string | undefined =>
    /; ([^:]+):/.exec(
      findCause({ kind, uid: 'w', rollout: { ...rollout, revision } }, { pods, replicaSets: [] }).cause?.message ?? '',
    )?.[1];

  assert.deepEqual(
    [said('StatefulSet', '2'), said('DaemonSet', '1'), said('Job', undefined)],
    ['2', '1', '2 pods like 1'],
  );
});

const QUOTA = 'exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2';

test('a Deployment whose pods are refused is degraded at once, with the quota that does it', () => {
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', generation: 2, annotations: { 'deployment.kubernetes.io/revision': '2' } },
    spec: { replicas: 3 },
    status: {
      observedGeneration: 2,
      availableReplicas: 2,
      conditions: [
        {
          type: 'ReplicaFailure',
          status: 'True',
          reason: 'FailedCreate',
          message: `pods "web-6c8-" is forbidden: ${QUOTA}`,
        },
      ],
    },
  };
  const of = rolloutOf(object);
  const unseen = rolloutOf({ ...object, metadata: { ...object.metadata, generation: 3 } });
  assert.ok(of !== undefined);
  const look = (...pods: readonly KubeObject[]) =>
    findCause({ ...DEPLOYMENT, rollout: of }, { pods, replicaSets: SETS }).cause;

  const refused = look();
  const going = look(pod({ name: 'of-old', owner: 'old', deleted: true }));
  const worse = look(pod({ name: 'of-new', owner: 'new', status: broken }));

  const message = `2 of 3 pods available; pods cannot be created: FailedCreate, ${QUOTA}`;
  assert.deepEqual(refused, { status: 'Degraded', message });
  // The room that it lacks is being made.
  assert.deepEqual(going, { status: 'Progressing', message });
  assert.match(worse?.message ?? '', /ImagePullBackOff/);
  assert.equal(unseen?.refused, undefined);
});

const starting: Json = { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] };
const unready = container({ state: { running: { startedAt: '2026-01-01T00:00:00Z' } } });
const ready: Json = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };

test('Events are asked for where nothing else tells the cause, of one pod, and never of what works', () => {
  const ask = (...pods: readonly KubeObject[]) => findCause(DEPLOYMENT, { pods, replicaSets: SETS }).question;
  const of = (name: string, status: Json): KubeObject => pod({ name, owner: 'new', status });

  assert.deepEqual(ask(of('b', starting), of('c', unready)), { uid: 'uid-of-b', stage: 'starting' });
  assert.deepEqual(ask(of('a', ready), of('c', unready)), { uid: 'uid-of-c', stage: 'running' });
  assert.deepEqual(ask(of('a', {})), { uid: 'uid-of-a', stage: 'scheduling' });
  assert.equal(ask(of('a', ready)), undefined);
  assert.equal(ask(of('a', unready), of('b', broken)), undefined);
  assert.equal(ask(), undefined);
});

test('a workload that lacks pods and has no condition for it is asked about itself', () => {
  const ask = (kind: string, of: Partial<Rollout>, ...pods: readonly KubeObject[]) =>
    findCause({ kind, uid: 'w', rollout: { ...rollout, ...of } }, { pods, replicaSets: [] }).question;
  const running = pod({ owner: 'w', status: ready });
  const creating = { uid: 'w', stage: 'creating' };

  assert.deepEqual(ask('StatefulSet', {}), creating);
  assert.deepEqual(ask('DaemonSet', { revision: '' }, running), creating);
  assert.deepEqual(ask('Job', { hasOwnLimit: true }, pod({ owner: 'w', status: { phase: 'Succeeded' } })), creating);
  assert.equal(ask('Job', { hasOwnLimit: true }, running), undefined);
  assert.equal(ask('StatefulSet', { available: 2 }), undefined);
  // It waits until the old pod is gone.
  assert.equal(ask('StatefulSet', { wanted: 1 }, pod({ owner: 'w', deleted: true })), undefined);
});

test('what Events told counts for the object that was asked about, and for none that gets on', () => {
  const probe: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'web.1' },
    reason: 'Unhealthy',
    message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
    count: 12,
    lastTimestamp: '2026-01-01T00:00:09Z',
  };
  const events = new Map([['uid-of-a', [probe]]]);
  const look = (status: Json) =>
    findCause(DEPLOYMENT, { pods: [pod({ name: 'a', owner: 'new', status })], replicaSets: SETS, events });

  assert.deepEqual(look(unready).cause, {
    status: 'Progressing',
    message: '0 of 2 pods available; a: Unhealthy, readiness probe failed: HTTP 503, 12 times',
  });
  assert.equal(look(ready).cause, undefined);
  assert.match(look(broken).cause?.message ?? '', /ImagePullBackOff/);
});

test('what Events of a workload told names why it has no pods', () => {
  const said: KubeObject = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'db.1' },
    reason: 'FailedCreate',
    message: `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: ${QUOTA}`,
  };
  const events = new Map([['w', [said]]]);

  const { cause } = findCause({ kind: 'StatefulSet', uid: 'w', rollout }, { pods: [], replicaSets: [], events });

  assert.deepEqual(cause, {
    status: 'Degraded',
    message: `0 of 2 pods available; pods cannot be created: FailedCreate, ${QUOTA}`,
  });
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
