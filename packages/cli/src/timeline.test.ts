import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DriftRecord, HoldRecord, Release } from '@plumb/ledger';
import { objectKey, targetKey } from '@plumb/core';
import { PLAIN } from './style.ts';
import { timelineData, timelineText, type Timeline } from './timeline.ts';

const target = targetKey({ namespace: 'default', application: 'shop', environment: 'prod' });
const at = (minute: number): number => Date.UTC(2026, 0, 31, 16, minute);

const RELEASE: Release = {
  target,
  number: 7,
  commit: '9f3c1ab'.padEnd(40, '0'),
  treeId: '',
  inputsKey: '',
  digest: 'd',
  subject: 'Raise the limit',
  author: 'alice',
  objectCount: 3,
  startedAt: at(10),
  outcome: 'failed',
  message: 'ImagePullBackOff',
};
const DRIFT: DriftRecord = {
  id: 1,
  target,
  object: objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' }),
  kind: 'edited',
  fields: [{ path: 'spec.replicas', git: 3, live: 9, owners: [], by: { tier: 'none' } }],
  by: { tier: 'audit', user: 'dana', manager: 'kubectl-edit' },
  release: 6,
  foundAt: at(5),
  end: { at: at(5) + 40, outcome: 'healed' },
};
const HOLD: HoldRecord = {
  uid: 'u',
  target,
  name: 'shop-prod-1',
  covers: 'all objects',
  by: 'dana',
  reason: 'INC-9\u001b[2J',
  since: at(20),
  until: at(50),
  atEnd: 'pull-request',
};
const TIMELINE: Timeline = { releases: [RELEASE], drifts: [DRIFT], holds: [HOLD] };

test('releases, drift and holds stand in one table, the newest first', () => {
  const text = timelineText(TIMELINE, { style: PLAIN, now: at(30) });

  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll(/ {2,}/g, ' | ')),
    [
      'UTC | EVENT | RESULT | BY | WHAT',
      '2026-01-31 16:20 | hold | ‖ until 2026-01-31 16:50 | dana | all objects: INC-9[2J',
      '2026-01-31 16:10 | r7 | ✕ failed | alice | 9f3c1ab Raise the limit (ImagePullBackOff)',
      '2026-01-31 16:05 | drift | ✓ healed in 40 ms | dana (kubectl-edit) | Deployment/api replicas 3 → 9',
    ],
  );
});

test('a hold that was lifted, has ended, or became a pull request says so', () => {
  const of = (more: Partial<HoldRecord>, now: number): string =>
    timelineText({ releases: [], drifts: [], holds: [{ ...HOLD, ...more }] }, { style: PLAIN, now });

  assert.match(of({ liftedAt: at(25) }, at(30)), /lifted 2026-01-31 16:25/);
  assert.match(
    of({ outcome: '1 edited field in a pull request.' }, at(59)),
    /ended 2026-01-31 16:50 .*; 1 edited field/,
  );
});

test('several targets are named, and nothing at all is said', () => {
  const other = targetKey({ namespace: 'default', application: 'shop', environment: 'dev' });
  const text = timelineText({ ...TIMELINE, holds: [{ ...HOLD, target: other }] }, { style: PLAIN, now: at(30) });

  assert.match(text, /^UTC +TARGET +EVENT/);
  assert.match(text, / default\/shop\/dev +hold /);
  assert.equal(
    timelineText({ releases: [], drifts: [], holds: [] }, { style: PLAIN, now: 0 }),
    'Nothing has happened yet.\n',
  );
});

test('for programs each entry has its type, in the same order', () => {
  assert.deepEqual(
    timelineData(TIMELINE).map((entry) => (entry as { readonly type: string }).type),
    ['hold', 'release', 'drift'],
  );
});
