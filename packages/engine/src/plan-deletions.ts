import {
  decide,
  judgeDeletions,
  shortNameOf,
  withhold,
  type DeletionVerdict,
  type DesiredSet,
  type LiveObject,
  type ObjectKey,
  type PlanItem,
} from '@plumb/core';
import { examine } from './examine.ts';
import type { PlanRequest } from './plan-request.ts';

/** What Git has let go of: what of it may go, and what keeps the rest. */
export async function plannedDeletions(
  request: PlanRequest,
  members: readonly LiveObject[],
  { objects, hooks }: DesiredSet,
): Promise<{ readonly deletions: DeletionVerdict; readonly kept: readonly PlanItem[] }> {
  const { spec, client, signal, removedBy } = request;
  const wanted = new Set([...objects, ...hooks].map(({ key }) => key));
  const unwanted = members.filter((live) => {
    // Hooks have their own delete policies.
    if (wanted.has(live.key) || live.hookRun !== undefined) return false;
    const { target, conflicts } = spec;
    const question = { target, key: live.key, desired: undefined, live, applied: undefined, owner: undefined };
    return decide({ ...question, policy: { conflicts } }).action === 'delete';
  });
  const examined = await examine(unwanted, { client, signal });
  const findings = new Map(unwanted.map(({ key }) => [key, { removedBy, ...examined.get(key) }]));
  const { candidates, kept } = withhold(unwanted, findings);
  const deletions = judgeDeletions({
    candidates,
    memberCount: members.length,
    desiredCount: objects.length,
    budget: spec.budget,
    approved: spec.approvedDeletion,
    findings,
  });
  const items = kept.map((error): PlanItem => ({
    action: 'blocked',
    key: unwanted.find(({ key }) => shortNameOf(key) === error.subject)?.key ?? ('' as ObjectKey),
    changes: [],
    predicted: false,
    error,
  }));
  return { deletions, kept: items };
}

export function deletion({ key, uid }: LiveObject): PlanItem {
  return { action: 'delete', key, reason: 'removed', changes: [], predicted: false, touched: uid };
}
