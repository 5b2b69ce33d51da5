import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '../object.ts';
import { podTrouble } from './pod-trouble.ts';

function pod(status: Json): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web-1' }, status };
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
  [
    'is ready, and its load balancer has not said so',
    {
      phase: 'Running',
      conditions: [
        {
          type: 'Ready',
          status: 'False',
          reason: 'ReadinessGatesNotReady',
          message: 'the status of pod readiness gate "example.com/lb" is not "True", but False',
        },
      ],
      containerStatuses: [{ name: 'app', ready: true, restartCount: 0, state: { running: {} } }],
    },
    'wait ReadinessGatesNotReady, the status of pod readiness gate "example.com/lb" is not "True", but False',
  ],
];

for (const [what, status, says] of CASES) {
  test(`a pod: ${what}`, () => {
    const trouble = podTrouble(pod(status));

    const said = trouble && `${trouble.isFailure ? 'fail' : 'wait'} ${trouble.reason}, ${trouble.detail}`;
    assert.equal(said, says);
  });
}
