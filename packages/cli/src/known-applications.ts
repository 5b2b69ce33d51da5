import { APPLICATION } from '@plumb/api/light';
import { PlumbError, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { listObjects } from './list-objects.ts';
import { chooseCluster, openClient, type ChosenCluster, type ClusterFlags } from './cluster.ts';
import type { CliContext } from './context.ts';

/** The Applications of the cluster; none where it does not know Plumb and a working copy says itself what there is. */
export async function knownApplications(
  client: KubeClient,
  cluster: ChosenCluster,
  isLocal: boolean,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    return await listObjects(client, APPLICATION.kind, cluster, { signal });
  } catch (thrown) {
    if (isLocal && thrown instanceof PlumbError && thrown.code === 'NotRunning') return [];
    throw thrown;
  }
}

/** A cluster and its Applications, asked for while the rest of the program is still being read. */
export interface ReadingAhead extends AsyncDisposable {
  readonly opened: Promise<{ readonly cluster: ChosenCluster; readonly client: KubeClient }>;
  readonly known: Promise<readonly KubeObject[]>;
}

/** What goes wrong with it is told by what it promised. */
export function readAhead(
  cli: CliContext,
  flags: ClusterFlags,
  { isLocal }: { readonly isLocal: boolean },
): ReadingAhead {
  const { surroundings } = cli;
  const opened = chooseCluster(cli, flags).then((cluster) => {
    return { cluster, client: openClient(surroundings, cluster.config) };
  });
  const known = opened.then(({ client, cluster }) => knownApplications(client, cluster, isLocal, surroundings.signal));
  // Who never gets to ask for it is not told either.
  known.catch(() => undefined);
  return {
    opened,
    known,
    async [Symbol.asyncDispose]() {
      const open = await opened.catch(() => undefined);
      await open?.client[Symbol.asyncDispose]();
    },
  };
}
