import type { Application } from '@plumb/api';
import {
  decommissionSet,
  deletionDigest,
  observe,
  parseGroupKinds,
  PlumbError,
  stepsOfDeletion,
  withhold,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  PART_OF_LABEL,
  type Findings,
  type LiveObject,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { examine } from './examine.ts';
import type { TargetSpec } from './targets.ts';

/** What taking a target down would delete. */
export interface DecommissionPlan {
  readonly spec: TargetSpec;
  /** Step by step: each waits until the one before is gone. */
  readonly steps: readonly (readonly LiveObject[])[];
  /** What runs before and after, as the engine says: `PreDelete Job/backup`. */
  readonly hooks: readonly string[];
  /** Of all that bears its marks: what an approval has to name. */
  readonly digest: string;
  readonly objects: readonly LiveObject[];
  readonly findings: Findings;
  /** What stays all the same, with the reason. */
  readonly kept: readonly PlumbError[];
}

/** Reads what bears the marks of a target off the cluster, of the kinds that its Application names. Writes nothing. */
export async function planDecommission(
  client: KubeClient,
  application: Application,
  spec: TargetSpec,
  o: { readonly signal: AbortSignal },
): Promise<DecommissionPlan> {
  const kinds = parseGroupKinds(application.metadata.annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION] ?? '');
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      try {
        const resource = await client.resource(kind, o);
        const labelSelector = `${PART_OF_LABEL}=${spec.applySet}`;
        return (await client.list(resource, { labelSelector, metadataOnly: true, ...o })).items;
      } catch (thrown) {
        if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return [];
        throw thrown;
      }
    }),
  );
  const members = lists.flat().flatMap((object) => {
    const live = observe(object);
    return live.target === spec.target ? [live] : [];
  });
  const objects = decommissionSet(members);
  const findings = await examine(objects, { client, ...o });
  const { candidates, kept } = withhold(objects, findings);
  const status = application.status?.environments?.find(({ name }) => name === spec.environment);
  const hooks = status?.deletionHooks ?? [];
  return { spec, hooks, objects, steps: stepsOfDeletion(candidates), digest: deletionDigest(objects), findings, kept };
}
