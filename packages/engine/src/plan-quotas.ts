import { exceededQuotas, PlumbError, usesQuota, type KubeObject, type PlannedUse, type QuotaExcess } from '@plumb/core';
import type { PlanKinds } from './plan-kinds.ts';
import type { PlanRequest } from './plan-request.ts';

/** The quotas of the namespaces in which the plan runs more than there was; what cannot be read is a note. */
export async function quotasOf(
  { client, signal }: PlanRequest,
  kinds: PlanKinds,
  uses: readonly PlannedUse[],
): Promise<{ readonly exceeded: readonly QuotaExcess[]; readonly notes: readonly string[] }> {
  const namespaces = new Set(
    uses.flatMap(({ after }) => (after === undefined || !usesQuota(after) ? [] : (after.metadata.namespace ?? []))),
  );
  if (namespaces.size === 0) return { exceeded: [], notes: [] };
  const resource = await kinds.find({ group: '', kind: 'ResourceQuota' });
  const notes: string[] = [];
  const lists = await Promise.all(
    [...namespaces].map(async (namespace): Promise<readonly KubeObject[]> => {
      try {
        return resource === undefined ? [] : (await client.list(resource, { namespace, signal })).items;
      } catch (thrown) {
        if (!(thrown instanceof PlumbError) || thrown.code !== 'Forbidden') throw thrown;
        notes.push(`the quotas of ${namespace} are not known: ${thrown.message}`);
        return [];
      }
    }),
  );
  return { exceeded: exceededQuotas(lists.flat(), uses), notes };
}
