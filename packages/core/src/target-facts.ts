import type { AppliedObject, DecisionPolicy } from './decide.ts';
import type { DeletionBudget, DeletionFacts } from './deletion.ts';
import type { GateFacts } from './approval-gate.ts';
import type { DesiredHook, DesiredSet } from './desired.ts';
import type { DriftFacts } from './drift/settle-drift.ts';
import type { PlumbError } from './error.ts';
import type { HookRun } from './hook-run.ts';
import type { ObjectKey, TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import type { GroupKind } from './object.ts';
import type { Rehearsed } from './rehearsal.ts';
import type { Retirement } from './retire.ts';

/** The headline of a target, worst first. `Suspended` is a state that a person asked for, so it hides the others. */
export type HeadlineState =
  | 'Failed'
  | 'Degraded'
  | 'Drifted'
  | 'Held'
  | 'Syncing'
  | 'Pending'
  | 'Healthy'
  | 'Suspended';

export type SourceFact =
  | { readonly state: 'waiting' }
  | { readonly state: 'failed'; readonly error: PlumbError }
  | {
      readonly state: 'ready';
      readonly commit: string;
      /** Names all inputs of the render. */ readonly inputs: string;
    };

/** Stands for the desired hash where the attempt was to take our marks off. */
export const DISOWNING = 'disowning';

/** The last attempt to write an object that did not work. */
export interface WriteFailure {
  /** Of the desired object at that attempt: a new hash is a new attempt. */
  readonly hash: string;
  readonly error: PlumbError;
  /** Monotonic milliseconds; undefined where only new input can help. */
  readonly retryAt: number | undefined;
}

/** All that is known about one target at one moment. Facts are re-read for every step, so no step relies on an event. */
export interface TargetFacts {
  readonly target: TargetKey;
  readonly now: number;
  readonly suspended: boolean;
  readonly policy: DecisionPolicy;
  readonly budget: DeletionBudget;
  readonly approvedDeletion: string | undefined;
  readonly deletions: DeletionFacts;
  /** Set where the target is to end. */
  readonly retirement?: Retirement | undefined;
  readonly source: SourceFact;
  /** The last render of the current inputs, if it failed. */
  readonly renderFailure:
    | {
        readonly inputs: string;
        readonly errors: readonly PlumbError[];
        readonly retryAt: number | undefined;
        /** The commit that was rendered, as people name it: `3f2a1bc by Demo Author`. */
        readonly commit: string;
      }
    | undefined;
  /** The last complete desired set, and the inputs it came from. */
  readonly desired: (DesiredSet & { readonly inputs: string; readonly commit: string }) | undefined;
  /** What was released last, while `desired` may already be the next: it goes on being healed where that cannot be done. */
  readonly released: TargetFacts['desired'];
  /** What dry-runs of `desired` have said. */
  readonly rehearsed: ReadonlyMap<ObjectKey, Rehearsed>;
  /** Whether the watch of a kind tells the truth: `failed` names why it cannot. */
  watchOf(
    groupKind: GroupKind,
  ): { readonly state: 'synced' | 'starting' | 'missing' } | { readonly state: 'failed'; readonly error: PlumbError };
  /** Kinds that may hold members of this target: what the annotation on its parent says, as last written or read. */
  readonly parentKinds: readonly GroupKind[];
  /** Kinds that the other targets of the same parent need there. */
  readonly siblingKinds: readonly GroupKind[];
  liveOf(key: ObjectKey): LiveObject | undefined;
  /** Live objects whose marks name this target. */
  readonly members: readonly LiveObject[];
  readonly applied: ReadonlyMap<ObjectKey, AppliedObject>;
  readonly failures: ReadonlyMap<ObjectKey, WriteFailure>;
  /** The other living target that the object belongs to: its marks decide, and before it has any, who claimed first. */
  ownerOf(key: ObjectKey): TargetKey | undefined;
  /** Another target that wants the object now, whoever it belongs to: it is handed over and never deleted. */
  heirOf(key: ObjectKey): TargetKey | undefined;
  /**
   * A target of the same repository that has not said yet what it wants of the commit. Before a deletion also one that
   * cannot say it, because the same commit broke it: what moved there must not be deleted here.
   */
  behind(before: 'claim' | 'deletion'): TargetKey | undefined;
  /** What others have changed, and what is to happen to it. */
  readonly drift: DriftFacts;
  /** Until when healing that field of the object (empty: all of it) is put off, as it keeps being changed back; 0: not at all. */
  healAfter(key: ObjectKey, path: string): number;
  /** The release that is being rolled out, until its outcome is known. */
  readonly openRelease: OpenRelease | undefined;
  /** Who has to have seen and approved what a release would do, and what they did; undefined where nobody has. */
  readonly gate?: Omit<GateFacts, 'target' | 'desired' | 'asksConsent'> | undefined;
  /** What of the last release holds data and may be deleted to be made anew, by `deletionId`; default nothing. */
  readonly replaceable?: ReadonlySet<string> | undefined;
  /** What runs around the deletions of a target that is to end: the hooks of what was released last, and their runs. */
  readonly ending?: Ending | undefined;
  /** Whether the applications that this one depends on are healthy, with what the same commit gave them. */
  dependencies(): DependencyFact;
  /** What the last look waited for, and since when. */
  readonly wait: { readonly on: string; readonly since: number; readonly sinceTime: number } | undefined;
  /** Epoch milliseconds: `now` is of a clock that only measures. */
  readonly time: number;
  /** How long one thing may be waited for before the release counts as failed, in milliseconds. */
  readonly deadlineMs: number;
  /** Digest of the last release, open or not. */
  readonly releasedDigest: string | undefined;
}

export interface OpenRelease {
  readonly number: number;
  readonly hasFailed: boolean;
  /** Counts the times that somebody asked for its hooks to be run, from 1. */
  readonly attempt: number;
  /** What is known of its hooks, by `hookRunId`. */
  readonly runs: ReadonlyMap<string, HookRun>;
}

export interface Ending {
  readonly hooks: readonly DesiredHook[];
  readonly open: OpenRelease;
}

export type DependencyFact =
  | { readonly state: 'ready' }
  /** Woken when that target comes to rest. */
  | { readonly state: 'waiting'; readonly target: TargetKey; readonly message: string }
  | { readonly state: 'failed'; readonly error: PlumbError };

/** Whether an attempt is to be made: nothing failed yet, the wish is another one now, or it is time to try again. */
export function isDue(failure: WriteFailure | undefined, hash: string, now: number): boolean {
  return failure === undefined || failure.hash !== hash || (failure.retryAt !== undefined && failure.retryAt <= now);
}
