import type { Decision } from './decide.ts';
import type { DeletionVerdict } from './deletion.ts';
import type { PlumbError } from './error.ts';
import type { HookStep } from './hook-run.ts';
import type { ObjectKey, TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import type { GroupKind } from './object.ts';
import type { Write } from './rehearsal.ts';
import type { HeadlineState } from './target-facts.ts';

export type Replacement = Extract<Decision, { readonly action: 'replace' }>;

export interface Rest {
  readonly do: 'rest';
  readonly state: HeadlineState;
  /** One sentence with the cause. */
  readonly message: string;
  /** The cause in one word, where no failure names it. */
  readonly reason?: string;
  readonly failures: readonly PlumbError[];
  readonly deletions: DeletionVerdict;
  /** Look again then (monotonic milliseconds), even if nothing happens. */
  readonly wakeAt: number | undefined;
  /** Look again when this target has come to rest. */
  readonly waitsFor?: TargetKey | undefined;
  /** Names what is waited for: as long as it is the same, its deadline runs. */
  readonly waitsOn?: string | undefined;
}

/** The next step of a target. Repeating any of them is harmless. */
export type Step =
  | { readonly do: 'render' }
  /** Start the watches of these kinds and come back when they have synced. */
  | { readonly do: 'watch'; readonly kinds: readonly GroupKind[] }
  /** Write the kinds to the parent's annotation: widened before the first apply, narrowed after the last deletion. */
  | { readonly do: 'membership'; readonly kinds: readonly GroupKind[] }
  /** Try what a new release would write, without effect: see `rehearsal.ts`. */
  | { readonly do: 'rehearse'; readonly writes: readonly Write[]; readonly deletions: readonly LiveObject[] }
  /** Find out what happened to these objects, which are not as they were applied. */
  | { readonly do: 'inspect'; readonly writes: readonly Write[] }
  /** Make the plan of what would be released now. */
  | { readonly do: 'plan' }
  /** Record the new release, before its first write; `isConsented`: with all that its plan loses. */
  | { readonly do: 'release'; readonly isConsented?: boolean }
  | { readonly do: 'write'; readonly writes: readonly Write[] }
  /** Delete these, once it is sure that they can be made anew; that they are gone is then a reason to create them. */
  | { readonly do: 'replace'; readonly replacements: readonly Replacement[] }
  /** Find out what has to be known of these objects before they may go; `confirm` renders once more. */
  | { readonly do: 'examine'; readonly objects: readonly LiveObject[]; readonly confirm: boolean }
  | {
      readonly do: 'prune';
      readonly objects: readonly LiveObject[];
      readonly reason: 'removed' | 'approved' | 'decommissioned';
      /** All that was allowed to go, of which these are the first. */
      readonly set: readonly LiveObject[];
    }
  /** Make durable that this whole set may go, before anything is done about it. */
  | { readonly do: 'allow'; readonly set: readonly LiveObject[] }
  /** Take our marks off these objects, and leave them as they are. */
  | { readonly do: 'disown'; readonly objects: readonly LiveObject[] }
  /** These are gone, or another target's: they are no longer in the inventory. */
  | { readonly do: 'strike'; readonly keys: readonly ObjectKey[] }
  /** Nothing of the target is left to remember. */
  | { readonly do: 'retired' }
  | HookStep
  | { readonly do: 'conclude'; readonly outcome: 'healthy' | 'failed'; readonly message: string }
  | Rest;
