import {
  isHeldField,
  judgeDrift,
  type DriftField,
  type DriftHold,
  type DriftWishes,
  type KubeObject,
} from '@plumb/core';
import type { DriftRecord } from '@plumb/ledger';

/** A drift that is open, and the object as it is live; undefined where it is gone. */
export interface OpenDrift {
  readonly drift: DriftRecord;
  readonly live: KubeObject | undefined;
}

/** What a hold has left of one object. */
export interface HeldDrift extends OpenDrift {
  /** Those of its fields that stand by the hold; none: the object as a whole. */
  readonly fields: readonly DriftField[];
}

export interface HeldDrifts {
  readonly held: readonly HeldDrift[];
  /** Until when other holds let stand what was edited under this one; epoch milliseconds, undefined: none does any more. */
  readonly until: number | undefined;
  /** Another hold that has ended, by which what was edited under this one stands as well. */
  readonly other: string | undefined;
}

/**
 * What stands by a hold that has ended, field by field: of several holds over one field it is one that says what comes of it,
 * and of the fields of one object each may stand by another.
 */
export function heldDrifts(hold: DriftHold, open: readonly OpenDrift[], wishes: DriftWishes, time: number): HeldDrifts {
  const held: HeldDrift[] = [];
  const untils: number[] = [];
  let other: string | undefined;
  for (const { drift, live } of open) {
    const { stands } = judgeDrift(asDrift(drift), live, wishes, time);
    const verdicts = new Map(stands.map(({ path, verdict }) => [path, verdict]));
    const mine: DriftField[] = [];
    let isWhole = false;
    for (const field of drift.fields.length === 0 ? [undefined] : drift.fields) {
      const verdict = verdicts.get(field?.path ?? '');
      if (verdict === undefined || !isHeldField(hold, drift, field, live)) continue;
      if (verdict.policy === 'allow' && verdict.hold !== undefined && verdict.until !== undefined) {
        untils.push(verdict.until);
      } else if (verdict.hold !== hold.hold) other ??= verdict.hold;
      else if (field === undefined) isWhole = true;
      else mine.push(field);
    }
    if (isWhole || mine.length > 0) held.push({ drift, live, fields: mine });
  }
  return { held, until: untils.length === 0 ? undefined : Math.max(...untils), other };
}

/** The record of a drift as it is decided over. */
function asDrift({ object: key, kind, fields, by, foundAt }: DriftRecord): Parameters<typeof judgeDrift>[0] {
  return { key, kind, fields, by, foundAt, state: '', resourceVersion: undefined, desiredHash: '' };
}
