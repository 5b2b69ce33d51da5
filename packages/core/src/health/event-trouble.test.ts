import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, KubeObject } from '../object.ts';
import { creationEventTrouble, podEventTrouble, stageOf } from './event-trouble.ts';
import type { Trouble } from './pod-trouble.ts';

interface EventParts {
  /** Seconds after midnight. */
  readonly at?: number;
  readonly count?: number;
  readonly container?: string;
  readonly series?: number;
}

function event(reason: string, message: string, parts: EventParts = {}): KubeObject {
  const { at = 30, count, container, series } = parts;
  const time = `2026-01-01T00:00:${String(at).padStart(2, '0')}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${reason}.${at}` },
    reason,
    message,
    ...(container === undefined ? {} : { involvedObject: { fieldPath: `spec.containers{${container}}` } }),
    ...(series === undefined
      ? { lastTimestamp: time, ...(count === undefined ? {} : { count }) }
      : { eventTime: '2026-01-01T00:00:00Z', series: { count: series, lastObservedTime: time } }),
  };
}

const STAGES = {
  scheduling: { phase: 'Pending' },
  starting: {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'True' }],
    containerStatuses: [{ name: 'app', ready: false, state: { waiting: { reason: 'ContainerCreating' } } }],
  },
  running: {
    phase: 'Running',
    conditions: [{ type: 'PodScheduled', status: 'True' }],
    containerStatuses: [{ name: 'app', ready: false, state: { running: { startedAt: '2026-01-01T00:00:10Z' } } }],
  },
} satisfies Readonly<Record<string, Json>>;

function pod(status: Json): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1' }, status };
}

function say(trouble: Trouble | undefined): string | undefined {
  return trouble && `${trouble.isFailure ? 'fail' : 'wait'} ${trouble.reason}, ${trouble.detail}`;
}

const PROBE = 'Readiness probe failed: HTTP probe failed with statuscode: 503';
const NO_SECRET = 'MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found';
const MULTI_ATTACH = 'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) web-0';

const CASES: readonly (readonly [
  what: string,
  stage: keyof typeof STAGES,
  events: readonly KubeObject[],
  says: string | undefined,
])[] = [
  ['nothing was said', 'running', [], undefined],
  ['only good news', 'running', [event('Pulled', 'Container image already present'), event('Started', '')], undefined],
  [
    'a readiness probe',
    'running',
    [event('Unhealthy', PROBE, { count: 12, container: 'app' })],
    'wait Unhealthy, readiness probe failed: HTTP 503, 12 times',
  ],
  [
    'a probe that nobody answers, told by the new API',
    'running',
    [
      event('Unhealthy', 'Liveness probe failed: Get "http://10.0.0.1:80/live": context deadline exceeded', {
        series: 3,
      }),
    ],
    'wait Unhealthy, liveness probe failed: no answer in time, 3 times',
  ],
  [
    'a probe at a closed port',
    'running',
    [event('Unhealthy', 'Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused')],
    'wait Unhealthy, startup probe failed: connection refused',
  ],
  [
    'what the command of a probe printed is not repeated',
    'running',
    [event('Unhealthy', 'Readiness probe failed: could not log in with password=hunter2\nbye')],
    'wait Unhealthy, readiness probe failed',
  ],
  ['a probe of the life before', 'running', [event('Unhealthy', PROBE, { at: 5, container: 'app' })], undefined],
  ['a probe of another container', 'running', [event('Unhealthy', PROBE, { container: 'gone' })], undefined],
  ['a mount that is long done', 'running', [event('FailedMount', NO_SECRET)], undefined],
  [
    'a restart that is backed off',
    'running',
    [event('BackOff', 'Back-off restarting failed container app in pod web-1', { container: 'app' })],
    'fail CrashLoopBackOff, container app keeps stopping',
  ],
  [
    'no node has room',
    'scheduling',
    [event('FailedScheduling', '0/3 nodes are available: 3 Insufficient cpu.')],
    'wait FailedScheduling, 0/3 nodes are available: 3 Insufficient cpu',
  ],
  [
    'a Secret that is mounted and missing',
    'starting',
    [event('FailedMount', NO_SECRET, { count: 7 })],
    'fail FailedMount, volume "tls": secret "web-tls" not found',
  ],
  [
    'a ConfigMap without the key',
    'starting',
    [
      event(
        'FailedMount',
        'MountVolume.SetUp failed for volume "cfg" : configmap references non-existent config key: a.yml',
      ),
    ],
    'fail FailedMount, volume "cfg": configmap references non-existent config key: a.yml',
  ],
  [
    'a mount, without its command line',
    'starting',
    [
      event(
        'FailedMount',
        'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32\nMounting command: mount\n' +
          'Mounting arguments: -t cifs -o username=a,password=hunter2 //host/x /y\nOutput: permission denied',
      ),
    ],
    'wait FailedMount, volume "nfs": mount failed: exit status 32 permission denied',
  ],
  [
    'a volume that another pod holds, before the mount that waits for it',
    'starting',
    [
      event('FailedAttachVolume', MULTI_ATTACH, { at: 20 }),
      event('FailedMount', 'Unable to attach or mount volumes: timed out waiting for the condition'),
    ],
    `wait FailedAttachVolume, ${MULTI_ATTACH}`,
  ],
  [
    'a volume that was attached since',
    'starting',
    [
      event('FailedAttachVolume', MULTI_ATTACH, { at: 20 }),
      event('SuccessfulAttachVolume', 'AttachVolume.Attach succeeded for volume "pvc-1"', { at: 21 }),
    ],
    undefined,
  ],
  [
    'an image, by the try and not by the wait for the next',
    'starting',
    [
      event('Failed', 'Failed to pull image "registry.example/web:2": 401 Unauthorized', { at: 20 }),
      event('Failed', 'Error: ErrImagePull', { at: 21 }),
      event('BackOff', 'Back-off pulling image "registry.example/web:2"', { at: 20 }),
    ],
    'fail ImagePullBackOff, image registry.example/web:2 cannot be pulled (access denied)',
  ],
  [
    'mounts are over once the image is pulled',
    'starting',
    [event('FailedMount', NO_SECRET), event('Pulling', '', { at: 40 })],
    undefined,
  ],
  [
    'a network that does not come up, without the id of the try',
    'starting',
    [
      event(
        'FailedCreatePodSandBox',
        '(combined from similar events): Failed to create pod sandbox: network for sandbox "0123456789abcdef0123": no IP',
      ),
    ],
    'wait FailedCreatePodSandBox, Failed to create pod sandbox: network for sandbox …: no IP',
  ],
];

