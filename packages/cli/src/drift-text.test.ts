import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { objectKey, targetKey } from '@plumb/core';
import { openLedger, type DriftRecord, type NewDrift } from '@plumb/ledger';
import { ManualClock } from '@plumb/test-support';
import { driftsText, isBy, trendOf } from './drift-text.ts';

const NOW = Date.UTC(2026, 0, 2, 12);
const STYLE = { isColored: false, isUnicode: true } as const;

function record(more: Partial<DriftRecord> = {}): DriftRecord {
  return {
    id: 1,
    target: targetKey({ namespace: 'default', application: 'shop', environment: 'prod' }),
    object: objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' }),
    kind: 'edited',
    fields: [{ path: 'spec.replicas', git: 3, live: 9, owners: [], by: { tier: 'none' } }],
    by: { tier: 'stamp', user: 'j.doe', manager: 'kubectl-edit' },
    release: 7,
    foundAt: NOW - 60_000,
    ...more,
  };
}

test('each drift is a line with what, by whom, and what became of it', () => {
  const records = [
    record(),
    record({ end: { at: NOW - 59_800, outcome: 'healed' } }),
    record({ end: { at: NOW, outcome: 'gone' } }),
    record({ standing: { policy: 'report' } }),
    record({ standing: { policy: 'allow', until: NOW + 3_600_000, reason: 'INC-9', by: 'dana' } }),
    record({ kind: 'deleted', fields: [], by: { tier: 'none' } }),
  ];
  const text = driftsText({ records, trend: undefined, suggestions: [] }, { style: STYLE, now: NOW, isOpen: false });
  assert.deepEqual(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      ['FOUND (UTC)', 'APP', 'OBJECT', 'WHAT', 'BY', 'STATE'],
      ['2026-01-02 11:59:00', 'shop/prod', 'Deployment/api', 'replicas 3 → 9', 'j.doe (kubectl-edit)', '≠ open'],
      [
        '2026-01-02 11:59:00',
        'shop/prod',
        'Deployment/api',
        'replicas 3 → 9',
        'j.doe (kubectl-edit)',
        '✓ healed in 200 ms',
      ],
      ['2026-01-02 11:59:00', 'shop/prod', 'Deployment/api', 'replicas 3 → 9', 'j.doe (kubectl-edit)', '✓ gone'],
      ['2026-01-02 11:59:00', 'shop/prod', 'Deployment/api', 'replicas 3 → 9', 'j.doe (kubectl-edit)', '≠ reported'],
      [
        '2026-01-02 11:59:00',
        'shop/prod',
        'Deployment/api',
        'replicas 3 → 9',
        'j.doe (kubectl-edit)',
        '≠ allowed by dana until 2026-01-02 13:00: INC-9',
      ],
      ['2026-01-02 11:59:00', 'shop/prod', 'Deployment/api', 'deleted', 'unknown', '≠ open'],
    ],
  );
});

test('where nothing has drifted that is said', () => {
  const options = { style: STYLE, now: NOW };
  assert.equal(
    driftsText({ records: [], trend: undefined, suggestions: [] }, { ...options, isOpen: true }),
    'Nothing has drifted.\n',
  );
  assert.equal(
    driftsText({ records: [], trend: [], suggestions: [] }, { ...options, isOpen: false }),
    'Nothing is recorded.\n',
  );
});

test('what keeps being changed comes with a rule that is ready to be pasted', () => {
  const rule = {
    group: 'apps',
    kind: 'Deployment',
    fields: ['spec.replicas'],
    managers: ['scaler'],
    policy: 'ignore',
    reason: 'r',
  } as const;
  const text = driftsText(
    { records: [], trend: undefined, suggestions: [{ rule, count: 7 }] },
    { style: STYLE, now: NOW, isOpen: true },
  );
  assert.equal(
    text,
    `Nothing has drifted.

scaler has changed this 7 times. To leave it alone, in the Application (plumb drift ignore):
  spec:
    drift:
      rules:
      - group: apps
        kind: Deployment
        fields:
        - spec.replicas
        managers:
        - scaler
        policy: ignore
        reason: r
`,
  );
});

test('a trend counts for applications and authors, in the time and in the one before', () => {
  const from = NOW - 3_600_000;
  const early = record({ foundAt: from - 1 });
  const other = record({ by: { tier: 'manager', manager: 'helm' } });
  assert.deepEqual(trendOf([record(), other, early], from), [
    { of: 'application', name: 'shop/prod', count: 2, before: 1 },
    { of: 'author', name: 'j.doe (kubectl-edit)', count: 1, before: 1 },
    { of: 'author', name: 'unknown user, manager helm', count: 1, before: 0 },
  ]);
});

test('an author is found by a part of the name of the user or of the manager', () => {
  assert.deepEqual(
    ['doe', 'kubectl', 'helm', undefined].map((name) => isBy(record(), name)),
    [true, true, false, true],
  );
});

test('the ledger keeps drifts over a restart, and what has ended stays as it ended', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-drift-'));
  t.after(() => rm(folder, { recursive: true }));
  const clock = new ManualClock();
  const { id: _id, ...drift } = record();
  const fresh: NewDrift = drift;
  {
    await using ledger = await openLedger({ folder, clock });
    const [first = 0, second = 0] = await ledger.recordDrifts([fresh, { ...fresh, standing: { policy: 'report' } }]);
    await ledger.updateDrifts([
      { id: first, outcome: 'healed' },
      { id: second, standing: null, by: { tier: 'audit', user: 'dana' } },
    ]);
    await ledger.updateDrifts([{ id: first, outcome: 'gone' }]);
  }
  await using ledger = await openLedger({ folder, clock });
  const all = await ledger.drifts({ limit: 10 });
  const open = await ledger.drifts({ isOpen: true, limit: 10 });
  const recent = await ledger.drifts({ since: NOW - 1, limit: 10 });

  assert.deepEqual(
    all.map(({ end, standing, by }) => [end?.outcome, standing, by.user]),
    [
      [undefined, undefined, 'dana'],
      ['healed', undefined, 'j.doe'],
    ],
  );
  assert.deepEqual(
    [open, recent].map((records) => records.length),
    [1, 1],
  );
});
