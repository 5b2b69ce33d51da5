import { countApprovals, planCounts, type ApprovalRule, type GivenApproval, type TargetKey } from '@plumb/core';
import type { TargetMemory } from './reconcile.ts';
import type { TargetReport } from './status.ts';
import type { TargetSpec } from './targets.ts';

type Reported = Pick<TargetSpec, 'target' | 'environment' | 'namespace'> & {
  readonly approvals?: TargetSpec['approvals'];
};

/** What is to be said of the targets that have come to rest: of each the release that its rest is about. */
export function reportsOf(
  specs: Iterable<Reported>,
  memoryOf: (target: TargetKey) => TargetMemory | undefined,
  approvalsOf: (target: TargetKey) => readonly GivenApproval[] = () => [],
): readonly TargetReport[] {
  return [...specs].flatMap(({ target, environment, namespace, approvals: rule }) => {
    const memory = memoryOf(target);
    if (memory?.rest === undefined) return [];
    return {
      environment,
      namespace,
      rest: memory.rest,
      revision: memory.restedOn?.revision,
      release: memory.restedOn?.release,
      objects: memory.desired?.objects.length ?? 0,
      pendingPlan: rule === undefined ? undefined : pendingPlanOf(memory, rule, approvalsOf(target)),
      hooks: memory.ending?.hooks ?? memory.desired?.hooks ?? [],
      since: memory.since,
    };
  });
}

/** The plan that waits for approvals. */
function pendingPlanOf(
  { plan, rest }: TargetMemory,
  rule: ApprovalRule,
  approvals: readonly GivenApproval[],
): TargetReport['pendingPlan'] {
  const isWaiting = rest?.failures.some(({ code }) => code === 'ApprovalMissing') === true;
  if (!isWaiting || plan?.result.ok !== true) return undefined;
  const { digest, items, policies } = plan.result.value;
  const warnings = policies?.results.length ?? 0;
  const summary = [
    ...planCounts(items).map(([count, what]) => `${count} ${what}`),
    // What a policy denies waits for nobody: these are all warnings.
    ...(warnings === 0 ? [] : [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'} of policies`]),
  ];
  return {
    digest,
    revision: plan.commit,
    summary: summary.length === 0 ? 'nothing changes' : summary.join(', '),
    approvals: countApprovals(rule, { approvals, author: plan.author, digest }),
    required: rule.required,
  };
}
