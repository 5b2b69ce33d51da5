import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KubeObject } from '../object.ts';
import { CONDITION_TABLE } from './condition-table.ts';
import { computeHealth, trimForHealth, type HealthStatus } from './index.ts';
import { STATE_WORDS, statusOfWords } from './state-words.ts';

interface Case {
  readonly says: string;
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly spec?: object;
  readonly status?: object;
  readonly generation?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly health: HealthStatus;
  readonly message?: RegExp;
}

function condition(type: string, status: unknown, reason?: string, message?: string, rest: object = {}): object {
  return { type, status, ...(reason && { reason }), ...(message && { message }), ...rest };
}

function conditions(...list: readonly object[]): object {
  return { conditions: list };
}

const cases: readonly Case[] = [
  // Conditions
  { says: 'a condition without words waits', status: conditions(condition('Ready', 'False')), health: 'Progressing' },
  {
    says: 'a reason that tells a fault',
    status: conditions(condition('Ready', 'False', 'ReconcileError', 'cannot reach the provider.')),
    health: 'Degraded',
    message: /^is not ready: cannot reach the provider$/,
  },
  {
    says: 'a reason that tells of work, whatever its prose says',
    status: conditions(condition('Ready', 'False', 'Creating', 'the last try failed')),
    health: 'Progressing',
  },
  {
    says: 'prose that tells a fault',
    status: conditions(condition('Ready', 'False', 'Check', 'the credentials are invalid')),
    health: 'Degraded',
  },
  {
    says: 'a fault that is not sure',
    status: conditions(condition('Ready', 'Unknown', 'SomeTriggerError')),
    health: 'Degraded',
  },
  {
    says: 'degraded, though available',
    status: conditions(condition('Available', 'True'), condition('Degraded', 'True', 'Quorum')),
    health: 'Degraded',
  },
  {
    says: 'not degraded',
    status: conditions(condition('Degraded', 'False'), condition('Available', 'True')),
    health: 'Healthy',
  },
  {
    says: 'paused, though ready',
    status: conditions(condition('Ready', 'True'), condition('Paused', 'True', 'ByUser')),
    health: 'Suspended',
  },
  {
    says: 'issuing anew, though ready',
    status: conditions(condition('Ready', 'True'), condition('Issuing', 'True', 'Renewing')),
    health: 'Progressing',
  },
  {
    says: 'ready, though progressing',
    status: conditions(condition('Progressing', 'True', 'Watching'), condition('Ready', 'True')),
    health: 'Healthy',
  },
  {
    says: 'available and progressing',
    status: conditions(condition('Available', 'True'), condition('Progressing', 'True', 'Rolling')),
    health: 'Progressing',
  },
  {
    says: 'progress that came to its end',
    status: conditions(condition('Available', 'True'), condition('Progressing', 'True', 'NewReplicaSetAvailable')),
    health: 'Healthy',
  },
  {
    says: 'progress that exceeded its deadline',
    status: conditions(condition('Available', 'True'), condition('Progressing', 'False', 'ProgressDeadlineExceeded')),
    health: 'Degraded',
  },
  {
    says: 'synced and ready',
    status: conditions(condition('Synced', 'True'), condition('Ready', 'True')),
    health: 'Healthy',
  },
  {
    says: 'ready, but out of sync',
    status: conditions(condition('Ready', 'True'), condition('Synced', 'False', 'ReconcileError')),
    health: 'Degraded',
  },
  {
    says: 'synced, and still creating',
    status: conditions(condition('Synced', 'True'), condition('Ready', 'False', 'Creating')),
    health: 'Progressing',
  },
  {
    says: 'an operation that is going on',
    status: conditions(condition('LastAsyncOperation', 'Unknown', 'Ongoing'), condition('Ready', 'True')),
    health: 'Progressing',
  },
  { says: 'not ready by name', status: conditions(condition('NotReady', 'True', 'Creating')), health: 'Progressing' },
  {
    says: 'not ready by name, and failed',
    status: conditions(condition('NotReady', 'True', 'ForbiddenError')),
    health: 'Degraded',
  },
  {
    says: 'a condition with a domain',
    status: conditions(condition('ACK.Terminal', 'True', '', 'no such zone')),
    health: 'Degraded',
  },
  {
    says: 'a failure by its ending',
    status: conditions(condition('ResolutionFailed', 'True', 'Constraints')),
    health: 'Degraded',
  },
  {
    says: 'a step that is not done',
    status: conditions(condition('Available', 'True'), condition('InfrastructureReady', 'False', 'Waiting')),
    health: 'Healthy',
  },
  {
    says: 'steps alone',
    status: conditions(condition('BucketReady', 'True'), condition('PolicyReady', 'False', 'Pending')),
    health: 'Progressing',
  },
  {
    says: 'a refusal without words',
    status: conditions(condition('Accepted', 'False', 'UnknownParent')),
    health: 'Degraded',
  },
  {
    says: 'accepted, programming',
    status: conditions(condition('Accepted', 'True'), condition('Programmed', 'False', 'Pending')),
    health: 'Progressing',
  },
  {
    says: 'a run that failed',
    kind: 'TaskRun',
    status: conditions(condition('Succeeded', 'False', 'TaskRunTimeout')),
    health: 'Degraded',
  },
  {
    says: 'a run that runs',
    kind: 'TaskRun',
    status: conditions(condition('Succeeded', 'Unknown', 'Running')),
    health: 'Progressing',
  },
  {
    says: 'traffic that a service has none of',
    status: conditions(condition('Active', 'False', 'NoTraffic'), condition('Ready', 'True')),
    health: 'Healthy',
  },
  {
    says: 'a condition of no known type',
    status: conditions(condition('Fancy', 'False')),
    health: 'Healthy',
    message: /^exists$/,
  },
  { says: 'a lower case status', status: conditions(condition('Ready', 'true')), health: 'Healthy' },
  { says: 'a boolean status', status: conditions(condition('Ready', false)), health: 'Progressing' },
  { says: 'a status of a word of its own', status: conditions(condition('Ready', 'Maybe')), health: 'Progressing' },
  {
    says: 'a condition about an older spec',
    generation: 3,
    status: conditions(condition('Available', 'True', '', '', { observedGeneration: 2 })),
    health: 'Progressing',
    message: /generation 3/,
  },
  {
    says: 'a step that failed, though the sum says only "not yet"',
    status: conditions(
      condition('Ready', 'False', 'IngressNotCreated'),
      condition('RouteReady', 'False', 'RouteFailed'),
    ),
    health: 'Degraded',
  },
  {
    says: 'a last try that failed',
    status: conditions(condition('Ready', 'False', 'Mismatch'), condition('Issuing', 'False', 'Failed')),
    health: 'Degraded',
  },
  {
    says: 'an unknown state that waits for what is missing',
    status: conditions(condition('Ready', 'Unknown', 'RevisionMissing', 'is waiting for a revision')),
    health: 'Progressing',
  },
  {
    says: 'prose that begins with an error',
    status: conditions(condition('Ready', 'False', 'Migrating', 'Error: checksum mismatch')),
    health: 'Degraded',
  },
  {
    says: 'not synced, without a word',
    status: conditions(condition('Synced', 'False')),
    health: 'Progressing',
  },
  {
    says: 'progress that has just begun',
    status: conditions(condition('Progressing', 'True', 'ReplicaSetUpdated'), condition('Available', 'True')),
    health: 'Progressing',
  },
  {
    says: 'progress that somebody stopped',
    status: conditions(condition('Progressing', 'Unknown', 'RolloutPaused'), condition('Available', 'True')),
    health: 'Suspended',
  },
  {
    says: 'a type in kebab case',
    status: conditions(condition('example.org/app-ready', 'False', 'Broken')),
    health: 'Degraded',
  },
  {
    says: 'a failure that comes first',
    status: conditions(condition('FailedScale', 'True', 'Quota')),
    health: 'Degraded',
  },
  { says: 'a denial', status: conditions(condition('Denied', 'True')), health: 'Degraded' },
  // Conditions against phases
  {
    says: 'not ready, since stopped',
    status: { ...conditions(condition('Ready', 'False', 'NoInstance')), printableStatus: 'Stopped' },
    health: 'Suspended',
  },
  {
    says: 'not ready, and failed',
    status: { ...conditions(condition('Ready', 'False')), phase: 'Failed' },
    health: 'Degraded',
  },
  {
    says: 'completed, and failed',
    kind: 'Workflow',
    status: { ...conditions(condition('Completed', 'True')), phase: 'Failed' },
    health: 'Degraded',
  },
  {
    says: 'available, in a rollout',
    status: { ...conditions(condition('Available', 'True')), phase: 'Progressing' },
    health: 'Progressing',
  },
  {
    says: 'ready, whatever an old phase says',
    status: { ...conditions(condition('Ready', 'True')), phase: 'Creating' },
    health: 'Healthy',
  },
  // Places
  {
    says: 'a route that one parent refuses',
    status: {
      parents: [
        conditions(condition('Accepted', 'True'), condition('ResolvedRefs', 'True')),
        conditions(condition('Accepted', 'False', 'NotAllowedByListeners')),
      ],
    },
    health: 'Degraded',
  },
  {
    says: 'a route that a router has not admitted',
    status: { ingress: [conditions(condition('Admitted', 'Unknown'))] },
    health: 'Progressing',
  },
  {
    says: 'a route that all accept',
    status: { parents: [conditions(condition('Accepted', 'True'))] },
    health: 'Healthy',
  },
  {
    says: 'a route that a gateway has taken up and not judged',
    status: { parents: [{ controllerName: 'example.org/gateway' }] },
    health: 'Progressing',
    message: /^waiting for example\.org\/gateway to report$/,
  },
  {
    says: 'listeners with an address and no conditions',
    status: { ...conditions(condition('Ready', 'True')), listeners: [{ address: 'a' }] },
    health: 'Healthy',
  },
  {
    says: 'a gateway that is well, with a listener that is not',
    status: {
      ...conditions(condition('Programmed', 'True')),
      listeners: [conditions(condition('Conflicted', 'True', 'HostnameConflict'))],
    },
    health: 'Degraded',
  },
  // States
  {
    says: 'a phase',
    status: { phase: 'Ready', message: 'all up.' },
    health: 'Healthy',
    message: /^phase is Ready: all up$/,
  },
  { says: 'a pending phase', status: { phase: 'Pending' }, health: 'Progressing' },
  { says: 'a phase in capitals', status: { state: 'PENDING_RERUN' }, health: 'Progressing' },
  { says: 'a failed state', status: { state: 'PartiallyFailed' }, health: 'Degraded' },
  { says: 'a phase in a sentence', status: { phase: 'Cluster in healthy state' }, health: 'Healthy' },
  { says: 'a compliance', status: { compliant: 'NonCompliant' }, health: 'Degraded' },
  { says: 'a health beside a phase', status: { phase: 'Ready', store: { health: 'HEALTH_WARN' } }, health: 'Degraded' },
  { says: 'a yellow health', status: { health: 'yellow', phase: 'Ready' }, health: 'Progressing' },
  {
    says: 'a health summed up',
    status: { health: { status: 'Healthy' }, operation: { phase: 'Failed' } },
    health: 'Healthy',
  },
  { says: 'a state one level deeper', status: { jobStatus: { state: 'RUNNING' } }, health: 'Healthy' },
  {
    says: 'a state of the past',
    status: { lastState: 'Failed', previous: { state: 'Failed' } },
    health: 'Healthy',
    message: /^exists$/,
  },
  {
    says: 'one of several reporters that rejects',
    status: { statuses: { a: { state: 'Accepted' }, b: { state: 'Rejected' } } },
    health: 'Degraded',
  },
  { says: 'a backup that runs', kind: 'Backup', status: { phase: 'Running' }, health: 'Progressing' },
  { says: 'a server that runs', kind: 'Server', status: { phase: 'Running' }, health: 'Healthy' },
  { says: 'a state of an unknown word', status: { phase: 'Zorp' }, health: 'Healthy', message: /^exists$/ },
  { says: 'a state that nobody knows', status: { phase: 'Unknown' }, health: 'Unknown' },
  {
    says: 'a part that nobody knows beside a state that is well',
    status: { state: 'attached', robustness: 'unknown' },
    health: 'Healthy',
  },
  {
    says: 'a state with a refusal in a sentence',
    status: { currentState: 'Set not controlled by us' },
    health: 'Degraded',
  },
  {
    says: 'a part that failed, of several',
    status: { phase: 'Provisioning', domainStatus: [{ status: 'Active' }, { status: 'FailedNotVisible' }] },
    health: 'Degraded',
    message: /^domainStatus\[1\] is FailedNotVisible$/,
  },
  // Holds
  {
    says: 'a pause in the strategy',
    spec: { updateStrategy: { rollingUpdate: { paused: true } } },
    status: { replicas: 2 },
    health: 'Suspended',
  },
  {
    says: 'a partition whose share is updated',
    spec: { replicas: 10, updateStrategy: { partition: 4 } },
    status: { replicas: 10, updatedReplicas: 7 },
    health: 'Suspended',
    message: /^3 of 10 replicas are kept on the old version/,
  },
  {
    says: 'a partition in percent whose share is updated',
    spec: { updateStrategy: { rollingUpdate: { partition: '40%' } } },
    status: { desiredNumberScheduled: 10, updatedNumberScheduled: 6, numberReady: 10 },
    health: 'Suspended',
  },
  {
    says: 'a partition whose share is not updated yet',
    spec: { replicas: 10, updateStrategy: { partition: '4' } },
    status: { replicas: 10, readyReplicas: 10, updatedReplicas: 2 },
    health: 'Progressing',
  },
  {
    says: 'an annotation that pauses',
    annotations: { 'engine.example/paused': 'true' },
    status: conditions(condition('Ready', 'True')),
    health: 'Suspended',
    message: /engine\.example\/paused/,
  },
  {
    says: 'an annotation that pauses no more',
    annotations: { 'engine.example/paused': 'false' },
    status: conditions(condition('Ready', 'True')),
    health: 'Healthy',
  },
  {
    says: 'an annotation that disables reconciliation',
    annotations: { 'engine.example/reconciliation': 'disabled' },
    status: { phase: 'Up' },
    health: 'Suspended',
  },
  // Counts
  {
    says: 'a running set that lacks replicas',
    spec: { replicas: 5 },
    status: { phase: 'Running', readyReplicas: 4 },
    health: 'Progressing',
    message: /^4 of 5 replicas are ready$/,
  },
  {
    says: 'a running set with old replicas',
    spec: { replicas: 5 },
    status: { phase: 'Running', readyReplicas: 5, replicas: 6, updatedReplicas: 5 },
    health: 'Progressing',
  },
  {
    says: 'a ready set, whatever it counts',
    spec: { replicas: 5 },
    status: { ...conditions(condition('Ready', 'True')), readyReplicas: 4 },
    health: 'Healthy',
  },
  { says: 'machines that are ill', status: { currentHealthy: 1, expectedMachines: 3 }, health: 'Degraded' },
  { says: 'printed tasks', status: { tasksReady: '0/1' }, health: 'Progressing' },
  // The rest
  {
    says: 'an error beside a flag',
    status: { readyToUse: false, error: { message: 'no such volume' } },
    health: 'Degraded',
    message: /no such volume/,
  },
  { says: 'a flag', status: { readyToUse: true }, health: 'Healthy' },
  { says: 'a flag that is not up', status: { ready: false }, health: 'Progressing' },
  {
    says: 'replicas to come',
    spec: { replicas: 3 },
    status: { readyReplicas: 1 },
    health: 'Progressing',
    message: /^1 of 3 replicas are ready$/,
  },
  { says: 'all replicas', spec: { replicas: 3 }, status: { readyReplicas: 3 }, health: 'Healthy' },
  { says: 'printed replicas', status: { scale: { statusReplicas: '2/2' } }, health: 'Healthy' },
  {
    says: 'suspended by its spec',
    spec: { suspend: true },
    status: conditions(condition('Ready', 'True')),
    health: 'Suspended',
  },
  { says: 'no status of a kind that may have none', health: 'Healthy', message: /^exists$/ },
  {
    says: 'no status of a kind that always gets one',
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    health: 'Progressing',
    message: /waiting for its controller/,
  },
  {
    says: 'conditions of which none says anything, of a kind that always gets one',
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    status: conditions(condition('Fancy', 'False')),
    health: 'Progressing',
  },
  {
    says: 'a schedule that has not run yet',
    apiVersion: 'apps.kruise.io/v1alpha1',
    kind: 'AdvancedCronJob',
    status: conditions(),
    health: 'Healthy',
  },
  {
    says: 'a route about which no gateway writes',
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    health: 'Healthy',
  },
  {
    says: 'an empty status of a family that always writes one',
    apiVersion: 's3.aws.upbound.io/v1beta1',
    kind: 'Bucket',
    status: {},
    health: 'Progressing',
  },
  {
    says: 'no status of an exception of that family',
    apiVersion: 'aws.upbound.io/v1beta1',
    kind: 'ProviderConfig',
    health: 'Healthy',
  },
];

