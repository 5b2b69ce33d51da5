import {
  findDrift,
  isLeftToOthers,
  judgeDrift,
  shortNameOf,
  type AppliedObject,
  type DesiredObject,
  type DriftWishes,
  type FieldConflict,
  type JudgedDrift,
  type KubeObject,
  type PlanItem,
  type SecretMask,
} from '@plumb/core';
import type { PlanRequest } from './plan-request.ts';

/** What a plan has to know of a drift: the wish that was applied already, and what is there now. */
export interface PlannedDrift {
  readonly desired: DesiredObject;
  readonly applied: AppliedObject | undefined;
  readonly live: KubeObject | undefined;
  /** What an apply would make of it. */
  readonly healed: KubeObject | undefined;
  readonly mask: SecretMask;
}

type Standing = Pick<PlanRequest, 'spec' | 'standing'>;

/** What others have changed of an object, and what becomes of it; undefined where it is not the same wish once more. */
export function plannedDrift(request: Standing, found: PlannedDrift): JudgedDrift | undefined {
  const { desired, applied, live, healed, mask } = found;
  if (applied?.desiredHash !== desired.hash) return undefined;
  const { time, wishes } = wishesOf(request);
  const drift = findDrift({
    target: request.spec.target,
    desired,
    uid: applied.uid,
    live,
    healed,
    isNamespaceGone: false,
    mask,
    state: '',
    foundAt: time,
    isStamped: false,
    events: [],
  });
  return judgeDrift(drift, desired.object, wishes, time);
}

/** What others own and is left to them by a rule or a hold, as the engine leaves it. */
export function leftByWishes(request: Standing, { key, object }: DesiredObject): (conflict: FieldConflict) => boolean {
  const { time, wishes } = wishesOf(request);
  return (conflict) => isLeftToOthers(conflict, key, object, wishes, time);
}

/** A note for each field that stays as somebody made it; empty for what is ignored. */
export function standingNotes({ drift, stands }: JudgedDrift): readonly string[] {
  return stands.flatMap(({ path, verdict }) => {
    if (verdict.policy === 'ignore') return [];
    const what = path === '' ? 'differs' : `${path} differs`;
    return [`${shortNameOf(drift.key)} ${what}, and stays so (${verdict.policy})`];
  });
}

/** What is put back may be what a hold leaves alone, where holds could not be read. */
export function unreadNotes({ standing }: Standing, items: readonly PlanItem[]): readonly string[] {
  const isReset = items.some(({ reason, changes }) => {
    return reason === 'drifted' || changes.some(({ owners = [] }) => owners.length > 0);
  });
  if (standing?.unread === undefined || !isReset) return [];
  return [`holds are not known, and may leave alone what is reset here: ${standing.unread}`];
}

function wishesOf({ spec, standing }: Standing): { readonly time: number; readonly wishes: DriftWishes } {
  return {
    time: standing?.time ?? 0,
    wishes: { rules: spec.drift, holds: standing?.holds ?? [], heal: spec.healWish },
  };
}
