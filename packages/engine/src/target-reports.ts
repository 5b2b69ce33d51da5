import {
  consentRule,
  countApprovals,
  lossesOf,
  planCounts,
  shortNameOf,
  type ApprovalRule,
  type ErrorCode,
  type GivenApproval,
  type TargetKey,
} from '@plumb/core';
import type { TargetMemory } from './target-memory.ts';
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
      generation: memory.restedOn?.generation,
      objects: memory.desired?.objects.length ?? 0,
      pendingPlan: pendingPlanOf(memory, rule, approvalsOf(target)),
      hooks: memory.ending?.hooks ?? memory.desired?.hooks ?? [],
      since: memory.since,
    };
  });
}

/** The plan that waits for approvals: of a release, or of what is lost in the course of one. */
function pendingPlanOf(
  { plan, rest, desired }: TargetMemory,
  rule: ApprovalRule | undefined,
  approvals: readonly GivenApproval[],
): TargetReport['pendingPlan'] {
  if (rest === undefined || plan?.result.ok !== true || plan.desired !== desired?.digest) return undefined;
  const hasFailure = (code: ErrorCode): boolean => rest.failures.some((failure) => failure.code === code);
  const { replaces } = lossesOf(plan.result.value);
  const isLosing =
    (replaces.length > 0 && hasFailure('FieldImmutable')) ||
    (rest.deletions.verdict === 'blocked' && plan.result.value.deletions.verdict === 'blocked');
  const asked = rule !== undefined && hasFailure('ApprovalMissing') ? rule : isLosing ? consentRule(rule) : undefined;
  if (asked === undefined) return undefined;
  const { digest, items, policies } = plan.result.value;
  const warnings = policies?.results.length ?? 0;
  const summary = [
    ...planCounts(items).map(([count, what]) => `${count} ${what}`),
    // What a policy denies waits for nobody: these are all warnings.
    ...replaces.map(({ key, loss }) => `${shortNameOf(key)} loses data: ${loss}`),
    ...(warnings === 0 ? [] : [`${warnings} ${warnings === 1 ? 'warning' : 'warnings'} of policies`]),
  ];
  return {
    digest,
    revision: plan.commit,
    summary: summary.length === 0 ? 'nothing changes' : summary.join(', '),
    approvals: countApprovals(asked, { approvals, author: plan.author, digest }),
    required: asked.required,
  };
}
