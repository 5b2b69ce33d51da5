import type { Application } from '@plumb/api';
import {
  applySetId,
  parseGroupKinds,
  PlumbError,
  trackedTarget,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  PART_OF_LABEL,
  type KubeObject,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { parentOf } from './targets.ts';

/**
 * The live objects whose marks name a target, read off the cluster: of the kinds that its Application names. A kind that the
 * server does not serve any more has no objects; any other list that fails fails the whole.
 */
export async function listMembers(
  client: Pick<KubeClient, 'resource' | 'list'>,
  application: Application,
  target: TargetKey,
  options: { readonly metadataOnly?: boolean; readonly signal: AbortSignal },
): Promise<readonly KubeObject[]> {
  const kinds = parseGroupKinds(application.metadata.annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION] ?? '');
  const labelSelector = `${PART_OF_LABEL}=${applySetId(parentOf(application))}`;
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      try {
        return (await client.list(await client.resource(kind, options), { labelSelector, ...options })).items;
      } catch (thrown) {
        if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return [];
        throw thrown;
      }
    }),
  );
  return lists.flat().filter((object) => trackedTarget(object) === target);
}
