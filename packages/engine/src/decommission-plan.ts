import type { Application } from '@plumb/api';
import {
  decommissionSet,
  deletionDigest,
  observe,
  type PlumbError,
  stepsOfDeletion,
  withhold,
  type Findings,
  type LiveObject,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { examine } from './examine.ts';
import { listMembers } from './members.ts';
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
  const members = (await listMembers(client, application, spec.target, { metadataOnly: true, ...o })).map((object) =>
    observe(object),
  );
  const objects = decommissionSet(members);
  const findings = await examine(objects, { client, ...o });
  const { candidates, kept } = withhold(objects, findings);
  const status = application.status?.environments?.find(({ name }) => name === spec.environment);
  const hooks = status?.deletionHooks ?? [];
  return { spec, hooks, objects, steps: stepsOfDeletion(candidates), digest: deletionDigest(objects), findings, kept };
}
