import type { Application, TargetStatus } from '@plumb/api';
import { planCounts } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import type { ChosenCluster } from './cluster.ts';
import type { CliContext } from './context.ts';
import { knownApplications } from './known-applications.ts';
import { PlanSession } from './plan-session.ts';
import { openRendererHere } from './renderer-here.ts';

/** A plan that may be approved. */
export interface Waiting {
  readonly application: Application;
  readonly environment: string;
  readonly plan: NonNullable<TargetStatus['pendingPlan']>;
}

export interface PlanToApprove {
  readonly client: KubeClient;
  readonly cluster: ChosenCluster;
  readonly applications: readonly Application[];
  readonly env: string | undefined;
  readonly digest: string;
  /** Whether every target is meant, or those alone whose deletions wait. */
  readonly isNamed: boolean;
}

/**
 * The plans with this digest that would lose what takes an approval, made here and now: an engine has none where no release
 * waits for it. Targets that wait for another plan are left out.
 */
export async function plansToApprove(cli: CliContext, question: PlanToApprove): Promise<readonly Waiting[]> {
  const { clock, signal } = cli.surroundings;
  const { client, cluster, applications, env, digest, isNamed } = question;
  const meant = applications.flatMap((application) => {
    const statuses = application.status?.environments ?? [];
    return statuses.flatMap(({ name, pendingPlan, pendingDeletions }) => {
      const isMeant = (env === undefined || env === name) && pendingPlan === undefined;
      return isMeant && (isNamed || pendingDeletions !== undefined) ? { application, environment: name } : [];
    });
  });
  if (meant.length === 0) return [];
  await using rendering = await openRendererHere(cli.surroundings, client, cluster);
  const { renderer } = rendering;
  const known = await knownApplications(client, cluster, false, signal);
  const options = { client, cluster, renderer, known, workingCopy: undefined, policies: undefined, signal };
  await using session = new PlanSession({ ...options, clock, isWide: false });
  const found: Waiting[] = [];
  for (const { application, environment } of meant) {
    for (const { plan, source } of await session.plan(application, environment === '' ? {} : { env: environment })) {
      const isAsked = plan.deletions.verdict === 'blocked' || plan.items.some(({ consent }) => consent !== undefined);
      if (plan.digest !== digest || !isAsked) continue;
      const summary = planCounts(plan.items).map(([count, what]) => `${count} ${what}`);
      const pending = { digest, revision: source.commit ?? '', summary: summary.join(', '), approvals: 0, required: 1 };
      found.push({ application, environment, plan: pending });
    }
  }
  return found;
}
