import type { AppliedObject } from './decide.ts';
import {
  deletionDigest,
  deletionId,
  isProtectedKind,
  judgeDeletions,
  withhold,
  type BlockedDeletion,
  type DeletionBudget,
  type DeletionFacts,
} from './deletion.ts';
import type { DesiredHook } from './desired.ts';
import type { PlumbError } from './error.ts';
import { isDeletionRun, type HookPhase } from './hook.ts';
import type { HookProgress } from './hook-run.ts';
import { objectKey, type ObjectKey, type TargetKey } from './key.ts';
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
  /** What was released last, as far as it is run. */
  readonly hooks: readonly DesiredHook[];
  /** How far the hooks of a phase are. */
  progressOf(phase: HookPhase): HookProgress;
}

export type UnfinishedHooks = Exclude<HookProgress, { readonly state: 'done' }>;

/** What comes next of ending a target. */
export type RetirementStep =
  | { readonly next: 'watch'; readonly kinds: readonly GroupKind[] }
  | { readonly next: 'read' }
  | { readonly next: 'unreadable'; readonly error: PlumbError }
  | { readonly next: 'disown'; readonly objects: readonly LiveObject[] }
  | { readonly next: 'examine'; readonly objects: readonly LiveObject[] }
  | { readonly next: 'blocked'; readonly deletion: BlockedDeletion }
  /** It may go, all of it: that is to be kept in mind before hooks run, which take their time. */
  | { readonly next: 'allow'; readonly objects: readonly LiveObject[] }
  | { readonly next: 'hooks'; readonly progress: UnfinishedHooks }
  | {
      readonly next: 'delete';
      readonly objects: readonly LiveObject[];
      /** All that may go. */
      readonly set: readonly LiveObject[];
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
 *   watch ─► disown | (examine ─► approved? ─► PreDelete ─► delete, step by step ─► PostDelete ─► delete what the hooks
 *     need) ─► forget ─► narrow ─► done
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
  const { members, heirOf, deletions, hooks } = facts;
  const going = decommissionSet(members);
  const leaving = members.filter(({ deleting }) => deleting);
  const examination = going.length === 0 ? undefined : deletions.examined(going);
  // What was run goes as well: a namespace is not kept for it.
  const ran = members.filter((live) => !live.deleting && isDeletionRun(live.hookRun) && !isProtectedKind(live.key));
  if (going.length > 0 && examination === undefined) return { next: 'examine', objects: [...going, ...ran] };
  const { candidates, kept } = withhold(
    going.filter(({ key }) => heirOf(key) === undefined),
    examination?.findings,
  );
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
  const set = verdict.verdict === 'allowed' ? verdict.objects : [];
  if (hooks.some(runsAtDeletion) && !set.every((live) => deletions.allowed?.ids.has(deletionId(live)))) {
    return { next: 'allow', objects: set };
  }
  // Namespaces of the hooks outlive them.
  const rooms = new Set(hooks.filter(({ hook }) => hook.phases.includes('PostDelete')).map(roomOf));
  const first = set.filter(({ key }) => !rooms.has(key));
  const before: HookProgress = set.length === 0 ? { state: 'done' } : facts.progressOf('PreDelete');
  if (before.state !== 'done') return { next: 'hooks', progress: before };
  if (first.length > 0 || leaving.some(({ hookRun }) => !isDeletionRun(hookRun))) {
    return { next: 'delete', objects: first, set, leaving };
  }
  const after = facts.progressOf('PostDelete');
  if (after.state !== 'done') return { next: 'hooks', progress: after };
  if (set.length + ran.length + leaving.length > 0) {
    const rest = [...ran, ...set];
    return { next: 'delete', objects: rest, set: rest, leaving };
  }
  const staying = members.filter(
    ({ keepWithoutApplication, hookRun }) => keepWithoutApplication !== undefined || isDeletionRun(hookRun),
  );
  return staying.length > 0 ? { next: 'disown', objects: staying } : finish(facts, kept);
}

function runsAtDeletion({ hook }: DesiredHook): boolean {
  return hook.phases.includes('PreDelete') || hook.phases.includes('PostDelete');
}

/** The namespace that a hook runs in, as an object. */
function roomOf({ object }: DesiredHook): ObjectKey {
  return objectKey({ group: '', kind: 'Namespace', namespace: '', name: object.metadata.namespace ?? '' });
}

/** What a decommission would delete, of all that bears the marks of the target: not what says that it stays. */
export function decommissionSet(members: readonly LiveObject[]): readonly LiveObject[] {
  return members.filter((live) => {
    return (
      !live.deleting &&
      live.fieldsHash !== undefined &&
      live.keepWithoutApplication === undefined &&
      !isDeletionRun(live.hookRun)
    );
  });
}

/** Nothing is left to delete. */
function finish(facts: RetirementFacts, kept: readonly PlumbError[]): RetirementStep {
  if (kept.length > 0) return { next: 'done', kept };
  if (facts.applied.size > 0 || facts.isRecalled) return { next: 'forget' };
  const needed = new Set(facts.siblingKinds.map(kindName));
  if (facts.parentKinds.some((kind) => !needed.has(kindName(kind)))) {
    return { next: 'narrow', kinds: facts.siblingKinds };
  }
  return { next: 'done', kept };
}
