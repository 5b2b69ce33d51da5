import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../object.ts';
import { computeHealth, trimForHealth, type HealthStatus, type Look } from './index.ts';

// Every case that kstatus decides, as objects of our own. Its words are ours by this table:
//   Current -> Healthy, InProgress -> Progressing, Failed -> Degraded, Terminating -> Progressing (it says so).

interface Case {
  readonly says: string;
  readonly object: KubeObject;
  readonly health: HealthStatus;
  /** Where whoever waits is told something else. */
  readonly waiting?: HealthStatus;
  readonly message?: RegExp;
}

const NOW = Date.parse('2026-03-01T12:00:00Z');
/** As `plumb health` looks at objects: as they are. */
const SHOWN: Look = { awaitsEnd: false, now: NOW };

type Parts = { readonly spec?: JsonObject; readonly status?: JsonObject; readonly metadata?: object };

function make(apiVersion: string, kind: string, { metadata = {}, ...rest }: Parts = {}): KubeObject {
  return { apiVersion, kind, metadata: { name: 'shop', namespace: 'retail', generation: 3, ...metadata }, ...rest };
}

function when(type: string, status: string, reason?: string): JsonObject {
  return reason === undefined ? { type, status } : { type, status, reason };
}

const pod = (status?: JsonObject, metadata: object = {}) => make('v1', 'Pod', { metadata, ...(status && { status }) });
const unschedulable = { phase: 'Pending', conditions: [when('PodScheduled', 'False', 'Unschedulable')] };

