import type {
  AppliedObject,
  DriftHold,
  KubeObject,
  Normalised,
  ObjectKey,
  PlanPolicies,
  SourceTree,
  TargetKey,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { Policy } from '@plumb/policy';
import type { PlanLive } from './plan-live.ts';
import type { TargetRenderer } from './target-renderer.ts';
import type { TargetSpec } from './targets.ts';

export interface PlanRequest {
  readonly client: KubeClient;
  /** What is live; default: read for this plan alone. */
  readonly live?: PlanLive | undefined;
  readonly spec: TargetSpec;
  readonly tree: SourceTree;
  /** Epoch milliseconds: what `now` answers in templates. */
  readonly committedMs: number;
  readonly renderer: TargetRenderer;
  /** The Application as it is on the cluster; undefined where it is not there, so nothing can be deleted. */
  readonly parent: KubeObject | undefined;
  /** The targets that there are: an object that bears the marks of another one of them is not taken. */
  readonly targets: ReadonlySet<TargetKey>;
  /** What the ledger knows of the target's objects; without it a drift shows as a change. */
  readonly applied?: ReadonlyMap<ObjectKey, AppliedObject> | undefined;
  /** What people want to stand, and when that is asked (epoch milliseconds); default: nothing, and rules that end count. */
  readonly standing?:
    | {
        readonly holds: readonly DriftHold[];
        readonly time: number;
        /** Why there may be holds that are not known. */
        readonly unread?: string | undefined;
      }
    | undefined;
  /** The commit that is planned, which removes what is not in it: `3f2a1bc`. */
  readonly removedBy?: string | undefined;
  /** Hears what of an object differs from its manifest and is no change. Costs a comparison of every object. */
  readonly leftOut?: ((key: ObjectKey, fields: readonly Normalised[]) => void) | undefined;
  /** Told how to hold the plan against other policies than `own`, those of the application: for whoever only looks. */
  readonly judging?: ((judge: Judge, own: readonly Policy[] | undefined) => Promise<void>) | undefined;
  readonly signal: AbortSignal;
}

export type Judge = (policies: readonly Policy[]) => Promise<PlanPolicies>;
