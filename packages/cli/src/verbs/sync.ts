import { APPLICATION, type Application, type TargetStatus } from '@plumb/api';
import { canonicalJson, ERROR_CODES, PlumbError, type ErrorCode, type KubeObject } from '@plumb/core';
import { APPROVE_DELETION_ANNOTATION, parseApprovals, RECONCILE_ANNOTATION } from '@plumb/engine';
import type { ApiResource, KubeClient } from '@plumb/kube';
import { checkEnvironment, decodedApplication, listObjects, plumbResource, selectOne } from '../applications.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, readEngineSign } from '../engine-lease.ts';
import type { EveryVerb } from '../flags.ts';
import { oneLine } from '../printable.ts';
import { throwAll } from '../report-error.ts';
import { showSign, STATE_SIGNS } from '../style.ts';

export interface SyncFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly noWait?: boolean | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly approveDeletion?: string | undefined;
}

/** `plumb sync`: asks the engine for a look at Git now, by an annotation on the Application, and watches what comes of it. */
export async function sync(this: CliContext, flags: SyncFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const object = selectOne(await listObjects(client, APPLICATION.kind, cluster, { signal }), name, cluster);
  const application = decodedApplication(object);
  checkEnvironment(application, flags.env);
  const { namespace } = application.metadata;
  const engine = await readEngineSign(client, { namespaces: [namespace], now: clock.now(), signal });
  if (!engine.isRunning) {
    throw new PlumbError('NotRunning', `No engine looks after this cluster: ${describeAbsence(engine, clock.now())}`, {
      fix: `Start it with: plumb up --context ${cluster.config.context}`,
    });
  }

  const request = new Date(clock.now()).toISOString();
  await client.apply(requestOf(application, request, flags), { manager: 'plumb-request', force: true, signal });
  if (flags.noWait === true) {
    this.note(`Asked for ${application.metadata.name}; see "plumb status".`);
    return;
  }
  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  const isOver = ({ status }: Application): boolean => status?.handledRequest === request;
  const ended = await waitFor(this, { client, resource, application, isOver, flags });
  conclude(this, ended, flags.env);
}

/**
 * Both annotations are ours alone (manager `plumb-request`, which owns nothing else), and an apply that leaves one out
 * removes it: so both are in every one. With the uid it can never create an application.
 */
function requestOf({ apiVersion, kind, metadata }: Application, request: string, flags: SyncFlags): KubeObject {
  const approvals = new Map(parseApprovals(metadata.annotations?.[APPROVE_DELETION_ANNOTATION] ?? ''));
  if (flags.approveDeletion !== undefined) approvals.set(flags.env ?? '-', flags.approveDeletion);
  const approved = [...approvals].map(([environment, digest]) => `${environment}=${digest}`).join(',');
  const { name, namespace, uid } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(uid === undefined ? {} : { uid }),
      annotations: {
        [RECONCILE_ANNOTATION]: request,
        ...(approved === '' ? {} : { [APPROVE_DELETION_ANNOTATION]: approved }),
      },
    },
  };
}

export interface Wait {
  readonly client: KubeClient;
  readonly resource: ApiResource;
  readonly application: Application;
  /** Whether what it says counts as an answer; it is waited further while any target still moves. */
  readonly isOver: (application: Application) => boolean;
  readonly flags: Pick<SyncFlags, 'env' | 'timeout'>;
}

/** Watches the application until it has an answer and nothing moves any more. */
export async function waitFor(
  cli: CliContext,
  { client, resource, application, isOver, flags }: Wait,
): Promise<Application> {
  const { clock, signal } = cli.surroundings;
  const { name, namespace, uid } = application.metadata;
  const { promise, resolve, reject } = Promise.withResolvers<Application>();
  // How it was before is no news.
  const told = new Map(targetsOf(application, flags.env).map((target) => [target.name, lineOf(name, target)]));
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
        const targets = targetsOf(now, flags.env);
        for (const target of targets) narrate(cli, told, name, target);
        if (isOver(now) && targets.every(({ state }) => state !== 'Syncing' && state !== 'Pending')) resolve(now);
      } catch (thrown) {
        reject(thrown);
      }
    },
  });
  const deadline = clock.sleep(flags.timeout, { signal: AbortSignal.any([signal, ending.signal]) }).then(() => {
    const last = [...told.values()].at(-1) ?? 'nothing happened yet';
    throw new PlumbError('WaitTimeout', `${name} is not healthy after ${flags.timeout / 1000} s: ${oneLine(last)}`);
  });
  // Only whoever races hears of it.
  deadline.catch(() => {});
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    ending.abort();
  }
}

function targetsOf({ status, spec }: Application, environment: string | undefined): readonly TargetStatus[] {
  const all = status?.environments ?? [];
  if (all.length > 0) return all.filter(({ name }) => environment === undefined || name === environment);
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

function lineOf(name: string, { name: environment, state, release = '', message = '' }: TargetStatus): string {
  return oneLine([name, environment, state, release, message].filter((word) => word !== '').join('  '));
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

function errorsOf(name: string, target: TargetStatus): readonly PlumbError[] {
  const { state, message, failures = [] } = target;
  if (state === 'Healthy') return [];
  const place = target.name === '' ? name : `${name} ${target.name}`;
  const blocked = failures.find(({ code }) => code === 'DeletionBlocked');
  if (blocked !== undefined) return [errorOf(blocked)];
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