for (const [what, stage, events, says] of CASES) {
  test(`events of a pod: ${what}`, () => {
    assert.equal(say(podEventTrouble(pod(STAGES[stage]), events)), says);
  });
}

const QUOTA = 'exceeded quota: small, requested: pods=1, used: pods=0, limited: pods=0';
const CREATION: readonly (readonly [what: string, events: readonly KubeObject[], says: string | undefined])[] = [
  ['nothing was said', [], undefined],
  [
    'a quota, without the name of the pod',
    [event('FailedCreate', `create Pod db-0 in StatefulSet db failed error: pods "db-0" is forbidden: ${QUOTA}`)],
    `fail FailedCreate, ${QUOTA}`,
  ],
  [
    'a policy',
    [event('FailedCreate', 'Error creating: admission webhook "policy.example" denied the request: no root')],
    'fail FailedCreate, admission webhook "policy.example" denied the request: no root',
  ],
  [
    'a service account that is not there',
    [event('FailedCreate', 'Error creating: pods "a-" is forbidden: error looking up service account x/y: not found')],
    'fail FailedCreate, error looking up service account x/y: not found',
  ],
  [
    'one was made since',
    [event('FailedCreate', `Error creating: ${QUOTA}`, { at: 20 }), event('SuccessfulCreate', 'Created pod: a')],
    undefined,
  ],
];

for (const [what, events, says] of CREATION) {
  test(`events of a workload: ${what}`, () => {
    assert.equal(say(creationEventTrouble(events)), says);
  });
}

test('of a pod with several containers the failing one is named, and one that is ready is not', () => {
  const status = {
    phase: 'Running',
    containerStatuses: [
      { name: 'app', ready: false, state: { running: {} } },
      { name: 'side', ready: true, state: { running: {} } },
    ],
  };
  const events = [
    event('Unhealthy', PROBE, { container: 'app', count: 2, at: 20 }),
    event('Unhealthy', PROBE, { container: 'side', count: 9, at: 40 }),
  ];

  assert.equal(
    say(podEventTrouble(pod(status), events)),
    'wait Unhealthy, container app: readiness probe failed: HTTP 503, 2 times',
  );
});

test('a pod that is ready, is over, goes or is held back on purpose stands at no stage', () => {
  const gated = { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] };
  const ready = { ...STAGES.running, conditions: [{ type: 'Ready', status: 'True' }] };
  const leaving = pod(STAGES.running);

  assert.deepEqual(
    [
      stageOf(pod(gated)),
      stageOf(pod(ready)),
      stageOf(pod({ phase: 'Succeeded' })),
      stageOf({ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    ],
    [undefined, undefined, undefined, undefined],
  );
});

const anyReason = fc.constantFrom(
  ...['Unhealthy', 'FailedMount', 'FailedAttachVolume', 'FailedScheduling', 'FailedCreate', 'BackOff', 'Failed'],
  ...['FailedCreatePodSandBox', 'Pulled', 'Started', 'SuccessfulCreate', 'Scheduled'],
);
const anyMessage = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 2_000 }),
  fc.string({ maxLength: 50 }).map((text) => `Readiness probe failed: ${text}`),
  fc.string({ maxLength: 50 }).map((text) => `Failed to pull image "${text}": no`),
);
const anyEvent = fc
  .record({ reason: anyReason, message: anyMessage, at: fc.nat(59), count: fc.nat(1_000) })
  .map(({ reason, message, at, count }) => event(reason, message, { at, count }));

test('whatever events say, a cause is one short line, and their order in the list changes nothing', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyEvent, { maxLength: 8, selector: ({ metadata }) => metadata.name.split('.')[1] }),
      fc.constantFrom(...Object.values(STAGES)),
      (events, status) => {
        for (const tell of [
          (list: readonly KubeObject[]) => podEventTrouble(pod(status), list),
          creationEventTrouble,
        ]) {
          const said = say(tell(events));
          assert.equal(said, say(tell(events.toReversed())));
          assert.ok(said === undefined || (said.length < 300 && !/[\n\r]/.test(said)));
        }
      },
    ),
  );
});

test('whatever else stands in a list of events, nothing is thrown', () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (fields) => {
      const events = fields.map((more) => ({ ...more, apiVersion: 'v1', kind: 'Event', metadata: { name: 'x' } }));
      podEventTrouble(pod(STAGES.running), events);
      creationEventTrouble(events);
    }),
  );
});
