import type { Application, TargetStatus } from '@plumb/api';
import { PlumbError, type KubeObject, type Retirement, oneLine } from '@plumb/core';
import {
  APPROVE_DELETION_ANNOTATION,
  formatHealWishes,
  formatRetirements,
  HEAL_ANNOTATION,
  parseApprovals,
  parseHealWishes,
  parseRetirements,
  PLAN_ANNOTATION,
  RECONCILE_ANNOTATION,
  RETIRE_ANNOTATION,
} from '@plumb/engine';
import type { ApiResource, KubeClient } from '@plumb/kube';
import { decodedApplication } from './applications.ts';
import type { CliContext } from './context.ts';
import { showSign, STATE_SIGNS } from './style.ts';

export interface Wishes {
  /** Tells this request from others: the time. */
  readonly request: string;
  /** Environment (`-` where there are none) and digest. */
  readonly approve?: readonly [environment: string, digest: string];
  /** The one plan that may be applied; without it any. */
  readonly plan?: { readonly environment: string; readonly digest: string; readonly release: number };
  /** By environment, `-` where there are none. */
  readonly retire?: ReadonlyMap<string, Retirement>;
  /** By environment, `-` where there are none. */
  readonly heal?: ReturnType<typeof parseHealWishes>;
  /** Whether a plan that is wished for stays the only one that may be applied. Default: no. */
  readonly keepsPlan?: boolean;
}

/**
 * What a person asks of the engine, as annotations on the Application. They are ours alone (manager `plumb-request`, which
 * owns nothing else), and an apply that leaves one out removes it: so all are in every one. With the uid it can never
 * create an application.
 */
export function requestOf({ apiVersion, kind, metadata }: Application, wishes: Wishes): KubeObject {
  const approvals = new Map(parseApprovals(metadata.annotations?.[APPROVE_DELETION_ANNOTATION] ?? ''));
  if (wishes.approve !== undefined) approvals.set(...wishes.approve);
  const approved = [...approvals].map(([environment, digest]) => `${environment}=${digest}`).join(',');
  const before = parseRetirements(metadata.annotations?.[RETIRE_ANNOTATION] ?? '');
  const retired = formatRetirements(new Map([...before, ...(wishes.retire ?? [])]));
  const healed = formatHealWishes(
    new Map([...parseHealWishes(metadata.annotations?.[HEAL_ANNOTATION] ?? ''), ...(wishes.heal ?? [])]),
  );
  const { name, namespace, uid } = metadata;
  const plan = planText(wishes) ?? (wishes.keepsPlan === true ? metadata.annotations?.[PLAN_ANNOTATION] : undefined);
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(uid === undefined ? {} : { uid }),
      annotations: {
        [RECONCILE_ANNOTATION]: wishes.request,
        ...(plan === undefined ? {} : { [PLAN_ANNOTATION]: plan }),
        ...(approved === '' ? {} : { [APPROVE_DELETION_ANNOTATION]: approved }),
        ...(retired === '' ? {} : { [RETIRE_ANNOTATION]: retired }),
        ...(healed === '' ? {} : { [HEAL_ANNOTATION]: healed }),
      },
    },
  };
}

function planText({ plan }: Wishes): string | undefined {
  return plan === undefined ? undefined : `${plan.environment || '-'}=${plan.digest}@${plan.release}`;
}

export interface Followed {
  readonly client: KubeClient;
  readonly resource: ApiResource;
  readonly application: Application;
  /** Whether what it says counts as an answer; it is waited further while any target has not ended. */
  readonly isOver: (application: Application) => boolean;
  /** Whether a target has come to an end; default: it neither waits for its first look nor moves. */
  readonly hasEnded?: (target: TargetStatus) => boolean;
  /** What else is in the way, for the message when the time is over. */
  readonly hindrance?: (application: Application) => Promise<string | undefined>;
  /** What it should come to, for the message when it has not: `healthy`. */
  readonly aim: string;
  /** Undefined follows all of them. */
  readonly environment: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
}

