import type { CiFlags } from '../ci.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { readAhead } from '../known-applications.ts';

export interface PlanFlags extends EveryVerb, ClusterFlags, CiFlags {
  readonly env?: string | undefined;
  readonly ref?: string | undefined;
  readonly local?: string | undefined;
  readonly pr?: number | undefined;
  readonly release?: string | undefined;
  readonly full?: boolean | undefined;
  readonly showNormalised?: boolean | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly exitCode?: boolean | undefined;
  readonly detailedExitcode?: boolean | undefined;
  readonly output: 'table' | 'json';
}

/**
 * `plumb plan`: what a commit or a working copy would change on the cluster. Writes nothing there, and keeps the plan on this
 * machine. `plumb plan show ID` and `plumb plan list` look at those.
 */
export async function plan(this: CliContext, flags: PlanFlags, name?: string, id?: string): Promise<void> {
  if (name === 'show' || (name === 'list' && id === undefined)) {
    const { listPlans, showPlan } = await import('../stored-plan.ts');
    return name === 'list' ? await listPlans(this, flags) : await showPlan(this, flags, id);
  }
  await using ahead = readAhead(this, flags, { isLocal: flags.local !== undefined });
  const { makePlans } = await import('../make-plans.ts');
  await makePlans(this, flags, { name, id, ahead });
}
