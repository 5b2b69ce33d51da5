import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  DEFAULT_DELETION_BUDGET,
  deletionDigest,
  deletionId,
  judgeDeletions,
  withhold,
  type DeletionQuestion,
  type Pause,
} from './deletion.ts';
import { objectKey } from './key.ts';
import type { LiveObject } from './live.ts';

function objects(count: number, kind = 'ConfigMap', group = ''): readonly LiveObject[] {
  return Array.from({ length: count }, (_, index) => ({
    key: objectKey({ group, kind, namespace: 'shop', name: `o${index}` }),
    apiVersion: 'v1',
    uid: `u${index}`,
    resourceVersion: '1',
    target: undefined,
    fieldsHash: 'f',
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
  }));
}

function question(change: Partial<DeletionQuestion>): DeletionQuestion {
  return {
    candidates: [],
    memberCount: 20,
    desiredCount: 10,
    budget: DEFAULT_DELETION_BUDGET,
    approved: undefined,
    ...change,
  };
}

const TABLE: readonly [name: string, question: DeletionQuestion, verdict: string][] = [
  ['nothing to delete', question({}), 'none'],
  ['two of three may go', question({ candidates: objects(2), memberCount: 3 }), 'allowed'],
  ['a fifth may go', question({ candidates: objects(4) }), 'allowed'],
  ['more than a fifth may not', question({ candidates: objects(5) }), 'blocked'],
  ['never more than 25', question({ candidates: objects(26), memberCount: 1_000 }), 'blocked'],
  ['never the last one', question({ candidates: objects(1), memberCount: 1, desiredCount: 0 }), 'blocked'],
  ['never a claim of storage', question({ candidates: objects(1, 'PersistentVolumeClaim') }), 'blocked'],
  ['never a StatefulSet', question({ candidates: objects(1, 'StatefulSet', 'apps') }), 'blocked'],
  [
    'never one that asks first',
    question({ candidates: objects(1).map((object) => ({ ...object, askFirst: 'Prune=confirm' })) }),
    'blocked',
  ],
  ['never a Namespace', question({ candidates: objects(1, 'Namespace') }), 'blocked'],
  [
    'never a kind that the user protects',
    question({
      candidates: objects(1, 'Deployment', 'apps'),
      budget: { ...DEFAULT_DELETION_BUDGET, protect: ['Deployment.apps'] },
    }),
    'blocked',
  ],
  [
    'a budget of none',
    question({ candidates: objects(1), budget: { maxObjects: 0, maxPercent: 0, protect: [] } }),
    'blocked',
  ],
];

for (const [name, asked, verdict] of TABLE) {
  test(`deletion budget: ${name}`, () => {
    assert.equal(judgeDeletions(asked).verdict, verdict);
  });
}

test('an approval lets exactly the approved set go', () => {
  const candidates = objects(8, 'StatefulSet', 'apps');
  const approved = deletionDigest(candidates);

  const same = judgeDeletions(question({ candidates, desiredCount: 0, approved }));
  const more = judgeDeletions(question({ candidates: objects(9, 'StatefulSet', 'apps'), desiredCount: 0, approved }));
  const remade = judgeDeletions(
    question({ candidates: candidates.map((live) => ({ ...live, uid: `${live.uid}x` })), desiredCount: 0, approved }),
  );

  assert.equal(same.verdict, 'allowed');
  assert.equal(more.verdict, 'blocked');
  assert.equal(remade.verdict, 'blocked');
});

test('without an approval no question ever lets more go than the budget says', () => {
  fc.assert(
    fc.property(
      fc.nat(60),
      fc.nat(400),
      fc.nat(60),
      fc.nat(40),
      fc.nat(100),
      (count, others, desiredCount, maxObjects, maxPercent) => {
        const candidates = objects(count);
        const memberCount = count + others;

        const answer = judgeDeletions(
          question({ candidates, memberCount, desiredCount, budget: { maxObjects, maxPercent, protect: [] } }),
        );

        if (answer.verdict !== 'allowed') return;
        assert.ok(desiredCount > 0);
        assert.ok(answer.objects.length <= maxObjects);
        assert.ok(answer.objects.length <= Math.max(2, Math.floor((memberCount * maxPercent) / 100)));
      },
    ),
  );
});

