import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Application, ApplicationStatus } from '@plumb/api';
import { observe, PlumbError, type HeadlineState, type Rest } from '@plumb/core';
import { saysTheSame, statusOf, type StatusInput, type TargetReport } from './status.ts';

const NOW = Date.parse('2026-01-02T03:04:05.678Z');

function application(status?: ApplicationStatus): Application {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'team', generation: 3 },
    spec: {
      source: { repository: 'code', path: '' },
      conflicts: 'report',
      timeout: '10m',
      deletion: { maxObjects: 25, maxPercent: 20 },
    },
    ...(status === undefined ? {} : { status }),
  };
}

function report(state: HeadlineState, change: Partial<TargetReport> & { rest?: Rest } = {}): TargetReport {
  const rest: Rest = {
    do: 'rest',
    state,
    message: `It is ${state}.`,
    failures: [],
    deletions: { verdict: 'none' },
    wakeAt: undefined,
  };
  return {
    environment: '',
    namespace: 'team',
    rest,
    revision: 'a'.repeat(40),
    release: 4,
    objects: 3,
    hooks: [],
    since: NOW - 60_000,
    ...change,
  };
}

function status(change: Partial<StatusInput>): ApplicationStatus {
  const reports = change.reports ?? [];
  return statusOf({
    application: application(),
    reports,
    targetCount: reports.length,
    identity: 'me',
    handledRequest: undefined,
    now: NOW,
    ...change,
  });
}

function conditionsOf(answer: ApplicationStatus): string[] {
  return (answer.conditions ?? []).map(({ type, status: value, reason }) => `${type}=${value} ${reason}`);
}

test('what an older spec led to carries the generation of that one', () => {
  const reports = [
    report('Healthy', { environment: 'dev', generation: 3 }),
    report('Healthy', { environment: 'prod', generation: 2 }),
  ];

  const answer = status({ reports });
  const both = status({ reports: reports.map((one) => ({ ...one, generation: 3 })) });

  const generations = ({ observedGeneration, conditions = [] }: ApplicationStatus) => [
    observedGeneration,
    ...conditions.map((condition) => condition.observedGeneration),
  ];
  assert.deepEqual(
    [generations(answer), generations(both)],
    [
      [2, 2],
      [3, 3],
    ],
  );
});

test('a healthy application is Ready, with its commit and release', () => {
  const answer = status({ reports: [report('Healthy')] });

  assert.deepEqual(conditionsOf(answer), ['Ready=True Healthy']);
  assert.equal(answer.observedGeneration, 3);
  assert.equal(answer.revision, 'a'.repeat(40));
  assert.equal(answer.shortRevision, 'aaaaaaa');
  assert.equal(answer.release, 'r4');
  assert.equal(answer.identity, 'me');
  assert.equal(answer.comparedAt, '2026-01-02T03:04:05Z');
});

test('work in progress is Reconciling, and what only a person can mend is Stalled', () => {
  const syncing = status({ reports: [report('Syncing')] });
  const stuck = report('Failed');
  const failures = [
    new PlumbError('FieldUnknown', 'spec.replica is not known', {
      where: { file: 'web.yaml', line: 7 },
      subject: 'Deployment/web',
    }),
  ];
  const failed = status({ reports: [{ ...stuck, rest: { ...stuck.rest, failures } }] });

  assert.deepEqual(conditionsOf(syncing), ['Ready=False Syncing', 'Reconciling=True Syncing']);
  assert.deepEqual(conditionsOf(failed), ['Ready=False FieldUnknown', 'Stalled=True FieldUnknown']);
  assert.deepEqual(failed.environments?.[0]?.failures, [
    {
      code: 'FieldUnknown',
      message: 'spec.replica is not known',
      fix: 'Correct the spelling of the field, or remove it.',
      file: 'web.yaml',
      line: 7,
      object: 'Deployment/web',
    },
  ]);
});

test('what is tried again by itself is not Stalled', () => {
  const waiting = report('Failed');

  const answer = status({
    reports: [
      { ...waiting, rest: { ...waiting.rest, failures: [new PlumbError('NamespaceMissing', 'No such namespace')] } },
    ],
  });

  assert.deepEqual(conditionsOf(answer), ['Ready=False NamespaceMissing']);
});

test('the headline is that of the worst environment, and says which', () => {
  const answer = status({
    reports: [
      report('Healthy', { environment: 'dev' }),
      report('Degraded', { environment: 'prod', revision: 'b'.repeat(40) }),
    ],
  });

  assert.equal(answer.state, 'Degraded');
  assert.equal(answer.message, 'prod: It is Degraded.');
  assert.equal(answer.release, undefined);
  assert.deepEqual(
    answer.environments?.map(({ name, state, release }) => [name, state, release]),
    [
      ['dev', 'Healthy', 'r4'],
      ['prod', 'Degraded', 'r4'],
    ],
  );
});

test('until every target has been looked at the application is Pending', () => {
  assert.equal(status({ reports: [report('Healthy')], targetCount: 2 }).state, 'Pending');
  assert.deepEqual(conditionsOf(status({ reports: [], targetCount: 1 })), [
    'Ready=False Pending',
    'Reconciling=True Pending',
  ]);
});

test('the time of a condition is that of its last turn', () => {
  const before = status({ reports: [report('Healthy')], now: NOW - 3_600_000 });

  const same = status({ application: application(before), reports: [report('Healthy')] });
  const turned = status({ application: application(before), reports: [report('Syncing')] });

  assert.equal(same.conditions?.[0]?.lastTransitionTime, '2026-01-02T02:04:05Z');
  assert.equal(turned.conditions?.[0]?.lastTransitionTime, '2026-01-02T03:04:05Z');
});

test('a later comparison with the same answer is no news', () => {
  const reports = [report('Healthy')];
  const before = status({ reports, now: NOW - 3_600_000 });
  const after = status({ application: application(before), reports });

  assert.equal(saysTheSame(before, after), true);
  assert.equal(saysTheSame(before, { ...after, handledRequest: 'x' }), false);
  assert.equal(saysTheSame(undefined, after), false);
});

test('deletions that wait for an approval show their digest, the reason and the first of the objects', () => {
  const blocked = report('Failed');
  const objects = Array.from({ length: 30 }, (_, index) =>
    observe({ apiVersion: 'v1', kind: 'Secret', metadata: { name: `s${10 + index}`, namespace: 'shop' } }),
  );
  const [first] = objects;
  assert.ok(first !== undefined);
  const deletions = {
    verdict: 'blocked',
    objects,
    digest: 'abc',
    reason: 'too many',
    findings: new Map([[first.key, { removedBy: '3f2a1bc by Test Author', instances: 4 }]]),
  } as const;

  const answer = status({ reports: [{ ...blocked, rest: { ...blocked.rest, deletions } }] });

  const { objects: listed = [], ...rest } = answer.environments?.[0]?.pendingDeletions ?? {};
  assert.deepEqual(rest, { digest: 'abc', count: 30, reason: 'too many' });
  assert.equal(listed.length, 20);
  assert.deepEqual(listed.slice(0, 2), [
    { object: 'Secret/s10 in shop', removedBy: '3f2a1bc by Test Author', takes: 4 },
    { object: 'Secret/s11 in shop' },
  ]);
});
