import { commandName, formatChanges, shortNameOf, type Clock } from '@plumb/core';
import { keepSubject, targetName, type KeptObject, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import type { KeptLive } from './keep-live.ts';
import type { Remote } from './plan-source.ts';

export interface KeptPullRequest extends Omit<KeptObject, 'changes'> {
  readonly spec: TargetSpec;
  readonly kept: KeptLive;
  /** The full name of the branch that it is to be merged into. */
  readonly followed: string;
  readonly reason: string | undefined;
  readonly remote: Pick<Remote, 'repository'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Opens a pull request from the branch that was pushed, or finds the one that is open; answers where it is. Undefined where the
 * Repository says nothing of its host. Throws what the host or its Secret says: the branch is pushed by then.
 */
export async function openKeptPullRequest(
  client: KubeClient,
  { spec, key, changedBy, kept, followed, reason, remote, clock, signal }: KeptPullRequest,
): Promise<string | undefined> {
  const { repository } = remote;
  if (repository.spec.pullRequests === undefined) return undefined;
  const [{ openHostHere }, { keptEditsText, proposePullRequest }] = await Promise.all([
    import('./host-here.ts'),
    import('@plumb/hosts'),
  ]);
  await using host = await openHostHere(repository, { client, clock, signal });
  const { changes } = kept;
  const object = { key, changes, changedBy };
  const text = keptEditsText(
    {
      title: keepSubject({ target: spec.target, objects: [object] }),
      target: targetName(spec),
      reason,
      hold: undefined,
      kept: [
        {
          object: shortNameOf(key),
          changes: formatChanges(changes),
          changedBy,
          places: kept.places.map(({ where }) => where),
        },
      ],
      left: [],
      healCommand: `plumb drift heal ${commandName(spec.target)}`,
    },
    host.limits,
  );
  const base = followed.slice('refs/heads/'.length);
  return (await proposePullRequest(host, { ...text, branch: kept.branch, base }, { signal })).url;
}
