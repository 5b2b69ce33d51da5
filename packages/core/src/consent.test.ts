import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { GateFacts, PlanFact } from './approval-gate.ts';
import { asksConsent, lossesOf, lossOf, withConsent } from './consent.ts';
import type { Decision } from './decide.ts';
import { deletionId, type BlockedDeletion } from './deletion.ts';
import { PlumbError } from './error.ts';
import { keyOf, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';
import type { PlanItem } from './plan.ts';

type Gate = Pick<GateFacts, 'rule' | 'approvals' | 'author' | 'plan'>;

function live(name: string): LiveObject {
  return {
    key: `/ConfigMap/shop/${name}` as ObjectKey,
    apiVersion: 'v1',
    uid: `uid of ${name}`,
    resourceVersion: '1',
    target: undefined,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
  };
}

function blocked(names: readonly string[], more: Partial<BlockedDeletion> = {}): BlockedDeletion {
  return { verdict: 'blocked', objects: names.map(live), digest: 'x', reason: 'many', findings: new Map(), ...more };
}

function plan(names: readonly string[], more: object = {}): PlanFact {
  const losses = { replaces: [], deletes: new Set(names.map((name) => deletionId(live(name)))) };
  return { state: 'made', digest: 'aaaaaaaaaaaa', desired: 'd', isFresh: true, denials: [], losses, ...more };
}

const BOB = { digest: 'aaaaaaaaaaaa', by: 'bob', groups: [] };
const GATE: Gate = { rule: undefined, approvals: [BOB], author: ['ann'], plan: plan(['a', 'b']) };

test('deletions go with an approval of the plan of this moment that has every one of them', () => {
  const verdictOf = (gate: Partial<Gate>, deletions = blocked(['a', 'b'])): string => {
    const verdict = withConsent({ ...GATE, ...gate }, 'd', deletions);
    return verdict === 'plan' ? verdict : verdict.verdict;
  };

  assert.equal(verdictOf({}), 'allowed');
  assert.equal(verdictOf({}, blocked(['b'])), 'allowed');
  assert.equal(verdictOf({}, blocked(['a', 'b', 'c'])), 'blocked');
  assert.equal(verdictOf({ approvals: [] }), 'blocked');
  assert.equal(verdictOf({ approvals: [], plan: undefined }), 'blocked');
  assert.equal(verdictOf({ approvals: [{ ...BOB, by: 'ann' }] }), 'blocked');
  assert.equal(verdictOf({ approvals: [{ ...BOB, digest: 'bbbbbbbbbbbb' }] }), 'blocked');
  assert.equal(verdictOf({ rule: { required: 2, from: [], notAuthor: true, fromReviews: false } }), 'blocked');
  assert.equal(verdictOf({ plan: undefined }), 'plan');
  assert.equal(verdictOf({ plan: plan(['a', 'b'], { isFresh: false }) }), 'plan');
  assert.equal(verdictOf({ plan: plan(['a', 'b'], { desired: 'before' }) }), 'plan');
  assert.equal(verdictOf({ plan: plan(['a', 'b'], { denials: [new PlumbError('PolicyDenied', 'no')] }) }), 'blocked');
  assert.equal(verdictOf({ plan: { state: 'failed', desired: 'd', isFresh: true, errors: [] } }), 'blocked');
  const frozen = { reason: 'restored', until: undefined, isFrozen: true };
  assert.equal(verdictOf({}, blocked(['a'], { pause: frozen })), 'blocked');
});

test('nothing is deleted that was not in the approved plan of this moment, by whoever approves what', () => {
  const names = ['a', 'b', 'c'];
  const approval = fc.record({
    digest: fc.constantFrom('aaaaaaaaaaaa', 'bbbbbbbbbbbb'),
    by: fc.constantFrom('ann', 'bob', 'cid'),
    groups: fc.constant([]),
  });
  const rule = fc.option(
    fc.record({
      required: fc.integer({ min: 0, max: 2 }),
      from: fc.subarray(['user:bob']),
      notAuthor: fc.boolean(),
      fromReviews: fc.constant(false),
    }),
    { nil: undefined },
  );
  const desired = fc.constantFrom('d', 'before');
  fc.assert(
    fc.property(
      fc.subarray(names, { minLength: 1 }),
      fc.subarray(names),
      fc.array(approval, { maxLength: 4 }),
      rule,
      desired,
      fc.boolean(),
      (candidates, planned, approvals, asked, of, isFresh) => {
        const gate = { rule: asked, approvals, author: ['ann'], plan: plan(planned, { desired: of, isFresh }) };

        const verdict = withConsent(gate, 'd', blocked(candidates));

        if (verdict === 'plan' || verdict.verdict !== 'allowed') return;
        assert.ok(of === 'd' && isFresh);
        assert.ok(candidates.every((name) => planned.includes(name)));
        assert.deepEqual(
          verdict.objects.map(({ key }) => key),
          candidates.map((name) => live(name).key),
        );
        const people = new Set(approvals.filter(({ digest }) => digest === 'aaaaaaaaaaaa').map(({ by }) => by));
        if (asked?.notAuthor !== false) people.delete('ann');
        assert.ok(people.size >= Math.max(1, asked?.required ?? 1));
      },
    ),
  );
});

test('a release is planned where it may make anew what holds data, or exceeds the budget and somebody approved', () => {
  const update = (kind: string, options: string): Decision => {
    const annotations = { 'plumb.dev/sync-options': options };
    const object = { apiVersion: 'apps/v1', kind, metadata: { name: 'db', namespace: 'shop', annotations } };
    const key = keyOf(object);
    const desired = { key, hash: 'h', phase: 2, wave: 0, origin: { file: 'a' }, object } as const;
    return { action: 'update', key, desired, reason: 'changed', force: true };
  };
  const nobody = { ...GATE, approvals: [] };

  assert.equal(asksConsent(nobody, [update('StatefulSet', 'Force=true')], { verdict: 'none' }), true);
  assert.equal(asksConsent(nobody, [update('StatefulSet', 'Prune=false')], { verdict: 'none' }), false);
  assert.equal(asksConsent(nobody, [update('Deployment', 'Force=true')], { verdict: 'none' }), false);
  assert.equal(asksConsent(nobody, [], blocked(['a'])), false);
  assert.equal(asksConsent(GATE, [], blocked(['a'])), true);
  assert.equal(asksConsent(GATE, [], { verdict: 'none' }), false);
});

test('what a plan loses are its deletions, and what it makes anew with data in it', () => {
  const key = 'apps/StatefulSet/shop/db' as ObjectKey;
  const base = { key, changes: [], predicted: false, forcedBy: 'spec' };
  const items: readonly PlanItem[] = [
    { ...base, action: 'replace', consent: { uid: 'u', loss: 'data' }, origin: { file: 'db.yaml', line: 1 } },
    { ...base, action: 'replace' },
  ];

  const losses = lossesOf({ items, deletions: blocked(['a']) });

  assert.deepEqual(losses.replaces, [
    { key, id: `${key} u`, field: 'spec', loss: 'data', where: { file: 'db.yaml', line: 1 } },
  ]);
  assert.deepEqual([...losses.deletes], ['/ConfigMap/shop/a uid of a']);
});

test('it is told what is lost: pods, claims by their retention, a volume by its reclaim policy', () => {
  const set = (whenDeleted: string) =>
    lossOf({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted } },
    });

  assert.match(set('Delete'), /claims are deleted with all data/);
  assert.match(set('Retain'), /claims stay/);
  assert.match(
    lossOf({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' } }),
    /volume is deleted with all data in it, unless the reclaim policy of the volume is Retain.*no backup/,
  );
});
