import { commandName, formatChanges, shortNameOf, type Where } from '@plumb/core';
import {
  keptEditsText,
  proposePullRequest,
  type GitHost,
  type KeptEdits,
  type ProposedPullRequest,
} from '@plumb/hosts';
import { keepSubject, type KeptObject } from './keep-message.ts';
import { targetName, type TargetSpec } from './targets.ts';

export interface KeptPullRequest extends Pick<KeptEdits, 'reason' | 'hold' | 'left'> {
  readonly spec: TargetSpec;
  readonly kept: readonly (KeptObject & { readonly places: readonly Where[] })[];
  /** Where the commit was pushed to, without `refs/heads/`. */
  readonly branch: string;
  /** The full name of the branch that it is to be merged into. */
  readonly followed: string;
}

/** Proposes live values that were committed to a branch: opens a pull request, or finds the one that is open. */
export async function proposeKept(
  host: GitHost,
  { spec, kept, reason, hold, left, branch, followed }: KeptPullRequest,
  options: { readonly signal: AbortSignal },
): Promise<ProposedPullRequest> {
  const text = keptEditsText(
    {
      title: keepSubject({ target: spec.target, objects: kept }),
      target: targetName(spec),
      reason,
      hold,
      kept: kept.map(({ key, changes, changedBy, places }) => {
        return { object: shortNameOf(key), changes: formatChanges(changes), changedBy, places };
      }),
      left,
      healCommand: `plumb drift heal ${commandName(spec.target)}`,
    },
    host.limits,
  );
  const base = followed.slice('refs/heads/'.length);
  return await proposePullRequest(host, { ...text, branch, base }, options);
}
