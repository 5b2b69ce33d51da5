import type { Attribution, DriftField, DriftKind, ObjectKey, TargetKey } from '@plumb/core';

/** By what decision a drift stands: see `DriftVerdict`. */
export interface DriftStanding {
  readonly policy: 'report' | 'allow';
  /** Epoch milliseconds. */
  readonly until?: number;
  readonly reason?: string;
  /** The name of the hold that says so, and whose it is. */
  readonly hold?: string;
  readonly by?: string;
}

/** One object that somebody changed, as it was found. Values of Secrets are masked. */
export interface NewDrift {
  readonly target: TargetKey;
  readonly object: ObjectKey;
  readonly kind: DriftKind;
  readonly fields: readonly DriftField[];
  readonly by: Attribution;
  /** The release that it deviates from. */
  readonly release: number;
  /** Epoch milliseconds. */
  readonly foundAt: number;
  readonly standing?: DriftStanding | undefined;
}

/**
 * How a drift ended: `healed` by the engine, `gone` because somebody put it back, `released` because a release wrote the object
 * anew, `superseded` by another drift of the same object, `ignored` by a rule that came later, `forgotten` with its target.
 */
export type DriftOutcome = 'healed' | 'gone' | 'released' | 'superseded' | 'ignored' | 'forgotten';

export interface DriftRecord extends NewDrift {
  readonly id: number;
  readonly end?: { readonly at: number; readonly outcome: DriftOutcome };
}

/** What becomes known of a drift after it was recorded. */
export interface DriftNews {
  readonly id: number;
  readonly by?: Attribution | undefined;
  readonly fields?: readonly DriftField[] | undefined;
  /** null: it does not stand any more. */
  readonly standing?: DriftStanding | null | undefined;
  readonly outcome?: DriftOutcome | undefined;
}
