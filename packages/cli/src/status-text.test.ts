import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@plumb/core';
import { fleetRows } from './fleet.ts';
import { fleetText } from './verbs/status.ts';

const NOW = Date.parse('2026-11-21T03:16:40Z');
const PLAIN = { style: { isColored: false, isUnicode: true }, now: NOW, isWide: false };
const RUNNING = { isRunning: true, seenAt: NOW };

function application(name: string, environments: readonly object[], status: object): KubeObject {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: 'shop' },
    spec: { source: { repository: 'platform', path: name }, ...(environments.length === 0 ? {} : { environments }) },
    status,
  };
}

function target(name: string, state: string, more: object = {}): object {
  const revision = '9f3c1ab0000000000000000000000000000000aa';
  return { name, state, revision, release: 'r184', objects: 4, since: '2026-11-21T03:04:40Z', ...more };
}

const ENVIRONMENTS = [{ name: 'dev' }, { name: 'prod' }];
const CHECKOUT = application('checkout', ENVIRONMENTS, {
  environments: [
    target('dev', 'Healthy'),
    target('prod', 'Failed', {
      reason: 'FieldInvalid',
      message: 'apply Deployment/api: spec.replicas must be a number',
      failures: [{ code: 'FieldInvalid', message: 'spec.replicas must be a number', file: 'a.yaml', line: 7 }],
    }),
  ],
});
const LEDGER = application('ledger', ENVIRONMENTS, {
  environments: [target('dev', 'Healthy'), target('prod', 'Syncing', { message: 'Deployment/api: 1 of 2 ready' })],
});

test('one row an application, one column an environment, and the cause of the worst', () => {
  const rows = fleetRows([LEDGER, CHECKOUT], [], { environment: undefined, isStale: false });

  assert.equal(
    fleetText({ rows, engine: RUNNING }, PLAIN),
    `APP        DEV             PROD            WHY
checkout   ✓ 9f3c1ab 12m   ✕ 9f3c1ab 12m   prod: apply Deployment/api: spec.replicas must be a number
ledger     ✓ 9f3c1ab 12m   ◐ 9f3c1ab 12m   prod: Deployment/api: 1 of 2 ready
✕ 1 failed   ◐ 1 syncing   ✓ 2 healthy
`,
  );
});

test('the same in ASCII', () => {
  const rows = fleetRows([CHECKOUT], [], { environment: undefined, isStale: false });

  assert.equal(
    fleetText({ rows, engine: RUNNING }, { ...PLAIN, style: { isColored: false, isUnicode: false } }),
    `APP        DEV              PROD               WHY
checkout   ok 9f3c1ab 12m   FAIL 9f3c1ab 12m   prod: apply Deployment/api: spec.replicas must be a number
FAIL 1 failed   ok 1 healthy
`,
  );
});

test('wide is one row a target', () => {
  const rows = fleetRows([CHECKOUT], [], { environment: 'prod', isStale: false });

  assert.equal(
    fleetText({ rows, engine: RUNNING }, { ...PLAIN, isWide: true }),
    `NAMESPACE   APP        ENV    STATE      REVISION   RELEASE   OBJECTS   SINCE   WHY
shop        checkout   prod   ✕ Failed   9f3c1ab    r184      4         12m     apply Deployment/api: spec.replicas must be a number
✕ 1 failed
`,
  );
});

test('green is never stale: without an engine every state is in doubt, with the age of the last look', () => {
  const rows = fleetRows([LEDGER], [], { environment: undefined, isStale: true });

  assert.equal(
    fleetText({ rows, engine: { isRunning: false, seenAt: Date.parse('2026-11-21T01:10:00Z') } }, PLAIN),
    `APP      DEV             PROD            WHY
ledger   ? 9f3c1ab 12m   ? 9f3c1ab 12m   prod: Deployment/api: 1 of 2 ready
? 2 stale
No engine has looked since 2026-11-21 01:10 UTC (2h ago): these states may be out of date.
`,
  );
});

test('what is wrong with the repository is said beside the state', () => {
  const repository: KubeObject = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { name: 'platform', namespace: 'shop' },
    status: { conditions: [{ type: 'Ready', status: 'False', message: 'the host does not answer' }] },
  };
  const plain = application('web', [], { environments: [target('', 'Healthy')] });
  const rows = fleetRows([plain], [repository], { environment: undefined, isStale: false });

  assert.equal(
    fleetText({ rows, engine: RUNNING }, PLAIN),
    `APP   STATE           WHY
web   ✓ 9f3c1ab 12m   repository platform: the host does not answer
✓ 1 healthy
`,
  );
});

test('a target that fails because of its repository does not say so twice', () => {
  const message = 'fetching https://git.example.com/x.git: no route to host';
  const repository: KubeObject = {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { name: 'platform', namespace: 'shop' },
    status: { conditions: [{ type: 'Ready', status: 'False', message: `${message}. Check the URL.` }] },
  };
  const plain = application('web', [], { environments: [target('', 'Failed', { message })] });

  const [row] = fleetRows([plain], [repository], { environment: undefined, isStale: false });

  assert.equal(row?.why, `repository platform: ${message}. Check the URL.`);
});

test('what people wrote into messages cannot repaint the screen', () => {
  const evil = application('web', [], {
    environments: [target('', 'Failed', { message: 'no\u001b[2J\u202e such\nfield' })],
  });
  const rows = fleetRows([evil], [], { environment: undefined, isStale: false });

  assert.match(fleetText({ rows, engine: RUNNING }, PLAIN), /no\[2J such field\n/);
});

test('an application that nobody has looked at is pending, and one that cannot be read has failed', () => {
  const fresh = application('fresh', [], {});
  const wrong = { ...application('wrong', [], {}), spec: { source: { repository: 7 } } };
  const rows = fleetRows([wrong, fresh], [], { environment: undefined, isStale: false });

  assert.deepEqual(
    rows.map(({ app, state, reason }) => [app, state, reason]),
    [
      ['fresh', 'Pending', undefined],
      ['wrong', 'Failed', 'SpecInvalid'],
    ],
  );
});
