import { createHash } from 'node:crypto';
import { API_VERSION, APPLICATION, APPROVAL, type Application } from '@plumb/api';
import { PlumbError, oneLine } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { decodedApplication, selectNamed } from '../applications.ts';
import { listObjects, plumbResource } from '../list-objects.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { PlanStore } from '../plan-store.ts';
import { plansToApprove, type Waiting } from '../plan-to-approve.ts';
import { follow } from '../request.ts';
import { showSign, STATE_SIGNS } from '../style.ts';

export interface ApproveFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly reason?: string | undefined;
}

/** `plumb approve`: writes down that this person has approved exactly what the plan with that digest would do. */
export async function approve(this: CliContext, flags: ApproveFlags, plan: string, name?: string): Promise<void> {
  const { signal } = this.surroundings;
  const store = new PlanStore(this.surroundings);
  const digest = plan.startsWith('p-') ? (await store.load(plan)).compared.digest : plan;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const known = await listObjects(client, APPLICATION.kind, cluster, { signal });
  const applications = (name === undefined ? known : selectNamed(known, name, cluster)).map(decodedApplication);
  const waiting = applications.flatMap((application) => waitingOf(application, flags.env));
  const asked = waiting.filter((one) => one.plan.digest === digest);
  const { env } = flags;
  const question = { client, cluster, applications, env, digest, isNamed: name !== undefined };
  const found = asked.length > 0 ? asked : await plansToApprove(this, question);
  const [only] = found;
  if (only === undefined) throw notWaiting(digest, waiting);
  if (found.length > 1) {
    throw new PlumbError('Usage', `${found.length} releases wait for the plan ${digest}`, {
      fix: `Name one of: ${found.map(nameOf).join(', ')}.`,
    });
  }

  const { application, environment } = only;
  const { username, groups } = await client.whoAmI({ signal });
  const rule = gatesOf(application, environment)?.approvals;
  const counting = groups.filter((group) => rule?.from?.includes(`group:${group}`));
  const { namespace, name: app } = application.metadata;
  const who = createHash('sha256').update(username).digest('hex').slice(0, 8);
  const approval = {
    apiVersion: API_VERSION,
    kind: APPROVAL.kind,
    metadata: { namespace, name: [app.slice(0, 200), digest, who].join('-') },
    spec: {
      application: app,
      ...(environment === '' ? {} : { environment }),
      digest,
      by: username,
      groups: counting,
      ...(flags.reason === undefined ? {} : { reason: flags.reason }),
    },
  };
  await client.apply(approval, { manager: 'plumb-cli', force: true, signal });
  const text = `${nameOf(only)}: ${username} approves the plan ${digest} (${only.plan.summary})`;
  this.show(`${showSign(this.style, STATE_SIGNS.Healthy)} ${oneLine(text)}\n`);
  await untilTakenUp(this, client, only);
}

/** What comes of it is in the status a moment later: whoever asks next is to find it there. */
async function untilTakenUp(
  cli: CliContext,
  client: KubeClient,
  { application, environment, plan }: Waiting,
): Promise<void> {
  const { signal } = cli.surroundings;
  const targetOf = ({ status }: Application) => status?.environments?.find(({ name }) => name === environment);
  const saidOf = (one: Application): string => {
    const { pendingPlan, pendingDeletions } = targetOf(one) ?? {};
    return JSON.stringify([pendingPlan, pendingDeletions]);
  };
  try {
    const now = await follow(cli, {
      client,
      resource: await plumbResource(client, APPLICATION.kind, { signal }),
      application,
      isOver: (later) => saidOf(later) !== saidOf(application),
      hasEnded: () => true,
      aim: 'looked at',
      environment,
      timeout: TAKEN_UP_MS,
    });
    const open = targetOf(now)?.pendingPlan;
    if (open?.digest === plan.digest) cli.note(`It needs ${open.required - open.approvals} more.`);
    else if (open !== undefined) cli.note(`Something has moved meanwhile: what waits now is the plan ${open.digest}.`);
  } catch (thrown) {
    if (!(thrown instanceof PlumbError) || thrown.code !== 'WaitTimeout') throw thrown;
    cli.note('The approval is written down; no engine has taken it up yet.');
  }
}

const TAKEN_UP_MS = 5_000;

function waitingOf(application: Application, env: string | undefined): readonly Waiting[] {
  return (application.status?.environments ?? []).flatMap(({ name, pendingPlan }) => {
    const isMeant = pendingPlan !== undefined && (env === undefined || env === name);
    return isMeant ? { application, environment: name, plan: pendingPlan } : [];
  });
}

function gatesOf({ spec }: Application, environment: string): Application['spec']['gates'] {
  return spec.environments?.find(({ name }) => name === environment)?.gates ?? spec.gates;
}

function nameOf({ application, environment }: Waiting): string {
  return environment === '' ? application.metadata.name : `${application.metadata.name} → ${environment}`;
}

function notWaiting(digest: string, waiting: readonly Waiting[]): PlumbError {
  const others = waiting.map((one) => `${one.plan.digest} (${nameOf(one)}: ${one.plan.summary})`);
  return new PlumbError('PlanVoid', `no release waits for the plan ${digest}`, {
    fix: others.length === 0 ? 'See "plumb status": nothing waits for an approval.' : `Waiting: ${others.join(', ')}.`,
  });
}
