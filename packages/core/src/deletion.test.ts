import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_DELETION_BUDGET, deletionDigest, judgeDeletions, type DeletionQuestion } from './deletion.ts';
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
