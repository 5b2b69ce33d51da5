import { decide } from './decide.ts';
import { firstToGo } from './delete-order.ts';
import { judgeDeletions, withhold, type BlockedDeletion, type DeletionVerdict, type Findings } from './deletion.ts';
import type { DesiredSet } from './desired.ts';
import { PlumbError } from './error.ts';
import type { ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { commandName, nameSome, waitingUntilGone } from './phrases.ts';
import { DELETION } from './rehearsal.ts';
import { earliest, rest, sentence } from './rest.ts';
import type { Rest, Step } from './step.ts';
import { isDue, type TargetFacts } from './target-facts.ts';

export interface Judged {
  readonly deletions: DeletionVerdict;
  /** What is not deleted in any case, with the reason. */
  readonly kept: readonly PlumbError[];
  /** When that is looked at again, where it is known. */
  readonly again?: number;
}

export const NOTHING_GOES: Judged = { deletions: { verdict: 'none' }, kept: [] };

/** What hinders a deletion changes unseen: it is looked at again now and then. */
export const EXAMINE_AGAIN_MS = 5 * 60_000;

/** Why the deletions do not go on; undefined where there are none, or nothing stands in their way. */
export function hindranceOf(facts: TargetFacts, deletions: DeletionVerdict): Step | undefined {
  if (deletions.verdict === 'unexamined') return { do: 'examine', objects: deletions.objects, confirm: true };
  return deletions.verdict === 'blocked' ? restBlocked(facts, deletions) : undefined;
}

function restBlocked(facts: TargetFacts, deletions: BlockedDeletion): Rest {
  const command = `plumb sync ${commandName(facts.target)} --approve-deletion ${deletions.digest}`;
  return restUntilApproved(facts, deletions, `Restore them in Git, or approve exactly this set: ${command}`);
}

export function restUntilApproved(facts: TargetFacts, deletions: BlockedDeletion, fix: string): Rest {
  const { objects, reason, pause, findings } = deletions;
  const names = nameSome(objects.map(({ key }) => key).sort());
  const error = new PlumbError('DeletionBlocked', `Deleting ${names} is blocked: ${reason}`, {
    fix: pause?.isFrozen === true ? 'Wait: it is looked at again by itself.' : fix,
  });
  // Numbers in it grow old.
  const isCounted = [...findings.values()].some(({ instances }) => instances !== undefined);
  const again = isCounted ? facts.now + EXAMINE_AGAIN_MS : undefined;
  return rest('Failed', error.message, { failures: [error], deletions, wakeAt: earliest([pause?.until, again]) });
}

export interface DueDeletions {
  readonly objects: readonly LiveObject[];
  /** All that was allowed to go, where these are not all. */
  readonly set?: readonly LiveObject[];
  /** On their way already. */
  readonly leaving: readonly LiveObject[];
  readonly reason: Extract<Step, { do: 'prune' }>['reason'];
}

/** Of a set that may go: what goes first, or what it waits for. */
export function pruneNext(facts: TargetFacts, { objects, set = objects, leaving, reason }: DueDeletions): Step {
  const first = firstToGo([...objects, ...leaving]);
  const waiting = first.filter(({ deleting }) => !deleting);
  if (waiting.length === 0) return rest('Syncing', waitingUntilGone(first));
  const due = waiting.filter(({ key }) => isDue(facts.failures.get(key), DELETION, facts.now));
  if (due.length > 0) return { do: 'prune', objects: due, reason, set };
  const failed = waiting.flatMap(({ key }) => facts.failures.get(key) ?? []);
  const errors = failed.map(({ error }) => error);
  return rest('Failed', sentence(errors), {
    failures: errors,
    wakeAt: earliest(failed.map(({ retryAt }) => retryAt)),
  });
}

/** Objects that Git does not want and that are on their way out. */
export function leavingOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  const wanted = wantedKeys(desired);
  return facts.members.filter((live) => live.deleting && live.hookRun === undefined && !wanted.has(live.key));
}

/** What was applied, is not wanted any more, and is seen to be gone or another's: only that leaves the inventory. */
export function goneOf(facts: TargetFacts, desired: DesiredSet): readonly ObjectKey[] {
  const wanted = wantedKeys(desired);
  return [...facts.applied].flatMap(([key, { uid }]) => {
    if (wanted.has(key)) return [];
    const live = facts.liveOf(key);
    return live === undefined || live.uid !== uid || live.target !== facts.target ? [key] : [];
  });
}

function wantedKeys(desired: DesiredSet): ReadonlySet<ObjectKey> {
  return new Set([...desired.objects, ...desired.hooks].map(({ key }) => key));
}

export function unwantedOf(facts: TargetFacts, desired: DesiredSet): readonly LiveObject[] {
  const wanted = wantedKeys(desired);
  return facts.members.filter((live) => {
    // What was run is taken away by its own policy, or with the application.
    if (wanted.has(live.key) || live.hookRun !== undefined) return false;
    const decision = decide({
      target: facts.target,
      key: live.key,
      desired: undefined,
      live,
      applied: facts.applied.get(live.key),
      owner: facts.ownerOf(live.key),
      policy: facts.policy,
    });
    // An object that another living target wants is handed over, not deleted.
    return decision.action === 'delete' && facts.heirOf(live.key) === undefined;
  });
}

export function judged(
  facts: TargetFacts,
  desired: DesiredSet,
  candidates: readonly LiveObject[],
  findings?: Findings,
): DeletionVerdict {
  return judgeDeletions({
    candidates,
    memberCount: facts.members.length,
    desiredCount: desired.objects.length,
    budget: facts.budget,
    approved: facts.approvedDeletion,
    findings,
    facts: facts.deletions,
  });
}

export function judge(facts: TargetFacts, desired: DesiredSet): Judged {
  const unwanted = unwantedOf(facts, desired);
  if (unwanted.length === 0) return NOTHING_GOES;
  const examination = facts.deletions.examined(unwanted);
  if (examination === undefined) return { deletions: { verdict: 'unexamined', objects: unwanted }, kept: [] };
  const { findings, doubt } = examination;
  if (doubt !== undefined) {
    return { deletions: { verdict: 'none' }, kept: [doubt.error], again: doubt.retryAt };
  }
  const { candidates, kept } = withhold(unwanted, findings);
  const deletions = judged(facts, desired, candidates, findings);
  return { deletions, kept };
}
