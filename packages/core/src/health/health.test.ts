import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, KubeObject } from '../object.ts';
import { computeHealth, needsStatus, trimForHealth, type HealthStatus } from './index.ts';

interface Case {
  readonly says: string;
  readonly object: KubeObject;
  readonly status: HealthStatus;
  readonly message: string | RegExp;
}

function make(apiVersion: string, kind: string, parts: Parts = {}): KubeObject {
  const { metadata = {}, spec, status } = parts;
  return {
    apiVersion,
    kind,
    metadata: { name: 'api', namespace: 'shop', generation: 1, ...metadata },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

interface Parts {
  readonly metadata?: Partial<KubeObject['metadata']>;
  readonly spec?: JsonObject;
  readonly status?: JsonObject;
}

function condition(type: string, status: string, reason = 'Because', message = ''): JsonObject {
  return { type, status, reason, message };
}

const available = condition('Available', 'True', 'MinimumReplicasAvailable');
const rolledOut = condition('Progressing', 'True', 'NewReplicaSetAvailable');
const all = (replicas: number) => ({
  observedGeneration: 1,
  replicas,
  updatedReplicas: replicas,
  readyReplicas: replicas,
  availableReplicas: replicas,
});

function deployment(spec: JsonObject, status?: JsonObject, metadata: Parts['metadata'] = {}): KubeObject {
  return make('apps/v1', 'Deployment', {
    spec: { progressDeadlineSeconds: 600, ...spec },
    metadata,
    ...(status === undefined ? {} : { status }),
  });
}

const deployments: readonly Case[] = [
  {
    says: 'all replicas available',
    object: deployment({ replicas: 2 }, { ...all(2), conditions: [rolledOut, available] }),
    status: 'Healthy',
    message: '2 of 2 replicas are available',
  },
  {
    says: 'scaled to nothing',
    object: deployment({ replicas: 0 }, { observedGeneration: 1, conditions: [available, rolledOut] }),
    status: 'Healthy',
    message: '0 of 0 replicas are available',
  },
  {
    says: 'one replica where none is given',
    object: deployment({}, { ...all(1), conditions: [rolledOut, available] }),
    status: 'Healthy',
    message: '1 of 1 replicas are available',
  },
  {
    says: 'no deadline, so no Progressing condition',
    object: make('apps/v1', 'Deployment', { spec: { replicas: 1 }, status: { ...all(1), conditions: [available] } }),
    status: 'Healthy',
    message: '1 of 1 replicas are available',
  },
  {
    says: 'the largest deadline, which is none',
    object: deployment({ progressDeadlineSeconds: 2147483647 }, { ...all(1), conditions: [available] }),
    status: 'Healthy',
    message: '1 of 1 replicas are available',
  },
  {
    says: 'not seen by its controller',
    object: deployment({ replicas: 0 }),
    status: 'Progressing',
    message: 'waiting for generation 1 to be observed',
  },
  {
    says: 'a spec newer than the status',
    object: deployment({ replicas: 2 }, { ...all(2), conditions: [rolledOut, available] }, { generation: 3 }),
    status: 'Progressing',
    message: 'waiting for generation 3 to be observed',
  },
  {
    says: 'an old failure and a newer spec',
    object: deployment(
      {},
      { observedGeneration: 1, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
      { generation: 2 },
    ),
    status: 'Progressing',
    message: 'waiting for generation 2 to be observed',
  },
  {
    says: 'too few replicas',
    object: deployment({ replicas: 4 }, { ...all(2), conditions: [rolledOut] }),
    status: 'Progressing',
    message: '2 of 4 replicas exist',
  },
  {
    says: 'pods that a quota refuses',
    object: deployment(
      { replicas: 2 },
      { observedGeneration: 1, conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota: q')] },
    ),
    status: 'Progressing',
    message: '0 of 2 replicas exist: exceeded quota: q',
  },
  {
    says: 'too few updated replicas',
    object: deployment({ replicas: 4 }, { ...all(4), updatedReplicas: 1, conditions: [available] }),
    status: 'Progressing',
    message: '1 of 4 replicas are updated',
  },
  {
    says: 'old replicas that still run',
    object: deployment({ replicas: 2 }, { ...all(2), replicas: 3, conditions: [available] }),
    status: 'Progressing',
    message: '1 old replica still to be removed',
  },
  {
    says: 'too few ready replicas',
    object: deployment({ replicas: 4 }, { ...all(4), readyReplicas: 2, availableReplicas: 2 }),
    status: 'Progressing',
    message: '2 of 4 replicas are ready',
  },
  {
    says: 'ready replicas that are not available yet',
    object: deployment({ replicas: 4 }, { ...all(4), availableReplicas: 3 }),
    status: 'Progressing',
    message: '3 of 4 replicas are available',
  },
  {
    says: 'a rollout that its condition does not call done',
    object: deployment(
      {},
      { ...all(1), conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated'), available] },
    ),
    status: 'Progressing',
    message: 'waiting for the new ReplicaSet to be available',
  },
  {
    says: 'not available by its condition',
    object: deployment({}, { ...all(1), conditions: [rolledOut, condition('Available', 'False')] }),
    status: 'Progressing',
    message: 'waiting for the Deployment to be available',
  },
  {
    says: 'the deadline exceeded',
    object: deployment(
      { replicas: 2 },
      {
        ...all(2),
        availableReplicas: 0,
        conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'ReplicaSet "api-1" timed out.')],
      },
    ),
    status: 'Degraded',
    message: 'no progress within 600 s, 0 of 2 replicas are available: ReplicaSet "api-1" timed out',
  },
  {
    says: 'a paused rollout',
    object: deployment({ paused: true }),
    status: 'Suspended',
    message: 'the rollout is paused',
  },
  {
    says: 'a deletion that waits',
    object: deployment({}, all(1), { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['foregroundDeletion'] }),
    status: 'Progressing',
    message: 'is being deleted, waiting for foregroundDeletion',
  },
];

const rolling = (partition: number) => ({ type: 'RollingUpdate', rollingUpdate: { partition } });
const revision = { currentRevision: 'a', updateRevision: 'a' };

function statefulSet(spec: JsonObject, status?: JsonObject): KubeObject {
  return make('apps/v1', 'StatefulSet', {
    spec: { updateStrategy: rolling(0), ...spec },
    ...(status === undefined ? {} : { status }),
  });
}

const statefulSets: readonly Case[] = [
  {
    says: 'all replicas ready on one revision',
    object: statefulSet({ replicas: 2 }, { ...all(2), ...revision, currentReplicas: 2 }),
    status: 'Healthy',
    message: '2 of 2 replicas are ready',
  },
  {
    says: 'not seen by its controller',
    object: statefulSet({ replicas: 2 }),
    status: 'Progressing',
    message: 'waiting for generation 1 to be observed',
  },
  {
    says: 'too few replicas',
    object: statefulSet({ replicas: 3 }, { ...all(1), ...revision }),
    status: 'Progressing',
    message: '1 of 3 replicas exist',
  },
  {
    says: 'too few ready replicas',
    object: statefulSet({ replicas: 3 }, { ...all(3), readyReplicas: 2 }),
    status: 'Progressing',
    message: '2 of 3 replicas are ready',
  },
  {
    says: 'replicas still to go',
    object: statefulSet({ replicas: 1 }, all(3)),
    status: 'Progressing',
    message: '2 replicas still to be removed',
  },
  {
    says: 'ready replicas that are not available yet',
    object: statefulSet({ replicas: 3 }, { ...all(3), availableReplicas: 1 }),
    status: 'Progressing',
    message: '1 of 3 replicas are available',
  },
  {
    says: 'an older server that does not count available replicas',
    object: statefulSet(
      { replicas: 1 },
      { observedGeneration: 1, replicas: 1, readyReplicas: 1, currentReplicas: 1, ...revision },
    ),
    status: 'Healthy',
    message: '1 of 1 replicas are ready',
  },
  {
    says: 'an update under way',
    object: statefulSet(
      { replicas: 3 },
      { ...all(3), updatedReplicas: 1, currentReplicas: 2, currentRevision: 'a', updateRevision: 'b' },
    ),
    status: 'Progressing',
    message: '1 of 3 replicas are updated',
  },
  {
    says: 'too few current replicas',
    object: statefulSet({ replicas: 3 }, { ...all(3), ...revision, currentReplicas: 2 }),
    status: 'Progressing',
    message: '2 of 3 replicas are current',
  },
  {
    says: 'a partition that is rolled out',
    object: statefulSet(
      { replicas: 3, updateStrategy: rolling(2) },
      { ...all(3), updatedReplicas: 1, currentReplicas: 2, currentRevision: 'a', updateRevision: 'b' },
    ),
    status: 'Healthy',
    message: '3 of 3 replicas are ready, 1 of them in the updated partition',
  },
  {
    says: 'a partition on its way',
    object: statefulSet({ replicas: 3, updateStrategy: rolling(1) }, { ...all(3), updatedReplicas: 1 }),
    status: 'Progressing',
    message: '1 of 2 replicas of the partition are updated',
  },
  {
    says: 'a partition beyond the replicas, which updates none',
    object: statefulSet({ replicas: 3, updateStrategy: rolling(5) }, { ...all(3), updatedReplicas: 0 }),
    status: 'Healthy',
    message: '3 of 3 replicas are ready, 0 of them in the updated partition',
  },
  {
    says: 'OnDelete with old pods',
    object: statefulSet(
      { replicas: 2, updateStrategy: { type: 'OnDelete' } },
      { ...all(2), updatedReplicas: 0, currentRevision: 'a', updateRevision: 'b' },
    ),
    status: 'Healthy',
    message: '2 of 2 replicas are ready, they are updated when deleted by hand',
  },
  {
    says: 'OnDelete with pods that are not ready',
    object: statefulSet({ replicas: 2, updateStrategy: { type: 'OnDelete' } }, { ...all(2), readyReplicas: 0 }),
    status: 'Progressing',
    message: '0 of 2 replicas are ready',
  },
];

function daemonSet(status: JsonObject | undefined, spec: JsonObject = {}): KubeObject {
  return make('apps/v1', 'DaemonSet', { spec, ...(status === undefined ? {} : { status }) });
}

const onNodes = (nodes: number) => ({
  observedGeneration: 1,
  desiredNumberScheduled: nodes,
  currentNumberScheduled: nodes,
  updatedNumberScheduled: nodes,
  numberAvailable: nodes,
  numberReady: nodes,
});

const daemonSets: readonly Case[] = [
  { says: 'every node served', object: daemonSet(onNodes(4)), status: 'Healthy', message: '4 of 4 pods are available' },
  { says: 'no node that fits', object: daemonSet(onNodes(0)), status: 'Healthy', message: '0 of 0 pods are available' },
  {
    says: 'not seen by its controller',
    object: daemonSet(undefined),
    status: 'Progressing',
    message: 'waiting for generation 1 to be observed',
  },
  {
    says: 'nodes not counted',
    object: daemonSet({ observedGeneration: 1 }),
    status: 'Progressing',
    message: 'waiting for the nodes to be counted',
  },
  {
    says: 'too few pods',
    object: daemonSet({ ...onNodes(4), currentNumberScheduled: 3 }),
    status: 'Progressing',
    message: '3 of 4 nodes have a pod',
  },
  {
    says: 'too few updated pods',
    object: daemonSet({ ...onNodes(4), updatedNumberScheduled: 3 }),
    status: 'Progressing',
    message: '3 of 4 pods are updated',
  },
  {
    says: 'OnDelete with old pods',
    object: daemonSet({ ...onNodes(4), updatedNumberScheduled: 0 }, { updateStrategy: { type: 'OnDelete' } }),
    status: 'Healthy',
    message: '4 of 4 pods are available',
  },
  {
    says: 'too few ready pods',
    object: daemonSet({ ...onNodes(4), numberReady: 1, numberAvailable: 1 }),
    status: 'Progressing',
    message: '1 of 4 pods are ready',
  },
  {
    says: 'too few available pods',
    object: daemonSet({ ...onNodes(4), numberAvailable: 1 }),
    status: 'Progressing',
    message: '1 of 4 pods are available',
  },
];

function replicaSet(spec: JsonObject, status: JsonObject): KubeObject {
  return make('apps/v1', 'ReplicaSet', { spec, status: { observedGeneration: 1, ...status } });
}

const copies = (replicas: number) => ({
  replicas,
  fullyLabeledReplicas: replicas,
  availableReplicas: replicas,
  readyReplicas: replicas,
});

const replicaSets: readonly Case[] = [
  {
    says: 'all replicas available',
    object: replicaSet({ replicas: 2 }, copies(2)),
    status: 'Healthy',
    message: '2 of 2 replicas are available',
  },
  {
    says: 'too few replicas',
    object: replicaSet({ replicas: 2 }, copies(1)),
    status: 'Progressing',
    message: '1 of 2 replicas exist',
  },
  {
    says: 'replicas without all labels',
    object: replicaSet({ replicas: 2 }, { ...copies(2), fullyLabeledReplicas: 1 }),
    status: 'Progressing',
    message: '1 of 2 replicas have all labels',
  },
  {
    says: 'too few ready replicas',
    object: replicaSet({ replicas: 2 }, { ...copies(2), readyReplicas: 1 }),
    status: 'Progressing',
    message: '1 of 2 replicas are ready',
  },
  {
    says: 'too few available replicas',
    object: replicaSet({ replicas: 2 }, { ...copies(2), availableReplicas: 1 }),
    status: 'Progressing',
    message: '1 of 2 replicas are available',
  },
  {
    says: 'too many replicas',
    object: replicaSet({ replicas: 1 }, copies(2)),
    status: 'Progressing',
    message: '1 replica still to be removed',
  },
  {
    says: 'pods that cannot be created',
    object: replicaSet({}, { conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'quota')] }),
    status: 'Progressing',
    message: 'pods cannot be created: quota',
  },
];

function pod(status: JsonObject | undefined): KubeObject {
  return make('v1', 'Pod', status === undefined ? {} : { status });
}

function waiting(name: string, reason: string, more: JsonObject = {}): JsonObject {
  return { name, ready: false, state: { waiting: { reason, message: 'back-off pulling' } }, ...more };
}

const pods: readonly Case[] = [
  {
    says: 'ready',
    object: pod({ phase: 'Running', conditions: [condition('Ready', 'True')] }),
    status: 'Healthy',
    message: 'is ready',
  },
  { says: 'completed', object: pod({ phase: 'Succeeded' }), status: 'Healthy', message: 'has completed' },
  { says: 'no status', object: pod(undefined), status: 'Progressing', message: /waiting for the pod to be seen/ },
  {
    says: 'running, not ready',
    object: pod({
      phase: 'Running',
      containerStatuses: [
        { name: 'a', ready: true },
        { name: 'b', ready: false },
      ],
    }),
    status: 'Progressing',
    message: '1 of 2 containers are ready',
  },
  {
    says: 'starting',
    object: pod({ phase: 'Pending', containerStatuses: [waiting('app', 'ContainerCreating')] }),
    status: 'Progressing',
    message: '0 of 1 containers are ready: ContainerCreating',
  },
  {
    says: 'pending without containers',
    object: pod({ phase: 'Pending' }),
    status: 'Progressing',
    message: 'waiting for its containers to start',
  },
  {
    says: 'no node that fits',
    object: pod({
      phase: 'Pending',
      conditions: [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available.')],
    }),
    status: 'Progressing',
    message: 'cannot be scheduled: 0/3 nodes are available',
  },
  {
    says: 'crashing over and over',
    object: pod({
      phase: 'Running',
      containerStatuses: [
        waiting('app', 'CrashLoopBackOff', {
          restartCount: 5,
          lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
        }),
      ],
    }),
    status: 'Degraded',
    message: 'container app is in CrashLoopBackOff: OOMKilled, exit code 137, 5 restarts',
  },
  {
    says: 'an init container that crashes',
    object: pod({ phase: 'Pending', initContainerStatuses: [waiting('setup', 'CrashLoopBackOff')] }),
    status: 'Degraded',
    message: 'container setup is in CrashLoopBackOff: back-off pulling',
  },
  ...['ImagePullBackOff', 'ErrImagePull', 'InvalidImageName', 'CreateContainerConfigError', 'RunContainerError'].map(
    (reason): Case => ({
      says: reason,
      object: pod({ phase: 'Pending', containerStatuses: [waiting('app', reason)] }),
      status: 'Degraded',
      message: `container app is in ${reason}: back-off pulling`,
    }),
  ),
  {
    says: 'failed as a whole',
    object: pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on memory.' }),
    status: 'Degraded',
    message: 'has failed: The node was low on memory',
  },
  {
    says: 'failed by a container',
    object: pod({
      phase: 'Failed',
      containerStatuses: [
        { name: 'side', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
        { name: 'app', state: { terminated: { exitCode: 1, reason: 'Error' } } },
      ],
    }),
    status: 'Degraded',
    message: 'container app has failed: Error, exit code 1',
  },
  { says: 'failed, silently', object: pod({ phase: 'Failed' }), status: 'Degraded', message: 'has failed' },
  { says: 'a lost node', object: pod({ phase: 'Unknown' }), status: 'Progressing', message: 'is in phase Unknown' },
];

function job(spec: JsonObject, status?: JsonObject): KubeObject {
  return make('batch/v1', 'Job', { spec, ...(status === undefined ? {} : { status }) });
}

const jobs: readonly Case[] = [
  {
    says: 'complete',
    object: job({ completions: 2 }, { succeeded: 2, conditions: [condition('Complete', 'True')] }),
    status: 'Healthy',
    message: 'has completed, 2 of 2 pods succeeded',
  },
  {
    says: 'failed',
    object: job({}, { failed: 7, conditions: [condition('Failed', 'True', 'BackoffLimitExceeded', 'limit reached')] }),
    status: 'Degraded',
    message: 'has failed after 7 failed pods: limit reached',
  },
  {
    says: 'about to fail',
    object: job({}, { failed: 1, conditions: [condition('FailureTarget', 'True', 'PodFailurePolicy')] }),
    status: 'Degraded',
    message: 'has failed after 1 failed pod: PodFailurePolicy',
  },
  {
    says: 'suspended by its condition',
    object: job({}, { conditions: [condition('Suspended', 'True')] }),
    status: 'Suspended',
    message: 'is suspended',
  },
  { says: 'suspended by its spec', object: job({ suspend: true }), status: 'Suspended', message: 'is suspended' },
  { says: 'not started', object: job({}), status: 'Progressing', message: 'waiting to be started' },
  {
    says: 'running',
    object: job({ parallelism: 3 }, { startTime: '2026-01-01T00:00:00Z', succeeded: 1, active: 2, failed: 1 }),
    status: 'Progressing',
    message: 'is running, 1 of 3 pods succeeded, 2 active, 1 failed',
  },
  {
    says: 'a schedule',
    object: make('batch/v1', 'CronJob', { spec: { schedule: '* * * * *' } }),
    status: 'Healthy',
    message: 'is scheduled',
  },
  {
    says: 'a suspended schedule',
    object: make('batch/v1', 'CronJob', { spec: { suspend: true } }),
    status: 'Suspended',
    message: 'is suspended',
  },
];

const claim = (phase: string) => make('v1', 'PersistentVolumeClaim', { status: { phase } });
const volume = (status: JsonObject) => make('v1', 'PersistentVolume', { status });
const balancer = (ingress: readonly JsonObject[], spec: JsonObject = {}) =>
  make('v1', 'Service', {
    spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1', ...spec },
    status: { loadBalancer: { ingress } },
  });

const infrastructure: readonly Case[] = [
  { says: 'a bound claim', object: claim('Bound'), status: 'Healthy', message: 'is bound' },
  { says: 'a pending claim', object: claim('Pending'), status: 'Progressing', message: /waiting to be bound/ },
  { says: 'a lost claim', object: claim('Lost'), status: 'Degraded', message: 'has lost its volume' },
  {
    says: 'a new claim',
    object: make('v1', 'PersistentVolumeClaim'),
    status: 'Progressing',
    message: 'waiting to be bound to a volume',
  },
  { says: 'a released volume', object: volume({ phase: 'Released' }), status: 'Healthy', message: 'is released' },
  {
    says: 'a failed volume',
    object: volume({ phase: 'Failed', message: 'no plug-in' }),
    status: 'Degraded',
    message: 'has failed: no plug-in',
  },
  { says: 'a new volume', object: volume({}), status: 'Progressing', message: 'waiting to be available' },
  {
    says: 'a cluster service',
    object: make('v1', 'Service', { spec: { type: 'ClusterIP' } }),
    status: 'Healthy',
    message: 'exists',
  },
  {
    says: 'a service without a type',
    object: make('v1', 'Service', { spec: {} }),
    status: 'Healthy',
    message: 'exists',
  },
  {
    says: 'a load balancer without an address',
    object: balancer([]),
    status: 'Progressing',
    message: 'waiting for the load balancer to get an address',
  },
  {
    says: 'a load balancer with an address',
    object: balancer([{ ip: '192.0.2.1' }]),
    status: 'Healthy',
    message: 'is reachable at 192.0.2.1',
  },
  {
    says: 'a load balancer with a name',
    object: balancer([{ hostname: 'lb.example' }]),
    status: 'Healthy',
    message: 'is reachable at lb.example',
  },
  {
    says: 'a load balancer with external addresses',
    object: balancer([], { externalIPs: ['192.0.2.1'] }),
    status: 'Healthy',
    message: 'has an external address',
  },
  {
    says: 'an ingress',
    object: make('networking.k8s.io/v1', 'Ingress', { status: { loadBalancer: {} } }),
    status: 'Healthy',
    message: 'exists',
  },
  { says: 'a secret', object: make('v1', 'Secret'), status: 'Healthy', message: 'exists' },
  {
    says: 'a namespace',
    object: make('v1', 'Namespace', { status: { phase: 'Active' } }),
    status: 'Healthy',
    message: 'exists',
  },
  {
    says: 'a namespace on its way out',
    object: make('v1', 'Namespace', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    status: 'Progressing',
    message: 'is being deleted',
  },
];

const definition = (...conditions: readonly JsonObject[]) =>
  make('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { conditions } });
const apiService = (...conditions: readonly JsonObject[]) =>
  make('apiregistration.k8s.io/v1', 'APIService', { status: { conditions } });
const accepted = condition('NamesAccepted', 'True', 'NoConflicts');

const extensions: readonly Case[] = [
  {
    says: 'an established definition',
    object: definition(accepted, condition('Established', 'True')),
    status: 'Healthy',
    message: 'is established',
  },
  {
    says: 'a new definition',
    object: make('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
    status: 'Progressing',
    message: 'waiting to be established',
  },
  {
    says: 'a definition that is being installed',
    object: definition(accepted, condition('Established', 'False', 'Installing', 'the initial names')),
    status: 'Progressing',
    message: 'waiting to be established',
  },
  {
    says: 'a definition whose names are taken',
    object: definition(
      condition('Established', 'True'),
      condition('NamesAccepted', 'False', 'ListKindConflict', '"FooList" is already in use'),
    ),
    status: 'Degraded',
    message: 'its names are not accepted: "FooList" is already in use',
  },
  {
    says: 'a definition that is refused',
    object: definition(accepted, condition('Established', 'False', 'NotAccepted', 'not all names are accepted')),
    status: 'Degraded',
    message: 'is not established: not all names are accepted',
  },
  {
    says: 'an available API',
    object: apiService(condition('Available', 'True', 'Passed')),
    status: 'Healthy',
    message: 'is available',
  },
  {
    says: 'an API without a server',
    object: apiService(condition('Available', 'False', 'MissingEndpoints', 'no endpoints')),
    status: 'Progressing',
    message: 'is not available: no endpoints',
  },
];

const budget = (status: JsonObject) => make('policy/v1', 'PodDisruptionBudget', { status });
const autoscaler = (...conditions: readonly JsonObject[]) =>
  make('autoscaling/v2', 'HorizontalPodAutoscaler', {
    status: { currentReplicas: 2, desiredReplicas: 2, conditions },
  });
const able = condition('AbleToScale', 'True', 'ReadyForNewScale');

const policies: readonly Case[] = [
  {
    says: 'a computed budget',
    object: budget({ observedGeneration: 1, currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1 }),
    status: 'Healthy',
    message: '2 healthy pods of at least 1, 1 may be disrupted',
  },
  {
    says: 'a budget without room',
    object: budget({
      currentHealthy: 1,
      desiredHealthy: 1,
      disruptionsAllowed: 0,
      conditions: [condition('DisruptionAllowed', 'False', 'InsufficientPods')],
    }),
    status: 'Healthy',
    message: '1 healthy pods of at least 1, 0 may be disrupted',
  },
  {
    says: 'a new budget',
    object: make('policy/v1', 'PodDisruptionBudget'),
    status: 'Progressing',
    message: 'waiting for the allowed disruptions to be computed',
  },
  {
    says: 'a budget that cannot be computed',
    object: budget({
      disruptionsAllowed: 0,
      conditions: [condition('DisruptionAllowed', 'False', 'SyncFailed', 'no scale')],
    }),
    status: 'Degraded',
    message: 'the allowed disruptions cannot be computed: no scale',
  },
  {
    says: 'an autoscaler at rest',
    object: autoscaler(able, condition('ScalingActive', 'True')),
    status: 'Healthy',
    message: 'holds 2 replicas',
  },
  {
    says: 'an autoscaler of version 1, by its annotation',
    object: make('autoscaling/v1', 'HorizontalPodAutoscaler', {
      metadata: {
        annotations: {
          'autoscaling.alpha.kubernetes.io/conditions': JSON.stringify([
            able,
            condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics'),
          ]),
        },
      },
      status: { currentReplicas: 1, desiredReplicas: 1 },
    }),
    status: 'Degraded',
    message: 'does not scale: no metrics',
  },
  {
    says: 'an autoscaler with an annotation that is no JSON',
    object: make('autoscaling/v1', 'HorizontalPodAutoscaler', {
      metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/conditions': '[{' } },
    }),
    status: 'Progressing',
    message: /first look at the metrics/,
  },
  {
    says: 'an autoscaler that could not read its target',
    object: autoscaler(condition('AbleToScale', 'True', 'FailedGetScale', 'not found')),
    status: 'Degraded',
    message: 'cannot scale: not found',
  },
  { says: 'a new autoscaler', object: autoscaler(), status: 'Progressing', message: /first look at the metrics/ },
  {
    says: 'an autoscaler without its target',
    object: autoscaler(condition('AbleToScale', 'False', 'FailedGetScale', 'not found')),
    status: 'Degraded',
    message: 'cannot scale: not found',
  },
  {
    says: 'an autoscaler without metrics',
    object: autoscaler(able, condition('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics')),
    status: 'Degraded',
    message: 'does not scale: no metrics',
  },
  {
    says: 'an autoscaler of nothing',
    object: autoscaler(able, condition('ScalingActive', 'False', 'ScalingDisabled')),
    status: 'Healthy',
    message: 'holds 2 replicas',
  },
];

const custom = (status?: JsonObject, metadata: Parts['metadata'] = {}) =>
  make('example.org/v1', 'Widget', { metadata, ...(status === undefined ? {} : { status }) });

const customResources: readonly Case[] = [
  { says: 'no status', object: custom(), status: 'Healthy', message: 'exists' },
  { says: 'no known condition', object: custom({ phase: 'Odd' }), status: 'Healthy', message: 'exists' },
  {
    says: 'ready',
    object: custom({ observedGeneration: 1, conditions: [condition('Ready', 'True', 'Ok', 'All is well.')] }),
    status: 'Healthy',
    message: 'is ready: All is well',
  },
  {
    says: 'not ready',
    object: custom({ conditions: [condition('Ready', 'False', 'Waiting')] }),
    status: 'Progressing',
    message: 'is not ready: Waiting',
  },
  {
    says: 'perhaps ready',
    object: custom({ conditions: [condition('Ready', 'Unknown', 'Checking', 'checking the backend')] }),
    status: 'Progressing',
    message: 'is not ready: checking the backend',
  },
  {
    says: 'ready for an older spec',
    object: custom({ observedGeneration: 1, conditions: [condition('Ready', 'True')] }, { generation: 4 }),
    status: 'Progressing',
    message: 'waiting for generation 4 to be observed',
  },
  {
    says: 'a condition for an older spec',
    object: custom({ conditions: [{ ...condition('Ready', 'True'), observedGeneration: 3 }] }, { generation: 4 }),
    status: 'Progressing',
    message: 'waiting for generation 4 to be observed',
  },
  {
    says: 'reconciling, though ready',
    object: custom({ conditions: [condition('Ready', 'True'), condition('Reconciling', 'True', 'Rolling')] }),
    status: 'Progressing',
    message: 'is being reconciled: Rolling',
  },
  {
    says: 'stalled',
    object: custom({
      conditions: [condition('Ready', 'False'), condition('Stalled', 'True', 'Bad', 'cannot\n  go on')],
    }),
    status: 'Degraded',
    message: 'is stalled: cannot go on',
  },
  {
    says: 'not stalled any more',
    object: custom({ conditions: [condition('Stalled', 'False'), condition('Ready', 'True')] }),
    status: 'Healthy',
    message: 'is ready',
  },
  {
    says: 'a status of another shape',
    object: custom({ conditions: ['x', null, { type: 3 }], observedGeneration: 'one' }),
    status: 'Healthy',
    message: 'exists',
  },
];

const tables: { readonly [kind: string]: readonly Case[] } = {
  Deployment: deployments,
  StatefulSet: statefulSets,
  DaemonSet: daemonSets,
  ReplicaSet: replicaSets,
  Pod: pods,
  'Job and CronJob': jobs,
  'storage, network and namespaces': infrastructure,
  'API extensions': extensions,
  policies,
  'custom resources': customResources,
};

for (const [kind, cases] of Object.entries(tables)) {
  for (const { says, object, status, message } of cases) {
    test(`health of ${kind}: ${says} is ${status}`, () => {
      const health = computeHealth(object);

      assert.equal(health.status, status);
      if (typeof message === 'string') assert.equal(health.message, message);
      else assert.match(health.message, message);
      assert.deepEqual(computeHealth(trimForHealth(object)), health, 'trimming must not change the health');
    });
  }
}

test('only kinds whose health is in their status need more than metadata', () => {
  const needing = [
    { group: 'apps', kind: 'Deployment' },
    { group: '', kind: 'Service' },
    { group: 'example.org', kind: 'Widget' },
    { group: 'gateway.networking.k8s.io', kind: 'HTTPRoute' },
  ];
  const content = [
    { group: '', kind: 'ConfigMap' },
    { group: '', kind: 'Secret' },
    { group: '', kind: 'ServiceAccount' },
    { group: 'rbac.authorization.k8s.io', kind: 'Role' },
    { group: 'networking.k8s.io', kind: 'Ingress' },
    { group: 'networking.k8s.io', kind: 'NetworkPolicy' },
  ];

  assert.deepEqual(needing.map(needsStatus), [true, true, true, true]);
  assert.deepEqual(content.map(needsStatus), [false, false, false, false, false, false]);
});

test('a trimmed object keeps what health reads and drops the bulk', () => {
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'api',
      uid: 'u',
      managedFields: [{ manager: 'plumb' }],
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', note: 'x' },
    },
    spec: { replicas: 2, template: { spec: {} } },
    status: { replicas: 2, collisionCount: 3 },
  };

  const trimmed = trimForHealth(object);

  assert.deepEqual(trimmed, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', uid: 'u', annotations: { note: 'x' } },
    spec: { replicas: 2 },
    status: { replicas: 2 },
  });
});

test('a trimmed Secret keeps no values', () => {
  const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { password: 'eA==' } };

  assert.deepEqual(trimForHealth(secret), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', annotations: {} },
  });
});
