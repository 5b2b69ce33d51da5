import type { Clock } from '@plumb/core';
import type { KeptObject, TargetSpec } from '@plumb/engine';
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
  const [{ openHostHere }, { proposeKept }] = await Promise.all([
    import('./host-here.ts'),
    import('@plumb/engine/pull-requests'),
  ]);
  await using host = await openHostHere(repository, { client, clock, signal });
  const { changes, places, branch } = kept;
  const object = { key, changes, changedBy, places: places.map(({ where }) => where) };
  const proposed = { spec, kept: [object], reason, hold: undefined, left: [], branch, followed };
  return (await proposeKept(host, proposed, { signal })).url;
}