for (const {
  says,
  apiVersion = 'example.org/v1',
  kind = 'Widget',
  spec,
  status,
  generation,
  annotations,
  health,
  message,
} of cases) {
  test(`by conventions, ${says} is ${health}`, () => {
    const object: KubeObject = {
      apiVersion,
      kind,
      metadata: { name: 'a', ...(generation !== undefined && { generation }), ...(annotations && { annotations }) },
      ...(spec && { spec }),
      ...(status && { status }),
    };

    const computed = computeHealth(object);

    assert.equal(computed.status, health, computed.message);
    if (message !== undefined) assert.match(computed.message, message);
    assert.deepEqual(computeHealth(trimForHealth(object)), computed, 'trimming must not change the health');
  });
}

test('each row of words reads its own examples', () => {
  for (const { status, examples } of STATE_WORDS) {
    for (const example of examples) assert.equal(statusOfWords(example), status, example);
  }
});

test('each row of conditions is the first that reads its own examples', () => {
  for (const row of CONDITION_TABLE) {
    for (const example of row.examples) {
      assert.equal(
        CONDITION_TABLE.find(({ types }) => types.test(example)),
        row,
        example,
      );
    }
  }
});

test('no status of any shape makes conventions throw or answer with another word', () => {
  const type = fc.constantFrom('Ready', 'Synced', 'Degraded', 'Paused', 'Accepted', 'x.y/Ready', '');
  const entry = fc.record({ type, status: fc.anything(), reason: fc.anything(), message: fc.anything() });
  const status = fc.oneof(
    fc.anything(),
    fc.record({ conditions: fc.oneof(fc.array(entry), fc.anything()), phase: fc.anything(), parents: fc.anything() }),
  );
  fc.assert(
    fc.property(status, fc.anything(), (status, spec) => {
      const object: KubeObject = {
        apiVersion: 'example.org/v1',
        kind: 'Widget',
        metadata: { name: 'a' },
        spec,
        status,
      };
      const health = computeHealth(object);
      assert.ok(['Healthy', 'Progressing', 'Degraded', 'Suspended', 'Unknown'].includes(health.status));
      assert.equal(typeof health.message, 'string');
    }),
  );
});

