import type { Repository } from '@plumb/api';
import type { Clock } from '@plumb/core';
import { readDataOnce } from '@plumb/engine';
import { openRepositoryHost } from '@plumb/engine/pull-requests';
import type { GitHost } from '@plumb/hosts';
import type { KubeClient } from '@plumb/kube';

/** The Git host of a Repository, with the token in its Secret as far as whoever asks may read that. */
export function openHostHere(
  repository: Repository,
  { client, clock, signal }: { readonly client: KubeClient; readonly clock: Clock; readonly signal: AbortSignal },
): Promise<GitHost> {
  return openRepositoryHost(repository, {
    clock,
    readSecret: (namespace, name, call) => readDataOnce(client, 'Secret', namespace, name, call),
    signal,
  });
}
