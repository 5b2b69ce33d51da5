import type { Drift, HookPhase, ObjectKey, PlumbError, Replacement, TargetKey, Write } from '@plumb/core';

export interface FailedWrite {
  readonly action: Write['action'];
  readonly error: PlumbError;
}

/** What happened to a target, as people read about it. */
export type TargetEvent =
  | { readonly type: 'rendered'; readonly target: TargetKey; readonly result: 'rendered' | 'kept' | 'failed' }
  | {
      readonly type: 'released';
      readonly target: TargetKey;
      readonly release: number;
      readonly commit: string;
      readonly subject: string;
    }
  | {
      readonly type: 'wrote';
      readonly target: TargetKey;
      /** What was written. */
      readonly writes: readonly Write[];
      readonly failed: readonly FailedWrite[];
    }
  | {
      readonly type: 'hooks';
      readonly target: TargetKey;
      readonly did: 'started' | 'succeeded' | 'failed' | 'cleared';
      readonly phase: HookPhase | undefined;
      readonly keys: readonly ObjectKey[];
    }
  | {
      readonly type: 'replaced';
      readonly target: TargetKey;
      readonly replacements: readonly Replacement[];
      readonly failed: ReadonlyMap<ObjectKey, PlumbError>;
    }
  | { readonly type: 'drifted'; readonly target: TargetKey; readonly drifts: readonly Drift[] }
  | { readonly type: 'stopped'; readonly target: TargetKey; readonly errors: readonly PlumbError[] }
  | {
      readonly type: 'pruned';
      readonly target: TargetKey;
      readonly keys: readonly ObjectKey[];
      /** Who removed them from Git, where that is known: `3f2a1bc by Demo Author`. */
      readonly removedBy: readonly string[];
    }
  | { readonly type: 'disowned'; readonly target: TargetKey; readonly keys: readonly ObjectKey[] }
  | {
      readonly type: 'concluded';
      readonly target: TargetKey;
      readonly release: number;
      readonly outcome: 'healthy' | 'failed';
      readonly message: string;
    };