/** Watches the application until it has an answer and nothing moves any more. */
export async function follow(
  cli: CliContext,
  { client, resource, application, isOver, hasEnded = isAtRest, hindrance, aim, environment, timeout }: Followed,
): Promise<Application> {
  const { clock, signal } = cli.surroundings;
  const { name, namespace, uid } = application.metadata;
  const { promise, resolve, reject } = Promise.withResolvers<Application>();
  let last = application;
  // How it was before is no news.
  const told = new Map(targetsOf(application, environment).map((target) => [target.name, lineOf(name, target)]));
  const ending = new AbortController();
  await using _watch = client.reflect(resource, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
    signal,
    onChange(event) {
      if (event.type === 'failed')
        cli.note(`The cluster does not answer (${oneLine(event.error.message)}); still waiting.`);
      if (event.type === 'deleted') reject(new PlumbError('ApplicationMissing', `${name} was deleted`));
      if (event.type !== 'added' && event.type !== 'updated') return;
      if (event.object.metadata.uid !== uid) return reject(new PlumbError('Conflict', `${name} was made anew`));
      try {
        const now = decodedApplication(event.object);
        last = now;
        const targets = targetsOf(now, environment);
        for (const target of targets) narrate(cli, told, name, target);
        if (isOver(now) && targets.every(hasEnded)) resolve(now);
      } catch (thrown) {
        reject(thrown);
      }
    },
  });
  const deadline = clock.sleep(timeout, { signal: AbortSignal.any([signal, ending.signal]) }).then(async () => {
    const targets = targetsOf(last, environment);
    const open = targets.find((target) => !hasEnded(target)) ?? targets.find(({ state }) => state !== 'Healthy');
    const shown = open ?? targets[0];
    const said = shown === undefined ? 'nothing happened yet' : sinceLine(name, shown);
    const more = await hindrance?.(last);
    const text = [`${name} is not ${aim} after ${timeout / 1000} s: ${said}`, ...(more === undefined ? [] : [more])];
    throw new PlumbError('WaitTimeout', text.join('; '));
  });
  // Only whoever races hears of it.
  deadline.catch(() => {});
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    ending.abort();
  }
}

/** It neither moves nor waits for its first look; what waits for people moves only when they do. */
export function isAtRest({ state, pendingPlan }: TargetStatus): boolean {
  return state !== 'Syncing' && (state !== 'Pending' || pendingPlan !== undefined);
}

/** Whether the request has been carried out. */
export function hasHandled(request: string): Followed['isOver'] {
  return ({ status }) => status?.handledRequest === request;
}

/** How its targets are, those that nobody has looked at yet included; a spec that is refused as a whole is told as one. */
export function targetsOf({ status, spec }: Application, environment: string | undefined): readonly TargetStatus[] {
  const all = status?.environments ?? [];
  if (all.length > 0) {
    const known = new Set(all.map(({ name }) => name));
    const unseen = (spec.environments ?? []).flatMap(({ name }): readonly TargetStatus[] =>
      known.has(name) ? [] : [{ name, state: 'Pending', message: 'Not looked at yet.' }],
    );
    return [...all, ...unseen].filter(({ name }) => environment === undefined || name === environment);
  }
  // A spec that is refused as a whole has no targets.
  if (status?.state === undefined) return [];
  return [
    {
      name: spec.environments === undefined ? '' : (environment ?? ''),
      state: status.state,
      message: status.message ?? '',
    },
  ];
}

/** One line for each transition. */
function narrate(cli: CliContext, told: Map<string, string>, name: string, target: TargetStatus): void {
  const line = lineOf(name, target);
  if (told.get(target.name) === line) return;
  told.set(target.name, line);
  cli.note(`${showSign(cli.style, STATE_SIGNS[target.state])} ${line}`);
}

/** As `lineOf`, with the time since when it has been so. */
export function sinceLine(name: string, target: TargetStatus): string {
  const { since = '' } = target;
  const time = oneLine(since.replace('T', ' ').replace(/(?:\.\d+)?Z$/, ' UTC'));
  return `${lineOf(name, target)}${time === '' ? '' : ` (since ${time})`}`;
}

function lineOf(name: string, { name: environment, state, release = '', message = '' }: TargetStatus): string {
  return oneLine([name, environment, state, release, message].filter((word) => word !== '').join('  '));
}
