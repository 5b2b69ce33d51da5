import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decide, type AppliedObject, type DecisionInput } from './decide.ts';
import type { DesiredObject } from './desired.ts';
import { PlumbError } from './error.ts';
import { keyOf, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';

const TARGET = 'shop/web' as TargetKey;
const OTHER = 'shop/api' as TargetKey;
const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env', namespace: 'shop' } };
const key = keyOf(object);
const desired: DesiredObject = {
  key,
  hash: 'h1',
  phase: 2,
  wave: 0,
  origin: { file: 'deploy/env.yaml', line: 3 },
  object,
};
const live: LiveObject = {
  key,
  apiVersion: 'v1',
  uid: 'u1',
  resourceVersion: '10',
  target: TARGET,
  fieldsHash: 'f1',
  lastEditor: { manager: 'kubectl-edit', time: '2026-01-02T03:04:05Z' },
  deleting: false,
  health: { status: 'Healthy', message: '' },
};
const applied: AppliedObject = { uid: 'u1', desiredHash: 'h1', fieldsHash: 'f1' };

function input(change: Partial<DecisionInput>): DecisionInput {
  return { target: TARGET, key, desired, live, applied, owner: undefined, policy: { conflicts: 'report' }, ...change };
}

const deploymentObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'shop', annotations: { 'plumb.dev/sync-options': 'Force=true' } },
};
const willing: DesiredObject = { ...desired, key: keyOf(deploymentObject), hash: 'h2', object: deploymentObject };
const ofWilling: Partial<DecisionInput> = { key: willing.key, desired: willing, live: { ...live, key: willing.key } };
const immutable = new PlumbError('FieldImmutable', 'no', { field: 'spec.selector' });

const setObject = { ...deploymentObject, kind: 'StatefulSet' };
const holding: DesiredObject = { ...willing, key: keyOf(setObject), object: setObject };
const fixed = new PlumbError('FieldImmutable', 'no', { field: 'spec' });
const ofHolding: Partial<DecisionInput> = {
  key: holding.key,
  desired: holding,
  live: { ...live, key: holding.key },
  refusal: fixed,
};

const TABLE: readonly [name: string, change: Partial<DecisionInput>, expected: string][] = [
  ['what Git does not want and is ours is deleted', { desired: undefined }, 'delete removed'],
  [
    'what Git does not want and is not marked as ours is kept',
    { desired: undefined, live: { ...live, target: undefined } },
    'keep',
  ],
  [
    'what Git does not want and another target marked is kept',
    { desired: undefined, live: { ...live, target: OTHER } },
    'keep',
  ],
  [
    'what we own no field of is kept, whatever its marks say',
    { desired: undefined, live: { ...live, fieldsHash: undefined } },
    'keep',
  ],
  ['what asks to be kept is kept', { desired: undefined, live: { ...live, keep: 'plumb.dev/prune: false' } }, 'keep'],
  [
    'what says that it stays is kept',
    { desired: undefined, live: { ...live, keep: 'plumb.dev/prune: false' } },
    'keep',
  ],
  [
    'what agrees to it is replaced for a field that only a new object can have',
    { ...ofWilling, refusal: immutable },
    'replace immutable for spec.selector',
  ],
  ['so says a dry-run', { ...ofWilling, dryRun: { error: immutable } }, 'replace immutable for spec.selector'],
  ['what holds data is not replaced, whatever it says', ofHolding, 'update changed force'],
  ['nor by a dry-run', { ...ofHolding, dryRun: { error: fixed } }, 'blocked FieldImmutable'],
  [
    'nor where another object of its name was approved',
    { ...ofHolding, replaceable: new Set([`${holding.key} u2`]) },
    'update changed force',
  ],
  [
    'it is where a person has approved this very object',
    { ...ofHolding, replaceable: new Set([`${holding.key} u1`]) },
    'replace immutable for spec',
  ],
  [
    'a plan shows what it would take',
    { ...ofHolding, replaceable: 'shown', dryRun: { error: fixed } },
    'replace immutable for spec',
  ],
  [
    'without its agreement it is not',
    {
      ...ofWilling,
      desired: { ...willing, object: { ...deploymentObject, metadata: { name: 'web' } } },
      refusal: immutable,
    },
    'update changed force',
  ],
  [
    'nor for any other refusal',
    { ...ofWilling, refusal: new PlumbError('FieldInvalid', 'no', { field: 'spec.selector' }) },
    'update changed force',
  ],
  [
    'nor for a field that is not known to be immutable',
    { ...ofWilling, refusal: new PlumbError('FieldImmutable', 'no', { field: 'spec.template.spec.nodeName' }) },
    'update changed force',
  ],
  [
    'nor where the object is not marked as ours',
    { ...ofWilling, live: { ...live, target: undefined }, refusal: immutable },
    'adopt abandoned force',
  ],
  [
    'what is gone after a replacement is created',
    { ...ofWilling, live: undefined, refusal: immutable },
    'create deleted force',
  ],
  ['what is being deleted already is kept', { desired: undefined, live: { ...live, deleting: true } }, 'keep'],
  ['what neither Git nor the cluster has is kept', { desired: undefined, live: undefined }, 'keep'],
  ['what another target claims is blocked', { owner: OTHER }, 'blocked OwnedByOther'],
  [
    'a claim counts before anything exists',
    { owner: OTHER, live: undefined, applied: undefined },
    'blocked OwnedByOther',
  ],
  ['what never was there is created without force', { live: undefined, applied: undefined }, 'create absent'],
  ['what somebody deleted is created again', { live: undefined }, 'create deleted force'],
  ['what is on its way out is waited for', { live: { ...live, deleting: true } }, 'keep waits for deletion'],
  ['what bears our marks without a record is applied', { applied: undefined }, 'update unrecorded force'],
  [
    'what belonged to an application that is no more is adopted',
    { live: { ...live, target: OTHER } },
    'adopt abandoned force',
  ],
  ['what Git changed is updated', { desired: { ...desired, hash: 'h2' } }, 'update changed force'],
  ['what was made again by somebody else is updated', { live: { ...live, uid: 'u2' } }, 'update recreated force'],
  [
    'what somebody changed is healed, and it is said who',
    { live: { ...live, fieldsHash: 'f2' } },
    'update drifted force',
  ],
  [
    'what an autoscaler scaled is kept',
    { live: { ...live, fieldsHash: 'f2', fieldsHashBeforeScaling: 'f1', scaledBy: 'kube-controller-manager' } },
    'keep',
  ],
  [
    'what an autoscaler scaled and somebody changed besides is healed without the replicas',
    { live: { ...live, fieldsHash: 'f3', fieldsHashBeforeScaling: 'f2', scaledBy: 'kube-controller-manager' } },
    'update drifted force scaled by kube-controller-manager',
  ],
  ['what lost all our fields is healed', { live: { ...live, fieldsHash: undefined } }, 'update drifted force'],
  ['what is as it should be is kept', {}, 'keep'],
  [
    'force on first contact is policy',
    { live: undefined, applied: undefined, policy: { conflicts: 'force' } },
    'create absent force',
  ],
  ['a dry-run without changes keeps', { dryRun: { changes: [] } }, 'keep'],
  ['a dry-run with changes updates', { dryRun: { changes: [{ path: 'data.a', after: 'b' }] } }, 'update drifted force'],
  [
    'a dry-run that was refused blocks',
    { dryRun: { error: new PlumbError('FieldImmutable', 'no') } },
    'blocked FieldImmutable',
  ],
];

