import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { objectKey } from './key.ts';
import type { KubeObject } from './object.ts';
import { blastRadius, planDelta, planDigest, restartsOf, touchedOf, withOwners, type PlanItem } from './plan.ts';

const IMAGE = 'spec.template.spec.containers[name="api"].image';

function key(kind: string, name = 'api', group = 'apps') {
  return objectKey({ group, kind, namespace: 'shop', name });
}

function item(change: Partial<PlanItem> = {}): PlanItem {
  return { action: 'change', key: key('Deployment'), changes: [], predicted: false, ...change };
}

function deployment(replicas: number, image: string): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'api',
      uid: 'u1',
      managedFields: [
        {
          manager: 'plumb',
          operation: 'Apply',
          fieldsV1: {
            'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"api"}': { 'f:image': {} } } } } },
          },
        },
        {
          manager: 'kubectl-edit',
          operation: 'Update',
          time: '2026-01-02T01:12:03Z',
          fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        },
      ],
    },
    spec: { replicas, template: { spec: { containers: [{ name: 'api', image }] } } },
  };
}

test('the digest of a plan names what it does, to what, and by which rules, in any order', () => {
  const a = item({ touched: 'a' });
  const b = item({ key: key('Service', 'api', ''), touched: 'b' });
  const digest = planDigest('d', 'r', [a, b]);

  assert.equal(planDigest('d', 'r', [b, a]), digest);
  for (const other of [
    planDigest('e', 'r', [a, b]),
    planDigest('d', 's', [a, b]),
    planDigest('d', 'r', [a]),
    planDigest('d', 'r', [{ ...a, touched: 'x' }, b]),
    planDigest('d', 'r', [{ ...a, action: 'adopt' }, b]),
  ]) {
    assert.notEqual(other, digest);
  }
});

test('a live field that the plan does not touch may change as it likes', () => {
  const changes = [{ path: IMAGE, before: 'api:1', after: 'api:2' }];

  assert.equal(touchedOf(deployment(1, 'api:1'), changes), touchedOf(deployment(9, 'api:1'), changes));
  assert.notEqual(touchedOf(deployment(1, 'api:1'), changes), touchedOf(deployment(1, 'api:0'), changes));
});

test('a field that another manager owns is named with its owner', () => {
  const changes = [
    { path: 'spec.replicas', before: 9, after: 4 },
    { path: IMAGE, before: 'api:1', after: 'api:2' },
  ];

  const [replicas, image] = withOwners(deployment(9, 'api:1'), changes);

  assert.deepEqual(replicas?.owners, [{ manager: 'kubectl-edit', operation: 'Update', time: '2026-01-02T01:12:03Z' }]);
  assert.equal(image?.owners, undefined);
});

test('pods are made anew where their template changes', () => {
  const live = deployment(6, 'api:1');

  assert.equal(restartsOf(live, [{ path: IMAGE }]), 6);
  assert.equal(restartsOf(live, [{ path: 'spec.replicas' }]), undefined);
  assert.equal(restartsOf({ ...live, kind: 'DaemonSet', status: { desiredNumberScheduled: 3 } }, [{ path: IMAGE }]), 3);
  assert.equal(restartsOf({ ...live, kind: 'ConfigMap' }, [{ path: IMAGE }]), undefined);
});

test('the blast radius counts what is lost, what restarts and where', () => {
  const radius = blastRadius([
    item({ restarts: 6 }),
    item({ key: key('DaemonSet', 'agent'), restarts: 3 }),
    item({ action: 'delete', key: key('PersistentVolumeClaim', 'reports', '') }),
    item({ action: 'replace', key: key('Job', 'migrate', 'batch') }),
    item({ action: 'blocked', key: key('Service', 'x', '') }),
  ]);

  assert.deepEqual(radius, {
    objects: 4,
    deletions: 1,
    replacements: 1,
    restarts: 2,
    pods: 9,
    namespaces: ['shop'],
    stateful: ['PersistentVolumeClaim/reports'],
  });
});

const was = { path: 'spec.replicas', before: 4, after: 6 };
const DELTAS: readonly [name: string, before: PlanItem[], now: PlanItem[], delta: string[]][] = [
  ['nothing moved', [item({ changes: [was] })], [item({ changes: [was] })], []],
  [
    'a live field that is touched moved',
    [item({ changes: [was], touched: 'a' })],
    [item({ changes: [{ ...was, before: 9 }], touched: 'b' })],
    ['Deployment/api: replicas 4 → 9 since'],
  ],
  [
    'a field has to change besides',
    [item({ changes: [was], touched: 'a' })],
    [item({ changes: [was, { path: 'spec.paused', before: true }], touched: 'b' })],
    ['Deployment/api: paused removed (was true) besides'],
  ],
  [
    'a field is right already',
    [item({ changes: [was], touched: 'a' })],
    [item({ changes: [], touched: 'b' })],
    ['Deployment/api: spec.replicas needs no change any more'],
  ],
  [
    'an object was made anew',
    [item({ touched: 'a' })],
    [item({ touched: 'b' })],
    ['Deployment/api is not what it was'],
  ],
  ['another object is concerned', [], [item({ action: 'delete' })], ['Deployment/api would be deleted too']],
  ['an object is right already', [item()], [], ['Deployment/api would not be changed any more']],
  [
    'something else happens to it',
    [item({ action: 'create' })],
    [item({ action: 'adopt' })],
    ['Deployment/api would be adopted, not created'],
  ],
];

for (const [name, before, now, delta] of DELTAS) {
  test(`why a plan is void: ${name}`, () => {
    const plan = (items: readonly PlanItem[]) => ({ digest: planDigest('d', 'r', items), desired: 'd', items });
    assert.deepEqual(planDelta(plan(before), plan(now)), delta);
  });
}

test('a plan is void exactly where the digests differ, and then something is told', () => {
  const change = fc.record({ path: fc.constantFrom('spec.a', 'spec.b'), before: fc.nat(2) });
  const items = fc
    .uniqueArray(
      fc.record({
        name: fc.constantFrom('a', 'b'),
        action: fc.constantFrom('change', 'create', 'delete' as const),
        changes: fc.uniqueArray(change, { selector: ({ path }) => path, maxLength: 2 }),
      }),
      { selector: ({ name }) => name, maxLength: 2 },
    )
    .map((list) =>
      list.map(({ name, action, changes }): PlanItem => {
        return item({ key: key('Deployment', name), action, changes, touched: JSON.stringify(changes) });
      }),
    );
  fc.assert(
    fc.property(items, items, fc.boolean(), (before, now, isSameRules) => {
      const old = { digest: planDigest('d', 'r', before), desired: 'd', items: before };
      const next = { digest: planDigest('d', isSameRules ? 'r' : 's', now), desired: 'd', items: now };

      assert.equal(planDelta(old, next).length > 0, old.digest !== next.digest);
    }),
  );
});
