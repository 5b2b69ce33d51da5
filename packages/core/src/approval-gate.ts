import { countApprovals, countedApprovals, type Approvals, type ApprovalRule } from './approvals.ts';
import { isConsented, type PlannedLosses, type PlannedReplacement } from './consent.ts';
import { PlumbError } from './error.ts';
import { shortNameOf, type TargetKey } from './key.ts';
import { commandName } from './phrases.ts';

/** The plan of what Git wants now, as far as it was made. */
export type PlanFact =
  | {
      readonly state: 'made';
      readonly digest: string;
      readonly desired: string;
      readonly isFresh: boolean;
      /** What policies deny of it. */
      readonly denials: readonly PlumbError[];
      readonly losses: PlannedLosses;
    }
  | {
      readonly state: 'failed';
      readonly desired: string;
      readonly errors: readonly PlumbError[];
      readonly isFresh: boolean;
    };

export interface GateFacts extends Approvals {
  readonly target: TargetKey;
  /** Of what Git wants now. */
  readonly desired: string;
  readonly plan: PlanFact | undefined;
  /** The digest of the plan that a person asked to be applied, and no other. */
  readonly wish: string | undefined;
  readonly rule: ApprovalRule | undefined;
  /** Whether the application names policies, which each plan is held against. */
  readonly isJudged: boolean;
  /** Whether it may lose what only people can let go: see `asksConsent`. */
  readonly asksConsent: boolean;
}

export type Gate =
  /** `isConsented`: enough people have approved its plan for all that cannot be taken back in it. */
  | { readonly next: 'open'; readonly isConsented: boolean }
  /** Whether it may begin is told by a plan of this moment. */
  | { readonly next: 'plan' }
  | { readonly next: 'closed'; readonly state: 'Pending' | 'Failed'; readonly errors: readonly PlumbError[] };

/**
 * Whether a release may begin. What was approved, or asked for, is one plan by its digest: it is made once more right before
 * the release, so that what is applied is what was seen. Policies judge that very plan.
 */
export function approvalGate(facts: GateFacts): Gate {
  const { target, plan, wish, rule } = facts;
  const isAsked = wish !== undefined || facts.isJudged || facts.asksConsent;
  if (!isAsked && (rule === undefined || rule.required === 0)) return { next: 'open', isConsented: false };
  if (plan?.desired !== facts.desired) return { next: 'plan' };
  if (plan.state === 'failed') {
    return plan.isFresh ? { next: 'closed', state: 'Failed', errors: plan.errors } : { next: 'plan' };
  }
  if (!plan.isFresh) return { next: 'plan' };
  // Before anything else: nobody is to be asked to approve what a policy denies.
  if (plan.denials.length > 0) return { next: 'closed', state: 'Failed', errors: plan.denials };
  const error =
    plan.digest === wish || wish === undefined ? missingOf(facts, plan.digest) : voidOf(target, wish, plan.digest);
  if (error !== undefined) {
    return { next: 'closed', state: error.code === 'ApprovalMissing' ? 'Pending' : 'Failed', errors: [error] };
  }
  const consented = isConsented(facts, plan.digest);
  const { replaces } = plan.losses;
  if (replaces.length === 0 || consented) return { next: 'open', isConsented: consented };
  return { next: 'closed', state: 'Failed', errors: replaces.map((one) => notReplaced(one, target, plan.digest)) };
}

/** As the API server refuses the field, with the way on. */
function notReplaced({ key, field, loss, where }: PlannedReplacement, target: TargetKey, digest: string): PlumbError {
  const subject = shortNameOf(key);
  const message = `${subject}: ${field} cannot be changed. To delete it and make it anew takes an approval: ${loss}`;
  return new PlumbError('FieldImmutable', message, {
    subject,
    where,
    field,
    fix: `Restore the old value; or look at it with "plumb plan ${commandName(target)}", then: plumb approve ${digest} ${commandName(target)}`,
  });
}

function voidOf(target: TargetKey, wish: string, digest: string): PlumbError {
  return new PlumbError('PlanVoid', `The plan ${wish} is void: what would be done now is ${digest}`, {
    fix: `Look at the new plan: plumb plan ${commandName(target)}`,
  });
}

function missingOf({ target, rule, approvals, author }: GateFacts, digest: string): PlumbError | undefined {
  if (rule === undefined) return undefined;
  const count = countApprovals(rule, { approvals, author, digest });
  if (count >= rule.required) return undefined;
  const given = countedApprovals(rule, { approvals, author });
  const others = [...new Set(given.map((approval) => approval.digest))].filter((other) => other !== digest).sort();
  const isVoid = others.length === 0 ? '' : `; what was approved is another plan: ${others.join(', ')}`;
  const from = rule.from.length === 0 ? '' : ` from ${rule.from.join(', ')}`;
  const message = `The plan ${digest} has ${count} of ${rule.required} approvals${from}${isVoid}`;
  return new PlumbError('ApprovalMissing', message, {
    fix: `Look at it with "plumb plan ${commandName(target)}", then: plumb approve ${digest} ${commandName(target)}`,
  });
}
