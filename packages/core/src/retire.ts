import type { AppliedObject } from './decide.ts';
import {
  deletionDigest,
  judgeDeletions,
  withhold,
  type BlockedDeletion,
  type DeletionBudget,
  type DeletionFacts,
} from './deletion.ts';
import type { PlumbError } from './error.ts';
import type { ObjectKey, TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { kindName, type GroupKind } from './object.ts';

/** That a target is to end, as a person asked for it. */
export type Retirement =
  /** Its objects stay as they are, and nobody's. */
  | { readonly how: 'forget' }
  /** Its objects are deleted, where the digest names exactly these. */
  | { readonly how: 'decommission'; readonly approved: string };

export interface RetirementFacts {
  readonly target: TargetKey;
  readonly retirement: Retirement;
  readonly members: readonly LiveObject[];
  readonly parentKinds: readonly GroupKind[];
  readonly siblingKinds: readonly GroupKind[];
  watchOf(
    groupKind: GroupKind,
  ): { readonly state: 'synced' | 'starting' | 'missing' } | { readonly state: 'failed'; readonly error: PlumbError };
  readonly applied: ReadonlyMap<ObjectKey, AppliedObject>;
  /** Another target that wants the object now: it gets it, and it is not deleted. */
  heirOf(key: ObjectKey): TargetKey | undefined;
  readonly deletions: DeletionFacts;
  /** Whether anything is left in memory of what it wanted. */
  readonly isRecalled: boolean;
}

/** What comes next of ending a target. */
export type RetirementStep =
  | { readonly next: 'watch'; readonly kinds: readonly GroupKind[] }
  | { readonly next: 'read' }
  | { readonly next: 'unreadable'; readonly error: PlumbError }
  | { readonly next: 'disown'; readonly objects: readonly LiveObject[] }
  | { readonly next: 'examine'; readonly objects: readonly LiveObject[] }
  | { readonly next: 'blocked'; readonly deletion: BlockedDeletion }
  | {
      readonly next: 'delete';
      readonly objects: readonly LiveObject[];
      readonly digest: string;
      /** On their way already. */
      readonly leaving: readonly LiveObject[];
    }
  | { readonly next: 'narrow'; readonly kinds: readonly GroupKind[] }
  | { readonly next: 'forget' }
  | { readonly next: 'done'; readonly kept: readonly PlumbError[] };

/** Nothing goes without its approval: the budget of everyday does not count here. */
const NO_BUDGET: DeletionBudget = { maxObjects: 0, maxPercent: 0, protect: [] };

/**
 * Ends a target: a pure function of the facts. Git is not asked; only what bears the marks counts.
 *
 *   watch ─► disown | (examine ─► approved? ─► delete, step by step) ─► forget ─► narrow ─► done
 */
export function retire(facts: RetirementFacts): RetirementStep {
  const missing: GroupKind[] = [];
  let isReading = false;
  for (const kind of facts.parentKinds) {
    const watch = facts.watchOf(kind);
    if (watch.state === 'missing') missing.push(kind);
    else if (watch.state === 'starting') isReading = true;
    // A kind that is no more has no objects.
    else if (watch.state === 'failed' && watch.error.code !== 'KindMissing') {
      return { next: 'unreadable', error: watch.error };
    }
  }
  if (missing.length > 0) return { next: 'watch', kinds: missing };
  if (isReading) return { next: 'read' };
  return facts.retirement.how === 'forget' ? disown(facts) : decommission(facts, facts.retirement.approved);
}

function disown(facts: RetirementFacts): RetirementStep {
  if (facts.members.length > 0) return { next: 'disown', objects: facts.members };
  return finish(facts, []);
}

function decommission(facts: RetirementFacts, approved: string): RetirementStep {
  const { members, heirOf, deletions } = facts;
  const going = decommissionSet(members);
  const leaving = members.filter(({ deleting }) => deleting);
  const examination = going.length === 0 ? undefined : deletions.examined(going);
  if (going.length > 0 && examination === undefined) return { next: 'examine', objects: going };
  const { candidates, kept } = withhold(
    going.filter(({ key }) => heirOf(key) === undefined),
    examination?.findings,
  );
  if (candidates.length === 0 && leaving.length === 0) {
    const staying = members.filter(({ keepWithoutApplication }) => keepWithoutApplication !== undefined);
    return staying.length > 0 ? { next: 'disown', objects: staying } : finish(facts, kept);
  }
  // The approval is of all that bears the marks, whoever inherits of it meanwhile.
  const isApproved = approved === deletionDigest(going);
  const verdict = judgeDeletions({
    candidates,
    memberCount: members.length,
    desiredCount: 1,
    budget: NO_BUDGET,
    approved: isApproved ? deletionDigest(candidates) : undefined,
    findings: examination?.findings,
    facts: deletions,
  });
  if (verdict.verdict === 'blocked') {
    const digest = deletionDigest(going);
    if (verdict.pause?.isFrozen === true) return { next: 'blocked', deletion: { ...verdict, digest } };
    const reason = approved === '' ? 'it has not been approved' : 'what was approved is another set';
    return { next: 'blocked', deletion: { ...verdict, digest, reason } };
  }
  const objects = verdict.verdict === 'allowed' ? verdict.objects : [];
  return { next: 'delete', objects, digest: deletionDigest(objects), leaving };
}

/** What a decommission would delete, of all that bears the marks of the target: not what says that it stays. */
export function decommissionSet(members: readonly LiveObject[]): readonly LiveObject[] {
  return members.filter((live) => {
    return !live.deleting && live.fieldsHash !== undefined && live.keepWithoutApplication === undefined;
  });
}

/** Nothing is left to delete. What runs after a deletion (`PostDelete` hooks) belongs here, before all is forgotten. */
function finish(facts: RetirementFacts, kept: readonly PlumbError[]): RetirementStep {
  if (kept.length > 0) return { next: 'done', kept };
  if (facts.applied.size > 0 || facts.isRecalled) return { next: 'forget' };
  const needed = new Set(facts.siblingKinds.map(kindName));
  if (facts.parentKinds.some((kind) => !needed.has(kindName(kind)))) {
    return { next: 'narrow', kinds: facts.siblingKinds };
  }
  return { next: 'done', kept };
}
