import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { approvalGate, type Gate, type GateFacts } from './approval-gate.ts';
import { countApprovals, type GivenApproval } from './approvals.ts';
import type { PlannedLosses } from './consent.ts';
import { PlumbError } from './error.ts';
import type { ObjectKey, TargetKey } from './key.ts';

const NO_LOSSES: PlannedLosses = { replaces: [], deletes: new Set() };
const MADE = {
  state: 'made',
  digest: 'aaaaaaaaaaaa',
  desired: 'd',
  isFresh: true,
  denials: [],
  losses: NO_LOSSES,
} as const;
const RULE = { required: 1, from: [], notAuthor: true, fromReviews: false } as const;

function approval(by: string, change: Partial<GivenApproval> = {}): GivenApproval {
  return { digest: MADE.digest, by, groups: [], ...change };
}

const REVIEWED = { ...RULE, fromReviews: true };
function review(login: string): GivenApproval {
  return approval(`review:host.example/${login}`, { via: 'review' });
}

function facts(change: Partial<GateFacts> = {}): GateFacts {
  return {
    target: 'shop/web/prod' as TargetKey,
    desired: 'd',
    plan: MADE,
    wish: undefined,
    rule: RULE,
    isJudged: false,
    asksConsent: false,
    approvals: [],
    author: ['Ann Author', 'ann@example.com'],
    ...change,
  };
}

function summary(gate: Gate): string {
  if (gate.next !== 'closed') return gate.next;
  return `${gate.state} ${gate.errors.map(({ code, message }) => `${code}: ${message}`).join()}`;
}

const stale = { ...MADE, isFresh: false };
const failed = { state: 'failed', desired: 'd', errors: [new PlumbError('PathMissing', 'gone')] } as const;
const denied = { ...MADE, denials: [new PlumbError('PolicyDenied', 'no')] };
const DB = 'apps/StatefulSet/shop/db' as ObjectKey;
const losing = {
  ...MADE,
  losses: { ...NO_LOSSES, replaces: [{ key: DB, id: `${DB} u`, field: 'spec', loss: 'its pods stop' }] },
};
const asking = { rule: undefined, asksConsent: true, plan: losing };
const refused =
  'Failed FieldImmutable: StatefulSet/db: spec cannot be changed. To delete it and make it anew takes an approval: its pods stop';
const missing = 'Pending ApprovalMissing: The plan aaaaaaaaaaaa has';
const TABLE: readonly [name: string, change: Partial<GateFacts>, gate: string][] = [
  ['nothing is asked of a target without a rule', { rule: undefined, plan: undefined }, 'open'],
  ['nor where nobody has to approve', { rule: { ...RULE, required: 0 }, plan: undefined }, 'open'],
  ['first a plan is made', { plan: undefined }, 'plan'],
  ['a plan of what Git wanted before is none', { plan: { ...MADE, desired: 'old' } }, 'plan'],
  ['a plan that is not of this moment is made again', { plan: stale, approvals: [approval('bob')] }, 'plan'],
  ['without an approval it waits, and is no failure', {}, `${missing} 0 of 1 approvals`],
  ['who may has approved', { approvals: [approval('bob')] }, 'open'],
  [
    'one person counts once',
    { rule: { ...RULE, required: 2 }, approvals: [approval('bob'), approval('bob')] },
    `${missing} 1 of 2 approvals`,
  ],
  ['two people are two', { rule: { ...RULE, required: 2 }, approvals: [approval('bob'), approval('cid')] }, 'open'],
  ['the author counts as nobody', { approvals: [approval('ann@example.com')] }, `${missing} 0 of 1 approvals`],
  ['unless that is allowed', { rule: { ...RULE, notAuthor: false }, approvals: [approval('ann@example.com')] }, 'open'],
  [
    'only who is named counts',
    {
      rule: { ...RULE, from: ['group:leads', 'user:cid'] },
      approvals: [approval('bob'), approval('dan', { groups: ['devs'] })],
    },
    `${missing} 0 of 1 approvals from group:leads, user:cid`,
  ],
  [
    'by a group',
    { rule: { ...RULE, from: ['group:leads'] }, approvals: [approval('bob', { groups: ['leads'] })] },
    'open',
  ],
  ['by the name', { rule: { ...RULE, from: ['user:cid'] }, approvals: [approval('cid')] }, 'open'],
  [
    'an approval of another plan is void, and is told',
    { approvals: [approval('bob', { digest: 'bbbbbbbbbbbb' })] },
    `${missing} 0 of 1 approvals; what was approved is another plan: bbbbbbbbbbbb`,
  ],
  [
    'a review counts for nothing where the rule does not say so',
    { approvals: [review('bob')] },
    `${missing} 0 of 1 approvals`,
  ],
  ['where it says so a review is an approval', { rule: REVIEWED, approvals: [review('bob')] }, 'open'],
  [
    'of whom it names, in any case',
    { rule: { ...REVIEWED, from: ['review:Host.example/Bob'] }, approvals: [review('bob'), review('cid')] },
    'open',
  ],
  [
    'and of nobody else, also not of a user who is called like a reviewer',
    {
      rule: { ...REVIEWED, from: ['review:host.example/bob'] },
      approvals: [review('cid'), approval('review:host.example/bob')],
    },
    `${missing} 0 of 1 approvals from review:host.example/bob`,
  ],
  [
    'a user of the cluster and a reviewer may be one person: they are not added',
    { rule: { ...REVIEWED, required: 2 }, approvals: [review('bob'), approval('bob')] },
    `${missing} 1 of 2 approvals`,
  ],
  [
    'two reviewers are two',
    { rule: { ...REVIEWED, required: 2 }, approvals: [review('bob'), review('cid'), review('bob')] },
    'open',
  ],
  ['a plan that was asked for is applied', { rule: undefined, wish: MADE.digest }, 'open'],
  [
    'and no other one',
    { rule: undefined, wish: 'bbbbbbbbbbbb' },
    'Failed PlanVoid: The plan bbbbbbbbbbbb is void: what would be done now is aaaaaaaaaaaa',
  ],
  ['asking for a plan approves nothing', { wish: MADE.digest }, `${missing} 0 of 1 approvals`],
  ['what may lose data is planned, whatever the rule', { ...asking, plan: undefined }, 'plan'],
  ['and is released where nothing is lost', { ...asking, plan: MADE }, 'open'],
  ['what holds data is not made anew without an approval', asking, refused],
  ['nor where a rule asks for nobody', { ...asking, rule: { ...RULE, required: 0 } }, refused],
  ['nor by its author', { ...asking, approvals: [approval('ann@example.com')] }, refused],
  [
    'nor by an approval of another plan',
    { ...asking, approvals: [approval('bob', { digest: 'bbbbbbbbbbbb' })] },
    refused,
  ],
  ['nor where a plan was asked for by its digest', { ...asking, wish: MADE.digest }, refused],
  ['anybody else may approve it, without a rule', { ...asking, approvals: [approval('bob')] }, 'open'],
  [
    'with a rule it takes who the rule names',
    { ...asking, rule: { ...RULE, from: ['user:cid'], required: 0 }, approvals: [approval('bob')] },
    refused,
  ],
  ['what cannot be planned is not released', { plan: { ...failed, isFresh: true } }, 'Failed PathMissing: gone'],
  [
    'where policies judge, a plan is made without any rule',
    { rule: undefined, isJudged: true, plan: undefined },
    'plan',
  ],
  ['what policies let pass is released', { rule: undefined, isJudged: true }, 'open'],
  ['approvals are asked for all the same', { isJudged: true }, `${missing} 0 of 1 approvals`],
  [
    'what a policy denies is not released, and nobody is asked to approve it',
    { isJudged: true, plan: denied, approvals: [approval('bob')] },
    'Failed PolicyDenied: no',
  ],
  ['a denial of a moment ago is none of this one', { isJudged: true, plan: { ...denied, isFresh: false } }, 'plan'],
  ['and is tried again', { plan: { ...failed, isFresh: false } }, 'plan'],
];

