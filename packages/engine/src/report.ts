import { countApprovals, planCounts } from '@plumb/core';
import type { Catalog, CatalogApplication } from './catalog.ts';
import type { Reconciler, TargetMemory } from './reconcile.ts';
import type { TargetReport } from './status.ts';
import type { TargetSpec } from './targets.ts';

/** The plan that waits for approvals. */
function pendingPlanOf(
  { target, approvals: rule }: TargetSpec,
  { plan, rest }: TargetMemory,
  catalog: Catalog,
): TargetReport['pendingPlan'] {
  const isWaiting = rest?.failures.some(({ code }) => code === 'ApprovalMissing') === true;
  if (!isWaiting || rule === undefined || plan?.result.ok !== true) return undefined;
  const { digest, items } = plan.result.value;
  const given = { approvals: catalog.approvalsOf(target), author: plan.author, digest };
  const summary = planCounts(items).map(([count, what]) => `${count} ${what}`);
  return {
    digest,
    revision: plan.commit,
    summary: summary.length === 0 ? 'nothing changes' : summary.join(', '),
    approvals: countApprovals(rule, given),
    required: rule.required,
  };
}

/** What the targets of an application say of themselves: those that have been looked at. */
export function reportsOf(
  entry: CatalogApplication,
  reconciler: Reconciler,
  catalog: Catalog,
): readonly TargetReport[] {
  return [...entry.targets.values()].flatMap((spec) => {
    const memory = reconciler.memoryOf(spec.target);
    if (memory?.rest === undefined) return [];
    return {
      environment: spec.environment,
      namespace: spec.namespace,
      rest: memory.rest,
      revision: memory.releasedCommit,
      release: memory.release,
      objects: memory.desired?.objects.length ?? 0,
      pendingPlan: pendingPlanOf(spec, memory, catalog),
      hooks: memory.ending?.hooks ?? memory.desired?.hooks ?? [],
      since: memory.since,
    };
  });
}