test('the digest of a set does not depend on its order', () => {
  const set = objects(5);

  assert.equal(deletionDigest(set), deletionDigest(set.toReversed()));
  assert.notEqual(deletionDigest(set), deletionDigest(set.slice(1)));
});

const PAUSE: Pause = { reason: 'all wait', until: 5, isFrozen: false };
const IDS = new Set(objects(3).map(deletionId));
const FACTS_TABLE: readonly [name: string, question: DeletionQuestion, verdict: string][] = [
  [
    'what is left of a set that was allowed may go, whatever the budget',
    question({
      candidates: objects(1, 'ConfigMap'),
      memberCount: 1,
      desiredCount: 0,
      facts: { allowed: { by: 'budget', ids: IDS }, pause: () => PAUSE },
    }),
    'allowed budget',
  ],
  [
    'one more than was allowed makes it another set',
    question({
      candidates: objects(4),
      memberCount: 5,
      facts: { allowed: { by: 'approval', ids: IDS }, pause: () => undefined },
    }),
    'blocked',
  ],
  [
    'within the budget it still waits while the deletions of all do',
    question({ candidates: objects(1), facts: { allowed: undefined, pause: () => PAUSE } }),
    'blocked',
  ],
  [
    'an approval goes past that',
    question({
      candidates: objects(1),
      approved: deletionDigest(objects(1)),
      facts: { allowed: undefined, pause: () => PAUSE },
    }),
    'allowed approval',
  ],
  [
    'nothing goes past a cluster that was set back',
    question({
      candidates: objects(1),
      approved: deletionDigest(objects(1)),
      facts: { allowed: { by: 'approval', ids: IDS }, pause: () => ({ ...PAUSE, isFrozen: true }) },
    }),
    'blocked',
  ],
];

for (const [name, asked, expected] of FACTS_TABLE) {
  test(`deletions: ${name}`, () => {
    const verdict = judgeDeletions(asked);
    assert.equal(verdict.verdict === 'allowed' ? `allowed ${verdict.by}` : verdict.verdict, expected);
  });
}

test('an approval names one set: fewer, more or others are another set', () => {
  const approved = deletionDigest(objects(5));
  const [first, ...others] = objects(5);
  assert.ok(first !== undefined);
  const changed = [objects(6), others, [{ ...first, uid: 'made anew' }, ...others]];

  assert.equal(judgeDeletions(question({ candidates: objects(5), approved, desiredCount: 0 })).verdict, 'allowed');
  for (const candidates of changed) {
    assert.equal(judgeDeletions(question({ candidates, approved, desiredCount: 0 })).verdict, 'blocked');
  }
});

test('a blocked deletion says what would go with it, and who removed it', () => {
  const [crd] = objects(1, 'CustomResourceDefinition', 'apiextensions.k8s.io');
  assert.ok(crd !== undefined);
  const findings = new Map([[crd.key, { instances: 500, removedBy: '3f2a1bc by Test Author' }]]);

  const verdict = judgeDeletions(question({ candidates: [crd], findings }));

  assert.ok(verdict.verdict === 'blocked');
  assert.equal(
    verdict.reason,
    'CustomResourceDefinition/o0 is of a protected kind: CustomResourceDefinition/o0 would take 500 objects of its kind with it; removed from Git by 3f2a1bc by Test Author',
  );
});

test("D9: the cluster's own namespaces and the engine's are never deleted, nor one that holds what does not go", () => {
  const names = ['default', 'kube-system', 'kube-public', 'plumb-system', 'shared', 'empty'];
  const namespaces = names.map((name) => ({
    ...objects(1)[0]!,
    key: objectKey({ group: '', kind: 'Namespace', namespace: '', name }),
  }));
  const shared = objectKey({ group: '', kind: 'Namespace', namespace: '', name: 'shared' });
  const findings = new Map([[shared, { foreign: ['ConfigMap/a', 'ConfigMap/b', 'Secret/c', 'Secret/d'] }]]);

  const { candidates, kept } = withhold(namespaces, findings);

  assert.deepEqual(
    candidates.map(({ key }) => key.split('/').at(-1)),
    ['empty'],
  );
  assert.deepEqual(
    kept.map(({ subject }) => subject),
    ['default', 'kube-system', 'kube-public', 'plumb-system', 'shared'].map((name) => `Namespace/${name}`),
  );
  assert.match(kept.at(-1)?.message ?? '', /still in it: ConfigMap\/a, ConfigMap\/b, Secret\/c and 1 more/);
});
