import { parseTargetKey, planDelta, PlumbError } from '@plumb/core';
import type { ChosenApplication } from './chosen-application.ts';
import type { CliContext } from './context.ts';
import { knownApplications } from './known-applications.ts';
import { PlanSession } from './plan-session.ts';
import { PlanStore, type StoredPlan } from './plan-store.ts';
import { openRendererHere } from './renderer-here.ts';
import { storedPlanOf } from './stored-plan.ts';

/**
 * A plan that was made before, once it is sure that it would still do the same. Throws `PlanVoid` with what has moved since,
 * `PlanMissing`, or `Usage` where it is a plan of something else. The engine looks once more, right before it begins.
 */
export async function provenPlan(
  cli: CliContext,
  { client, cluster, application }: ChosenApplication,
  { id, env }: { readonly id: string; readonly env: string | undefined },
): Promise<StoredPlan> {
  const { clock, signal } = cli.surroundings;
  const stored = await new PlanStore(cli.surroundings).load(id);
  const { name, namespace } = application.metadata;
  const isOther = stored.application.name !== name || stored.application.namespace !== namespace;
  if (isOther || (env !== undefined && env !== stored.environment) || stored.server !== client.server) {
    const place = [stored.application.namespace, stored.application.name, stored.environment].filter(
      (part) => part !== '',
    );
    throw new PlumbError('Usage', `${id} is a plan of ${place.join('/')} on ${stored.server}`, {
      fix: 'Name that application, environment and context, or make a plan of this one.',
    });
  }
  if (stored.commit === undefined) {
    throw new PlumbError('Usage', `${id} is of no commit, but of: ${stored.label ?? 'working copy'}`, {
      fix: 'Push or merge it, and make a plan of the commit: what is applied comes from Git.',
    });
  }
  await using rendering = await openRendererHere(cli.surroundings, client, cluster);
  const known = await knownApplications(client, cluster, false, signal);
  const { renderer } = rendering;
  await using session = new PlanSession({
    client,
    cluster,
    renderer,
    known,
    workingCopy: undefined,
    clock: cli.surroundings.clock,
    isWide: false,
    policies: undefined,
    signal,
  });
  const [planned] = await session.plan(application, stored.environment === '' ? {} : { env: stored.environment });
  if (planned === undefined) throw new PlumbError('PlanVoid', `The plan ${id} is void: its environment is gone`);
  const now = storedPlanOf(planned, client.server, new Date(clock.now()).toISOString());
  const moved = planDelta(stored.compared, now.compared);
  const commits = `Git is at ${now.commit?.slice(0, 7)} and was at ${stored.commit.slice(0, 7)}`;
  const delta = now.commit === stored.commit ? moved : [commits, ...moved];
  if (moved.length === 0 && stored.release === now.release) return stored;
  const released = `there is a newer release, r${now.release}`;
  const reasons = stored.release === now.release ? delta : [released, ...delta];
  throw new PlumbError('PlanVoid', `The plan ${id} is void: ${reasons.join('; ')}`, {
    subject: parseTargetKey(planned.plan.target)?.application,
    fix: `Look at the new plan: plumb plan ${name}`,
  });
}
