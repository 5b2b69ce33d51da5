import type { GateFacts } from './approval-gate.ts';
import { consentRule, countApprovals, countedApprovals } from './approvals.ts';
import type { Decision } from './decide.ts';
import { deletionId, type DeletionVerdict } from './deletion.ts';
import { mayAskForNew } from './immutable-fields.ts';
import type { ObjectKey } from './key.ts';
import { fieldAt, type KubeObject } from './object.ts';
import type { Plan } from './plan.ts';
import type { Where } from './error.ts';
import { syncOptionsOf } from './sync-options.ts';

/** An object that holds data and would be deleted, to be made anew. */
export interface PlannedReplacement {
  readonly key: ObjectKey;
  /** See `deletionId`. */
  readonly id: string;
  /** The field for which. */
  readonly field: string;
  /** What is lost with it, in a sentence without the full stop. */
  readonly loss: string;
  readonly where?: Where | undefined;
}

/** What of a plan cannot be taken back. Whoever approves the plan lets exactly this go. */
export interface PlannedLosses {
  readonly replaces: readonly PlannedReplacement[];
  /** By `deletionId`. */
  readonly deletes: ReadonlySet<string>;
}

export function lossesOf({ items, deletions }: Pick<Plan, 'items' | 'deletions'>): PlannedLosses {
  const replaces = items.flatMap(({ key, consent, forcedBy = '', origin }): readonly PlannedReplacement[] => {
    if (consent === undefined) return [];
    return [{ key, id: deletionId({ key, uid: consent.uid }), field: forcedBy, loss: consent.loss, where: origin }];
  });
  const deletes = deletions.verdict === 'none' ? [] : deletions.objects.map(deletionId);
  return { replaces, deletes: new Set(deletes) };
}

/** What is lost when an object that holds data is deleted and made anew: in a sentence without the full stop. */
export function lossOf(live: KubeObject): string {
  if (live.kind === 'StatefulSet') {
    const isDeleted = fieldAt(live, 'spec', 'persistentVolumeClaimRetentionPolicy', 'whenDeleted') === 'Delete';
    return isDeleted
      ? 'its pods stop, and their claims are deleted with all data in them (whenDeleted: Delete). No backup is made'
      : 'its pods stop until the new ones run. Their claims stay, and a new one that names other claims begins without their data';
  }
  return 'its volume is deleted with all data in it, unless the reclaim policy of the volume is Retain. It goes once no pod uses it, and no backup is made';
}

/**
 * Whether a release has to be planned for what it may lose: it changes an object that holds data and may be made anew, or
 * its deletions go beyond the budget and somebody has approved a plan.
 */
export function asksConsent(
  gate: Pick<GateFacts, 'rule' | 'approvals' | 'author'>,
  decisions: readonly Decision[],
  deletions: DeletionVerdict,
): boolean {
  const isReplacing = decisions.some(
    (decision) =>
      decision.action === 'update' && mayAskForNew(decision.key) && syncOptionsOf(decision.desired.object).recreate,
  );
  return isReplacing || (deletions.verdict === 'blocked' && countedApprovals(consentRule(gate.rule), gate).length > 0);
}

/** Whether enough people have approved the plan with this digest for it to lose what cannot be taken back. */
export function isConsented(gate: Pick<GateFacts, 'rule' | 'approvals' | 'author'>, digest: string): boolean {
  const rule = consentRule(gate.rule);
  return countApprovals(rule, { ...gate, digest }) >= rule.required;
}

/**
 * What becomes of deletions that are blocked, where people have approved a plan: they may go where the plan of this moment is
 * approved and has every one of them. `plan`: it has to be made first. A cluster whose deletions are frozen stays frozen.
 *
 * @param desired the digest of what Git wants
 */
export function withConsent(
  gate: Pick<GateFacts, 'rule' | 'approvals' | 'author' | 'plan'> | undefined,
  desired: string,
  deletions: DeletionVerdict,
): DeletionVerdict | 'plan' {
  if (gate === undefined || deletions.verdict !== 'blocked' || deletions.pause?.isFrozen === true) return deletions;
  if (countedApprovals(consentRule(gate.rule), gate).length === 0) return deletions;
  const { plan } = gate;
  if (plan?.desired !== desired || !plan.isFresh) return 'plan';
  if (plan.state === 'failed' || plan.denials.length > 0 || !isConsented(gate, plan.digest)) return deletions;
  const { objects, digest } = deletions;
  if (!objects.every((live) => plan.losses.deletes.has(deletionId(live)))) return deletions;
  return { verdict: 'allowed', objects, digest, by: 'approval' };
}