const pods: readonly Case[] = [
  { says: 'nobody has seen it', object: pod(), health: 'Progressing' },
  { says: 'ready', object: pod({ phase: 'Running', conditions: [when('Ready', 'True')] }), health: 'Healthy' },
  {
    says: 'ended well',
    object: pod({ phase: 'Succeeded', conditions: [when('Ready', 'False', 'PodCompleted')] }),
    health: 'Healthy',
  },
  {
    says: 'ended badly, without a word about it',
    object: pod({ phase: 'Failed', conditions: [when('Ready', 'False', 'PodCompleted')] }),
    health: 'Healthy',
    waiting: 'Degraded',
    message: /^has ended, and does not say how$/,
  },
  {
    says: 'no node yet, 5 s after its creation',
    object: pod(unschedulable, { creationTimestamp: '2026-03-01T11:59:55Z' }),
    health: 'Progressing',
  },
  {
    says: 'no node, 20 s after its creation',
    object: pod(unschedulable, { creationTimestamp: '2026-03-01T11:59:40Z' }),
    health: 'Degraded',
    waiting: 'Progressing',
  },
  { says: 'no node, of unknown age', object: pod(unschedulable), health: 'Degraded', waiting: 'Progressing' },
  {
    says: 'a container that crashes again and again',
    object: pod({
      phase: 'Running',
      conditions: [when('PodScheduled', 'False', 'Unschedulable')],
      containerStatuses: [{ name: 'app', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
    }),
    health: 'Degraded',
    message: /^container app is in CrashLoopBackOff$/,
  },
  {
    says: 'running, and not ready',
    object: pod({ phase: 'Running', conditions: [when('Ready', 'False', 'Starting')] }),
    health: 'Progressing',
  },
  { says: 'pending', object: pod({ phase: 'Pending' }), health: 'Progressing' },
  {
    says: 'pending, with a scheduler that says something else',
    object: pod({ phase: 'Pending', conditions: [when('PodScheduled', 'False', 'Unknown')] }),
    health: 'Progressing',
  },
];

const claim = (status?: JsonObject) => make('v1', 'PersistentVolumeClaim', status && { status });

const claims: readonly Case[] = [
  { says: 'nobody has seen it', object: claim(), health: 'Progressing' },
  { says: 'bound', object: claim({ phase: 'Bound' }), health: 'Healthy' },
];

const statefulSet = (status?: JsonObject, spec: JsonObject = { replicas: 3 }) =>
  make('apps/v1', 'StatefulSet', { spec, ...(status && { status: { observedGeneration: 3, ...status } }) });
const partitioned = { replicas: 3, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } };

const statefulSets: readonly Case[] = [
  { says: 'nobody has seen it', object: make('apps/v1', 'StatefulSet'), health: 'Progressing' },
  { says: 'no replicas counted', object: statefulSet({ currentReplicas: 1 }, {}), health: 'Progressing' },
  {
    says: 'all there',
    object: statefulSet({ currentReplicas: 3, readyReplicas: 3, replicas: 3 }),
    health: 'Healthy',
  },
  {
    says: 'too few ready',
    object: statefulSet({ currentReplicas: 3, readyReplicas: 1, replicas: 3 }),
    health: 'Progressing',
  },
  {
    says: 'too few current',
    object: statefulSet({ currentReplicas: 1, readyReplicas: 3, replicas: 3 }),
    health: 'Progressing',
  },
  {
    says: 'too many pods',
    object: statefulSet({ currentReplicas: 3, readyReplicas: 3, replicas: 5 }),
    health: 'Progressing',
  },
  {
    says: 'two revisions',
    object: statefulSet({
      currentReplicas: 3,
      readyReplicas: 3,
      replicas: 3,
      currentRevision: 'shop-1',
      updateRevision: 'shop-2',
    }),
    health: 'Progressing',
  },
  {
    says: 'a partition that is not updated',
    object: statefulSet({ currentReplicas: 2, readyReplicas: 3, replicas: 3, updatedReplicas: 1 }, partitioned),
    health: 'Progressing',
  },
  {
    says: 'a partition that is updated',
    object: statefulSet({ currentReplicas: 1, readyReplicas: 3, replicas: 3, updatedReplicas: 2 }, partitioned),
    health: 'Healthy',
  },
  {
    says: 'updated by hand, all ready',
    object: statefulSet({ readyReplicas: 3, replicas: 3 }, { replicas: 3, updateStrategy: { type: 'OnDelete' } }),
    health: 'Healthy',
  },
];

const counted = (changes: JsonObject = {}, observedGeneration = 3): JsonObject => ({
  observedGeneration,
  desiredNumberScheduled: 5,
  currentNumberScheduled: 5,
  updatedNumberScheduled: 5,
  numberAvailable: 5,
  numberReady: 5,
  ...changes,
});
const daemonSet = (status?: JsonObject) => make('apps/v1', 'DaemonSet', status && { status });

const daemonSets: readonly Case[] = [
  { says: 'nobody has seen it', object: daemonSet(), health: 'Progressing' },
  { says: 'no nodes counted', object: daemonSet({ observedGeneration: 3, currentReplicas: 1 }), health: 'Progressing' },
  { says: 'on every node', object: daemonSet(counted()), health: 'Healthy' },
  { says: 'too few ready', object: daemonSet(counted({ numberReady: 4 })), health: 'Progressing' },
  { says: 'of an older spec', object: daemonSet(counted({}, 2)), health: 'Progressing' },
  { says: 'too few available', object: daemonSet(counted({ numberAvailable: 4 })), health: 'Progressing' },
  { says: 'too few updated', object: daemonSet(counted({ updatedNumberScheduled: 4 })), health: 'Progressing' },
  { says: 'too few scheduled', object: daemonSet(counted({ currentNumberScheduled: 4 })), health: 'Progressing' },
];

const rolledOut = when('Progressing', 'True', 'NewReplicaSetAvailable');
const one = { observedGeneration: 3, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, replicas: 1 };
const deployment = (conditions: readonly JsonObject[], spec?: JsonObject, counts: JsonObject = one) =>
  make('apps/v1', 'Deployment', { ...(spec && { spec }), status: { ...counts, conditions } });

const deployments: readonly Case[] = [
  { says: 'nobody has seen it', object: make('apps/v1', 'Deployment'), health: 'Progressing' },
  { says: 'all there', object: deployment([rolledOut, when('Available', 'True')]), health: 'Healthy' },
  {
    says: 'a deadline, and no progress to speak of',
    object: deployment([when('Progressing', 'False', 'Whatever'), when('Available', 'True')], {
      progressDeadlineSeconds: 45,
    }),
    health: 'Progressing',
  },
  { says: 'no deadline', object: deployment([when('Available', 'True')]), health: 'Healthy' },
  {
    says: 'not available',
    object: deployment([rolledOut, when('Available', 'False')]),
    health: 'Progressing',
  },
  {
    says: 'past its deadline',
    object: deployment([when('Progressing', 'False', 'ProgressDeadlineExceeded')], { progressDeadlineSeconds: 45 }),
    health: 'Degraded',
  },
  {
    says: 'old replicas left',
    object: deployment([rolledOut, when('Available', 'True')], { replicas: 1 }, { ...one, replicas: 2 }),
    health: 'Progressing',
  },
  {
    says: 'of the group that it once had',
    object: { ...deployment([when('Available', 'False')]), apiVersion: 'extensions/v1beta1' },
    health: 'Progressing',
  },
];

const two = { observedGeneration: 3, replicas: 2, readyReplicas: 2, availableReplicas: 2, fullyLabeledReplicas: 2 };
const replicaSet = (changes: JsonObject = {}) =>
  make('apps/v1', 'ReplicaSet', { spec: { replicas: 2 }, status: { ...two, ...changes } });

const replicaSets: readonly Case[] = [
  { says: 'nobody has seen it', object: make('apps/v1', 'ReplicaSet'), health: 'Progressing' },
  {
    says: 'all there, and no failure',
    object: replicaSet({ conditions: [when('ReplicaFailure', 'False')] }),
    health: 'Healthy',
  },
  { says: 'all there', object: replicaSet(), health: 'Healthy' },
  { says: 'too few available', object: replicaSet({ availableReplicas: 1 }), health: 'Progressing' },
  { says: 'too few ready', object: replicaSet({ readyReplicas: 1 }), health: 'Progressing' },
  {
    says: 'pods that cannot be created',
    object: replicaSet({ conditions: [when('ReplicaFailure', 'True')] }),
    health: 'Progressing',
    message: /^pods cannot be created/,
  },
];

const budget = (observedGeneration: number) =>
  make('policy/v1', 'PodDisruptionBudget', { status: { observedGeneration } });

const budgets: readonly Case[] = [
  { says: 'of an older spec', object: budget(2), health: 'Progressing' },
  { says: 'observed', object: budget(3), health: 'Healthy' },
];

const widget = (status?: JsonObject, metadata: object = {}) =>
  make('example.org/v1', 'Widget', { metadata, ...(status && { status }) });

const customResources: readonly Case[] = [
  { says: 'no status', object: widget(), health: 'Healthy' },
  { says: 'ready', object: widget({ conditions: [when('Ready', 'True', 'AllOk')] }), health: 'Healthy' },
  {
    says: 'not ready',
    object: widget({ observedGeneration: 3, conditions: [when('Ready', 'False', 'NotReadyYet')] }),
    health: 'Progressing',
  },
  {
    says: 'a condition of its own',
    object: widget({ conditions: [when('Polished', 'False')] }),
    health: 'Healthy',
  },
  { says: 'of an older spec', object: widget({ observedGeneration: 2 }), health: 'Progressing' },
  {
    says: 'perhaps ready',
    object: widget({ conditions: [when('Ready', 'Unknown')] }),
    health: 'Progressing',
  },
  {
    says: 'reconciling',
    object: widget({ conditions: [when('Ready', 'True'), when('Reconciling', 'True', 'Moving')] }),
    health: 'Progressing',
  },
  {
    says: 'stalled',
    object: widget({ conditions: [when('Ready', 'True'), when('Stalled', 'True', 'NoQuota')] }),
    health: 'Degraded',
    message: /NoQuota/,
  },
  {
    says: 'on its way out',
    object: widget({ conditions: [when('Ready', 'True')] }, { deletionTimestamp: '2026-03-01T11:00:00Z' }),
    health: 'Progressing',
    message: /^is being deleted/,
  },
];

const job = (status?: JsonObject, spec: JsonObject = {}) =>
  make('batch/v1', 'Job', { spec, ...(status && { status }) });

const jobs: readonly Case[] = [
  { says: 'not started', object: job(), health: 'Progressing' },
  {
    says: 'complete',
    object: job({ succeeded: 1, active: 0, conditions: [when('Complete', 'True')] }),
    health: 'Healthy',
  },
  {
    says: 'failed',
    object: job({ succeeded: 1, failed: 1, conditions: [when('Failed', 'True', 'JobFailed')] }, { completions: 2 }),
    health: 'Degraded',
  },
  {
    says: 'running',
    object: job(
      {
        startTime: '2026-03-01T11:00:00Z',
        succeeded: 4,
        failed: 1,
        active: 2,
        conditions: [when('Failed', 'False'), when('Complete', 'False')],
      },
      { completions: 9, parallelism: 2 },
    ),
    health: 'Healthy',
    waiting: 'Progressing',
    message: /^is running, 4 of 9 pods succeeded, 2 active, 1 failed$/,
  },
  // Current to kstatus, which has no word of its own for it.
  { says: 'suspended', object: job({ conditions: [when('Suspended', 'True')] }), health: 'Suspended' },
  { says: 'not suspended any more', object: job({ conditions: [when('Suspended', 'False')] }), health: 'Progressing' },
];

const schedules: readonly Case[] = [
  { says: 'no status', object: make('batch/v1', 'CronJob'), health: 'Healthy' },
  { says: 'an empty status', object: make('batch/v1', 'CronJob', { status: {} }), health: 'Healthy' },
];

const service = (spec?: JsonObject, status?: JsonObject) =>
  make('v1', 'Service', { ...(spec && { spec }), ...(status && { status }) });

const services: readonly Case[] = [
  { says: 'without a type', object: service(), health: 'Healthy' },
  { says: 'a port of the nodes', object: service({ type: 'NodePort' }), health: 'Healthy' },
  {
    says: 'a load balancer with its place in the cluster',
    object: service({ type: 'LoadBalancer', clusterIP: '10.1.2.3' }),
    health: 'Healthy',
  },
  { says: 'a load balancer without one', object: service({ type: 'LoadBalancer' }), health: 'Progressing' },
  // Current to kstatus. The address is what the Service is for, and Argo CD waits for it too.
  {
    says: 'a load balancer that waits for its address',
    object: service({ type: 'LoadBalancer', clusterIP: '10.1.2.3' }, { loadBalancer: {} }),
    health: 'Progressing',
  },
];

const definition = (...conditions: readonly JsonObject[]) =>
  make('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions } });
const named = when('NamesAccepted', 'True', 'NoConflicts');

const definitions: readonly Case[] = [
  { says: 'no conditions', object: make('apiextensions.k8s.io/v1', 'CustomResourceDefinition'), health: 'Progressing' },
  {
    says: 'being installed',
    object: definition(named, when('Established', 'False', 'Installing')),
    health: 'Progressing',
  },
  { says: 'names that are taken', object: definition(when('NamesAccepted', 'False', 'Taken')), health: 'Degraded' },
  {
    says: 'established',
    object: definition(named, when('Established', 'True', 'InitialNamesAccepted')),
    health: 'Healthy',
  },
];

const presence: readonly Case[] = [
  { says: 'a ConfigMap', object: make('v1', 'ConfigMap'), health: 'Healthy' },
  { says: 'a Secret', object: make('v1', 'Secret'), health: 'Healthy' },
];

const tables: { readonly [kind: string]: readonly Case[] } = {
  Pod: pods,
  PersistentVolumeClaim: claims,
  StatefulSet: statefulSets,
  DaemonSet: daemonSets,
  Deployment: deployments,
  ReplicaSet: replicaSets,
  PodDisruptionBudget: budgets,
  'a custom resource': customResources,
  Job: jobs,
  CronJob: schedules,
  Service: services,
  CustomResourceDefinition: definitions,
  'what is only there': presence,
};

for (const [kind, cases] of Object.entries(tables)) {
  for (const { says, object, health, waiting = health, message } of cases) {
    test(`kstatus, ${kind}: ${says} is ${health}${waiting === health ? '' : `, and ${waiting} to who waits`}`, () => {
      const shown = computeHealth(object, SHOWN);

      assert.equal(shown.status, health, shown.message);
      if (message !== undefined) assert.match(shown.message, message);
      assert.equal(computeHealth(object).status, waiting);
      assert.deepEqual(computeHealth(trimForHealth(object), SHOWN), shown, 'trimming must not change the health');
    });
  }
}

test('a pod that runs to an end is ready to nobody who waits for it', () => {
  const running = { phase: 'Running', conditions: [when('Ready', 'True')] };
  const oneShot = make('v1', 'Pod', { spec: { restartPolicy: 'Never' }, status: running });
  const server = make('v1', 'Pod', { spec: { restartPolicy: 'Always' }, status: running });

  assert.equal(computeHealth(oneShot).status, 'Progressing');
  assert.equal(computeHealth(oneShot, SHOWN).status, 'Healthy');
  assert.equal(computeHealth(server).status, 'Healthy');
  assert.equal(computeHealth(trimForHealth(oneShot)).status, 'Progressing');
});

for (const [says, rest] of [
  ['an exit code', { containerStatuses: [{ name: 'app', state: { terminated: { exitCode: 2 } } }] }],
  ['a reason', { reason: 'Evicted' }],
  [
    'who disrupted it',
    { conditions: [{ ...when('DisruptionTarget', 'True', 'DeletionByPodGC'), message: 'no node' }] },
  ],
] as const) {
  test(`a pod that failed and tells ${says} is Degraded, however it is looked at`, () => {
    const failed = pod({ phase: 'Failed', ...(rest as JsonObject) });

    assert.equal(computeHealth(failed).status, 'Degraded');
    assert.equal(computeHealth(failed, SHOWN).status, 'Degraded');
  });
}