for (const [name, change, expected] of TABLE) {
  test(`the gate of approvals: ${name}`, () => {
    assert.equal(summary(approvalGate(facts(change))), expected);
  });
}

test('no release begins without as many approvals of this very plan as the rule asks for', () => {
  const given = fc.record({
    digest: fc.constantFrom(MADE.digest, 'bbbbbbbbbbbb'),
    by: fc.constantFrom('ann@example.com', 'bob', 'cid'),
    groups: fc.subarray(['leads', 'devs']),
  });
  const rule = fc.record({
    required: fc.integer({ min: 1, max: 3 }),
    from: fc.subarray(['group:leads', 'user:bob']),
    notAuthor: fc.boolean(),
    fromReviews: fc.constant(false),
  });
  fc.assert(
    fc.property(fc.array(given, { maxLength: 6 }), rule, (approvals, asked) => {
      const { author } = facts();
      const gate = approvalGate(facts({ approvals, rule: asked }));
      const counted = countApprovals(asked, { approvals, author, digest: MADE.digest });

      assert.equal(gate.next === 'open', counted >= asked.required);
      assert.ok(counted <= new Set(approvals.filter(({ digest }) => digest === MADE.digest).map(({ by }) => by)).size);
    }),
  );
});

test('data is lost with nobody but as many as the rule asks for, one at least, in favour of this very plan', () => {
  const given = fc.record({
    digest: fc.constantFrom(MADE.digest, 'bbbbbbbbbbbb'),
    by: fc.constantFrom('ann@example.com', 'bob', 'cid'),
    groups: fc.subarray(['leads', 'devs']),
  });
  const rule = fc.option(
    fc.record({
      required: fc.integer({ min: 0, max: 3 }),
      from: fc.subarray(['group:leads', 'user:bob']),
      notAuthor: fc.boolean(),
      fromReviews: fc.constant(false),
    }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(fc.array(given, { maxLength: 6 }), rule, (approvals, asked) => {
      const gate = approvalGate(facts({ ...asking, approvals, rule: asked }));

      const { author } = facts();
      const people = new Set(
        approvals
          .filter(({ digest, by }) => digest === MADE.digest && !(author.includes(by) && asked?.notAuthor !== false))
          .map(({ by }) => by),
      );
      if (gate.next !== 'open') return;
      assert.ok(gate.isConsented);
      assert.ok(people.size >= Math.max(1, asked?.required ?? 1));
    }),
  );
});
