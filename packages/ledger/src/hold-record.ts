import type { HoldEnd, TargetKey } from '@plumb/core';

/** That a person let edits stand for a while: see the kind Hold. */
export interface NewHold {
  /** Of the Hold: one that is placed again under the same name is another one. */
  readonly uid: string;
  readonly target: TargetKey;
  readonly name: string;
  /** What it was about, as people say it: `all objects`, `Deployment/shop spec.replicas`. */
  readonly covers: string;
  readonly by: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** When it ends by itself, epoch milliseconds. */
  readonly until: number;
  readonly atEnd: HoldEnd;
  /** What came of the edits, where it is known. */
  readonly outcome?: string | undefined;
}

export interface HoldRecord extends NewHold {
  /** Somebody ended it before its time, epoch milliseconds. */
  readonly liftedAt?: number;
}