test('a long text costs no more than its beginning', () => {
  const text = 'a'.repeat(1_000_000);

  assert.equal(statusOfWords(`${text} failed`), undefined);
});

const endings: readonly (readonly [string, object, object, string])[] = [
  [
    'a complete condition with a failure as its reason',
    {},
    { conditions: [{ type: 'Complete', status: 'True', reason: 'StepFailed' }] },
    'Degraded',
  ],
  [
    'a message that is one word of fault',
    {},
    { conditions: [{ type: 'Complete', status: 'False', reason: 'Scheduled', message: 'Failed' }] },
    'Degraded',
  ],
  [
    'an unready object that is to have no replicas',
    { replicas: 0 },
    { conditions: [{ type: 'AllReplicasReady', status: 'False', reason: 'None' }] },
    'Suspended',
  ],
  [
    'resources that are not up to date for an error',
    {},
    { conditions: [{ type: 'PartsUpToDate', status: 'False', reason: 'CreateError' }] },
    'Degraded',
  ],
  [
    'a rollout in progress',
    {},
    {
      conditions: [
        { type: 'PartsUpToDate', status: 'True' },
        { type: 'RolloutProgressing', status: 'True', reason: 'Modified' },
      ],
    },
    'Progressing',
  ],
  ['a flag that denies health', {}, { healthy: false }, 'Degraded'],
  ['a flag that is not there yet', {}, { ready: false }, 'Progressing'],
];

for (const [says, spec, status, expected] of endings) {
  test(`by conventions, ${says} is ${expected}`, () => {
    const object: KubeObject = { apiVersion: 'example.org/v1', kind: 'Widget', metadata: { name: 'a' }, spec, status };
    assert.equal(computeHealth(object).status, expected);
  });
}

test('a place that speaks of an older spec counts only as long as no place speaks of this one', () => {
  const place = (observedGeneration: number, status: string) => ({
    conditions: [{ type: 'Accepted', status, observedGeneration, reason: 'NoMatch' }],
  });
  const health = (...parents: readonly object[]): string =>
    computeHealth({
      apiVersion: 'example.org/v1',
      kind: 'Widget',
      metadata: { name: 'a', generation: 2 },
      status: { parents },
    }).status;

  assert.equal(health(place(1, 'False'), place(2, 'True')), 'Healthy');
  assert.equal(health(place(1, 'True')), 'Progressing');
});
