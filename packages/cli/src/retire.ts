import { APPLICATION, type Application } from '@plumb/api';
import { PlumbError, TRACKING_ANNOTATION, type Retirement } from '@plumb/core';
import { targetsOf, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { plumbResource } from './list-objects.ts';
import type { ChosenCluster } from './cluster.ts';
import type { CliContext } from './context.ts';
import { requireEngine } from './engine-lease.ts';
import { throwAll } from './report-error.ts';
import { follow, hasHandled, requestOf, targetsOf as statusesOf } from './request.ts';
import { showSign, STATE_SIGNS } from './style.ts';
import { errorsOf } from './verbs/sync.ts';

/** What is to end: targets of an application. */
export interface Retired {
  readonly application: Application;
  readonly specs: readonly TargetSpec[];
  /** Whether nothing of the application is left then. */
  readonly isWhole: boolean;
}

/** An application, or one environment of it. */
export function retiredOf(application: Application, environment: string | undefined): Retired {
  const all = targetsOf(application);
  const specs = all.filter((spec) => environment === undefined || spec.environment === environment);
  return { application, specs, isWhole: specs.length === all.length };
}

/** Where a target is named in an annotation. */
export function placeOf({ environment }: TargetSpec): string {
  return environment === '' ? '-' : environment;
}

export interface RetireRequest {
  readonly client: KubeClient;
  readonly cluster: ChosenCluster;
  readonly retired: Retired;
  readonly wishes: ReadonlyMap<string, Retirement>;
  readonly environment: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  /** `decommissioned: 3 objects deleted`. */
  readonly done: string;
}

/**
 * Has targets end and waits until the engine says that they have. An Application of which nothing is left is deleted, unless
 * another application keeps it: then Git would only bring it back.
 */
export async function retireTargets(cli: CliContext, request: RetireRequest): Promise<void> {
  const { client, cluster, retired, wishes, environment, timeout, done } = request;
  const { clock, signal } = cli.surroundings;
  const { application, isWhole } = retired;
  const { name, namespace, uid } = application.metadata;
  await requireEngine(client, namespace, cluster.config.context, { now: clock.now(), signal });
  const at = new Date(clock.now()).toISOString();
  const wish = requestOf(application, { request: at, retire: wishes });
  await client.apply(wish, { manager: 'plumb-request', force: true, signal });
  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  const ended = await follow(cli, {
    client,
    resource,
    application,
    isOver: hasHandled(at),
    aim: 'done',
    environment,
    timeout,
  });
  const open = statusesOf(ended, environment).filter(({ reason = '' }) => !ENDS.has(reason));
  if (open.length > 0) {
    throwAll(open.flatMap((target) => errorsOf(name, target)));
    return;
  }
  const what = environment === undefined ? name : `${name} ${environment}`;
  cli.show(`${showSign(cli.style, STATE_SIGNS.Healthy)} ${what} ${done}\n`);
  if (!isWhole) {
    cli.note(`Take ${environment} out of spec.environments to be rid of it.`);
    return;
  }
  const keeper = application.metadata.annotations?.[TRACKING_ANNOTATION]?.split(':')[0];
  if (keeper !== undefined) {
    cli.note(`The Application itself is kept by ${keeper}: remove it from Git.`);
    return;
  }
  const deletion = await client.delete(resource, { namespace, name }, { uid, signal });
  if (deletion === 'deleting') throw new PlumbError('Conflict', `The Application ${name} waits for a finalizer`);
  cli.show(`${showSign(cli.style, STATE_SIGNS.Healthy)} the Application ${name} is deleted\n`);
}

const ENDS: ReadonlySet<string> = new Set(['Decommissioned', 'Forgotten']);
