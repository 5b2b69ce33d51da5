import type { Application } from '@plumb/api';
import { PlumbError, oneLine } from '@plumb/core';
import type { CliContext } from './context.ts';
import { judgementText } from './judgement-text.ts';
import type { Planned } from './plan-session.ts';
import { planIdOf, PlanStore, type StoredPlan } from './plan-store.ts';
import { planText, type LabelledPlan } from './plan-text.ts';
import { jsonText } from './json-text.ts';
import { PLAIN } from './style.ts';
import { formatTable } from './table.ts';
import { JSON_VERSION } from './version.ts';

export function labelled({ plan, normalised, source }: Planned): LabelledPlan {
  return { plan, label: source.label, ...(normalised === undefined ? {} : { normalised }) };
}

export function storedPlanOf(planned: Planned, server: string, at: string): StoredPlan {
  const { application, spec, plan, source } = planned;
  const judged = plan.policies === undefined ? '' : judgementText(plan.policies, { style: PLAIN });
  const { namespace, name } = application.metadata;
  return {
    id: planIdOf(plan),
    at,
    server,
    application: { namespace, name },
    environment: spec.environment,
    commit: source.commit,
    label: source.label,
    release: releaseNumber(application, spec.environment),
    compared: {
      digest: plan.digest,
      desired: plan.desired,
      items: plan.items.map(({ key, action, changes, touched }) => ({
        key,
        action,
        changes,
        ...(touched === undefined ? {} : { touched }),
      })),
    },
    text: {
      short: planText(labelled(planned), { style: PLAIN, isFull: false }) + judged,
      full: planText(labelled(planned), { style: PLAIN, isFull: true, isListed: true }) + judged,
    },
  };
}

/** The number of the release that is the last one of a target; 0 where there is none. */
function releaseNumber({ status }: Application, environment: string): number {
  const release = status?.environments?.find(({ name }) => name === environment)?.release ?? '';
  return Number(/^r(\d+)$/.exec(release)?.[1] ?? 0);
}

/** `plumb plan show ID`. */
export async function showPlan(
  cli: CliContext,
  flags: { readonly full?: boolean | undefined; readonly output: 'table' | 'json' },
  id: string | undefined,
): Promise<void> {
  if (id === undefined) {
    throw new PlumbError('Usage', 'the plan is missing', { fix: 'Write plumb plan show ID: see "plumb plan list".' });
  }
  const plan = await new PlanStore(cli.surroundings).load(id);
  if (flags.output === 'json')
    cli.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'StoredPlan', ...dataOf(plan) }, 2)}\n`);
  else cli.show(`${plan.id}   made ${plan.at}\n${flags.full === true ? plan.text.full : plan.text.short}`);
}

/** `plumb plan list`. */
export async function listPlans(cli: CliContext, flags: { readonly output: 'table' | 'json' }): Promise<void> {
  const plans = await new PlanStore(cli.surroundings).list();
  if (flags.output === 'json') {
    cli.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'StoredPlans', items: plans.map(dataOf) }, 2)}\n`);
    return;
  }
  const rows = plans.map(({ id, at, application, environment, commit, label, compared }) => [
    id,
    oneLine(`${application.namespace}/${application.name}`),
    oneLine(environment === '' ? '-' : environment),
    oneLine(label ?? commit?.slice(0, 7) ?? 'working copy'),
    `${compared.items.length}`,
    at,
  ]);
  if (rows.length === 0) cli.note('No plan has been made on this machine.');
  else cli.show(formatTable([['PLAN', 'APP', 'ENV', 'COMMIT', 'OBJECTS', 'MADE'], ...rows], { gap: 2 }));
}

function dataOf({ id, at, server, application, environment, commit, compared }: StoredPlan): object {
  const { digest, items } = compared;
  return {
    id,
    at,
    server,
    app: application.name,
    namespace: application.namespace,
    env: environment,
    commit,
    digest,
    items,
  };
}
