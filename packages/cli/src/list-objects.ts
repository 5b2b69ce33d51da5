import { API_VERSION, type APPLICATION, type HOLD, type REPOSITORY } from '@plumb/api/light';
import { groupOf, PlumbError, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient } from '@plumb/kube';
import type { ChosenCluster } from './cluster.ts';

type OwnKind = typeof APPLICATION.kind | typeof HOLD.kind | typeof REPOSITORY.kind;

interface Call {
  readonly signal: AbortSignal;
}

/** How the cluster serves one of our kinds; a clear error where it has never seen Plumb. */
export async function plumbResource(client: KubeClient, kind: OwnKind, call: Call): Promise<ApiResource> {
  try {
    return await client.resource({ group: groupOf(API_VERSION), kind }, call);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError) || thrown.code !== 'KindMissing') throw thrown;
    throw new PlumbError('NotRunning', `Plumb is not set up on this cluster (${client.server})`, {
      fix: `Start it with: plumb up --context ${client.context}`,
    });
  }
}

/** The objects of one of our kinds, in the named namespace, else in all; in the context's own where all may not be read. */
export async function listObjects(
  client: KubeClient,
  kind: OwnKind,
  cluster: ChosenCluster,
  call: Call,
): Promise<readonly KubeObject[]> {
  const resource = await plumbResource(client, kind, call);
  const { namedNamespace } = cluster;
  try {
    return (await client.list(resource, { namespace: namedNamespace, ...call })).items;
  } catch (thrown) {
    const mayNot = thrown instanceof PlumbError && thrown.code === 'Forbidden';
    if (!mayNot || namedNamespace !== undefined) throw thrown;
    return (await client.list(resource, { namespace: cluster.namespace, ...call })).items;
  }
}