for (const [name, change, expected] of TABLE) {
  test(name, () => {
    const decision = decide(input(change));

    const words: string[] = [decision.action];
    if ('reason' in decision) words.push(decision.reason);
    if ('field' in decision) words.push(`for ${decision.field}`);
    if ('error' in decision) words.push(decision.error.code);
    if ('waitsFor' in decision) words.push(`waits for ${decision.waitsFor}`);
    if ('force' in decision && decision.force) words.push('force');
    if ('scaledBy' in decision && decision.scaledBy !== undefined) words.push(`scaled by ${decision.scaledBy}`);
    assert.equal(words.join(' '), expected);
  });
}

test('the error about an object of another application names both and the line', () => {
  const decision = decide(input({ owner: OTHER }));

  assert.ok(decision.action === 'blocked');
  assert.match(decision.error.message, /ConfigMap\/env belongs to shop\/api, so shop\/web does not touch it/);
  assert.deepEqual(decision.error.where, { file: 'deploy/env.yaml', line: 3 });
});

test('whatever the facts, only an object that is proven to be ours is deleted', () => {
  const maybe = <T>(value: T): fc.Arbitrary<T | undefined> => fc.constantFrom(value, undefined);
  fc.assert(
    fc.property(
      maybe(desired),
      fc.record({
        target: fc.constantFrom(TARGET, OTHER, undefined),
        fieldsHash: fc.constantFrom('f1', 'f2', undefined),
        deleting: fc.boolean(),
        uid: fc.constantFrom('u1', 'u2'),
        present: fc.boolean(),
      }),
      maybe(applied),
      fc.constantFrom(OTHER, undefined),
      (wanted, { present, ...facts }, record, owner) => {
        const seen = present ? { ...live, ...facts } : undefined;

        const decision = decide(input({ desired: wanted, live: seen, applied: record, owner }));

        if (decision.action !== 'delete') return;
        assert.equal(wanted, undefined);
        assert.equal(decision.live.target, TARGET);
        assert.notEqual(decision.live.fieldsHash, undefined);
        assert.equal(decision.live.deleting, false);
      },
    ),
  );
});
