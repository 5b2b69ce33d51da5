import { PlumbError } from './error.ts';
import type { TargetKey } from './key.ts';
import { commandName } from './phrases.ts';

/** Who has to have approved the plan of a release before it begins. */
export interface ApprovalRule {
  /** How many people. */
  readonly required: number;
  /** `user:NAME` or `group:NAME`; anybody who may create an Approval, where empty. */
  readonly from: readonly string[];
  /** Whether the author of the commit counts as nobody. */
  readonly notAuthor: boolean;
}

/** What one person approved. That it is this person is vouched for by the API server. */
export interface GivenApproval {
  readonly digest: string;
  readonly by: string;
  readonly groups: readonly string[];
}

/** The plan of what Git wants now, as far as it was made. */
export type PlanFact =
  | {
      readonly state: 'made';
      readonly digest: string;
      readonly desired: string;
      readonly isFresh: boolean;
      /** What policies deny of it. */
      readonly denials: readonly PlumbError[];
    }
  | {
      readonly state: 'failed';
      readonly desired: string;
      readonly errors: readonly PlumbError[];
      readonly isFresh: boolean;
    };

export interface GateFacts {
  readonly target: TargetKey;
  /** Of what Git wants now. */
  readonly desired: string;
  readonly plan: PlanFact | undefined;
  /** The digest of the plan that a person asked to be applied, and no other. */
  readonly wish: string | undefined;
  readonly rule: ApprovalRule | undefined;
  /** Whether the application names policies, which each plan is held against. */
  readonly isJudged: boolean;
  readonly approvals: readonly GivenApproval[];
  /** Name and mail address of who wrote the commit. */
  readonly author: readonly string[];
}

export type Gate =
  | { readonly next: 'open' }
  /** Whether it may begin is told by a plan of this moment. */
  | { readonly next: 'plan' }
  | { readonly next: 'closed'; readonly state: 'Pending' | 'Failed'; readonly errors: readonly PlumbError[] };

/**
 * Whether a release may begin. What was approved, or asked for, is one plan by its digest: it is made once more right before
 * the release, so that what is applied is what was seen. Policies judge that very plan.
 */
export function approvalGate(facts: GateFacts): Gate {
  const { target, plan, wish, rule } = facts;
  if (wish === undefined && !facts.isJudged && (rule === undefined || rule.required === 0)) return { next: 'open' };
  if (plan?.desired !== facts.desired) return { next: 'plan' };
  if (plan.state === 'failed') {
    return plan.isFresh ? { next: 'closed', state: 'Failed', errors: plan.errors } : { next: 'plan' };
  }
  if (!plan.isFresh) return { next: 'plan' };
  // Before anything else: nobody is to be asked to approve what a policy denies.
  if (plan.denials.length > 0) return { next: 'closed', state: 'Failed', errors: plan.denials };
  const error =
    plan.digest === wish || wish === undefined ? missingOf(facts, plan.digest) : voidOf(target, wish, plan.digest);
  if (error === undefined) return { next: 'open' };
  return { next: 'closed', state: error.code === 'ApprovalMissing' ? 'Pending' : 'Failed', errors: [error] };
}

function voidOf(target: TargetKey, wish: string, digest: string): PlumbError {
  return new PlumbError('PlanVoid', `The plan ${wish} is void: what would be done now is ${digest}`, {
    fix: `Look at the new plan: plumb plan ${commandName(target)}`,
  });
}

/** How many people have approved a plan, of those who count. */
export function countApprovals(
  rule: ApprovalRule,
  { approvals, author, digest }: Pick<GateFacts, 'approvals' | 'author'> & { readonly digest: string },
): number {
  return countedApprovals(rule, approvals, author).filter((approval) => approval.digest === digest).length;
}

function missingOf({ target, rule, approvals, author }: GateFacts, digest: string): PlumbError | undefined {
  if (rule === undefined) return undefined;
  const given = countedApprovals(rule, approvals, author);
  const counted = given.filter((approval) => approval.digest === digest);
  if (counted.length >= rule.required) return undefined;
  const others = [...new Set(given.map((approval) => approval.digest))].filter((other) => other !== digest).sort();
  const isVoid = others.length === 0 ? '' : `; what was approved is another plan: ${others.join(', ')}`;
  const from = rule.from.length === 0 ? '' : ` from ${rule.from.join(', ')}`;
  const message = `The plan ${digest} has ${counted.length} of ${rule.required} approvals${from}${isVoid}`;
  return new PlumbError('ApprovalMissing', message, {
    fix: `Look at it with "plumb plan ${commandName(target)}", then: plumb approve ${digest} ${commandName(target)}`,
  });
}

/** One for each person and plan, of those who may. */
function countedApprovals(
  { from, notAuthor }: ApprovalRule,
  approvals: readonly GivenApproval[],
  author: readonly string[],
): readonly GivenApproval[] {
  const counted = new Map<string, GivenApproval>();
  for (const approval of approvals) {
    const { by, groups, digest } = approval;
    const names = [`user:${by}`, ...groups.map((group) => `group:${group}`)];
    if (from.length > 0 && !from.some((name) => names.includes(name))) continue;
    if (notAuthor && author.includes(by)) continue;
    counted.set(`${digest} ${by}`, approval);
  }
  return [...counted.values()];
}
