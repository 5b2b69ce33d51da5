import { APPLICATION, type Application, type TargetStatus } from '@plumb/api';
import { canonicalJson, ERROR_CODES, PlumbError, type ErrorCode } from '@plumb/core';
import { plumbResource } from '../list-objects.ts';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { requireEngine } from '../engine-lease.ts';
import type { EveryVerb } from '../flags.ts';
import { provenPlan } from '../proven-plan.ts';
import { follow, hasHandled, requestOf, targetsOf } from '../request.ts';
import { throwAll } from '../report-error.ts';
import { showSign, STATE_SIGNS } from '../style.ts';

export interface SyncFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly noWait?: boolean | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly approveDeletion?: string | undefined;
  readonly plan?: string | undefined;
}

/** `plumb sync`: asks the engine for a look at Git now, by an annotation on the Application, and watches what comes of it. */
export async function sync(this: CliContext, flags: SyncFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  await requireEngine(client, application.metadata.namespace, cluster.config.context, { now: clock.now(), signal });

  const { plan: id, env } = flags;
  const proven = id === undefined ? undefined : await provenPlan(this, chosen, { id, env });
  const plan =
    proven === undefined
      ? {}
      : { plan: { ...proven, digest: proven.compared.digest, environment: proven.environment } };
  const request = new Date(clock.now()).toISOString();
  const approve =
    flags.approveDeletion === undefined ? {} : { approve: [flags.env ?? '-', flags.approveDeletion] as const };
  await client.apply(requestOf(application, { request, ...approve, ...plan }), {
    manager: 'plumb-request',
    force: true,
    signal,
  });
  if (flags.noWait === true) {
    this.note(`Asked for ${application.metadata.name}; see "plumb status".`);
    return;
  }
  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  const ended = await follow(this, {
    client,
    resource,
    application,
    isOver: hasHandled(request),
    aim: 'healthy',
    environment: flags.env,
    timeout: flags.timeout,
  });
  conclude(this, ended, flags.env);
}

/** Says what became of it; anything but health is an error. */
export function conclude(cli: CliContext, application: Application, environment: string | undefined): void {
  const { name } = application.metadata;
  const targets = targetsOf(application, environment);
  const errors = foldErrors(targets.map((target) => ({ environment: target.name, errors: errorsOf(name, target) })));
  for (const { name: env, release = '', revision = '' } of targets.filter(({ state }) => state === 'Healthy')) {
    const words = [name, env, 'healthy', release && `at ${release}`, revision && `(${revision.slice(0, 7)})`];
    cli.show(`${showSign(cli.style, STATE_SIGNS.Healthy)} ${words.filter((word) => word !== '').join(' ')}\n`);
  }
  if (errors.length > 0) throwAll(errors);
}

/** What went wrong in several environments in the same way is told once, with their names. */
function foldErrors(
  told: readonly { readonly environment: string; readonly errors: readonly PlumbError[] }[],
): readonly PlumbError[] {
  const same = new Map<string, { readonly error: PlumbError; readonly environments: string[] }>();
  for (const { environment, errors } of told) {
    for (const error of errors) {
      const key = canonicalJson(error.toRecord());
      const known = same.get(key) ?? { error, environments: [] };
      same.set(key, known);
      known.environments.push(environment);
    }
  }
  return [...same.values()].map(({ error, environments }) => {
    if (environments.length < 2) return error;
    const { code, message, where, subject, fix } = error;
    return new PlumbError(code, `${environments.join(', ')}: ${message}`, { where, subject, fix });
  });
}

/** What says itself what has to be done, and by whom. */
const WANTS_A_PERSON: ReadonlySet<string> = new Set(['DeletionBlocked', 'ApprovalMissing', 'PlanVoid']);

export function errorsOf(name: string, target: TargetStatus): readonly PlumbError[] {
  const { state, message, failures = [] } = target;
  if (state === 'Healthy') return [];
  const place = target.name === '' ? name : `${name} ${target.name}`;
  const blocked = failures.find(({ code }) => WANTS_A_PERSON.has(code));
  if (blocked !== undefined) return [errorOf(blocked)];
  const denied = failures.filter(({ code }) => code === 'PolicyDenied');
  if (denied.length > 0) return denied.map((failure) => errorOf(failure));
  if (state === 'Suspended') {
    return [new PlumbError('Unhealthy', `${place} is suspended`, { fix: 'Remove spec.suspend to resume it.' })];
  }
  // The sync did not work: that is the answer, whatever the cause was.
  const cause = failures.map((failure) => errorOf(failure, 'Unhealthy'));
  return cause.length > 0
    ? cause
    : [new PlumbError('Unhealthy', `${place} is ${state.toLowerCase()}: ${message ?? ''}`)];
}

/** A failure of a status as an error again. */
function errorOf(failure: NonNullable<TargetStatus['failures']>[number], as?: ErrorCode): PlumbError {
  const { code, message, fix, file, line, object } = failure;
  const known = Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : 'Unhealthy';
  return new PlumbError(as ?? known, as === undefined || as === known ? message : `${message} (${code})`, {
    ...(file === undefined ? {} : { where: { file, ...(line === undefined ? {} : { line }) } }),
    subject: object,
    fix: fix ?? ERROR_CODES[known].fix,
  });
}
