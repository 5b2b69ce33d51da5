import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { PlumbError, oneLine } from '@plumb/core';
import { keepMemorySmall, startEngine, type EngineEvent } from '@plumb/engine';
import { systemRandom } from '@plumb/engine/clock';
import { loadKubeconfig, type ClusterConfig } from '@plumb/kube';
import { clusterId, openClient, runFolder } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { cacheFolder, stateFolder } from '../folders.ts';
import { readEngineRules, type EngineRuleFlags } from '../health-rules.ts';
import { announceRun } from '../run-file.ts';
import { paint } from '../style.ts';

export interface UpFlags extends EveryVerb, EngineRuleFlags {
  readonly context?: string | undefined;
  readonly port: number;
  readonly namespace?: string | undefined;
  readonly data?: string | undefined;
  readonly stampEdits?: boolean | undefined;
  readonly auditToken?: string | undefined;
  readonly auditLog?: string | undefined;
  readonly compareEvery: number;
}

/** A list of every kind: not more often than a server bears, nor so rarely that a timer cannot hold it. */
const COMPARE_EVERY_MS = { least: 1_000, most: 7 * 24 * 3_600_000 };

/** `plumb up`: the engine here, in the foreground, until Ctrl-C. */
export async function up(this: CliContext, flags: UpFlags): Promise<void> {
  const { surroundings } = this;
  const { cwd, env, home, clock, signal } = surroundings;
  if (flags.compareEvery < COMPARE_EVERY_MS.least || flags.compareEvery > COMPARE_EVERY_MS.most) {
    throw new PlumbError('Usage', '--compare-every: must be from 1s to 168h');
  }
  keepMemorySmall();
  // First: rules that cannot be read must not cost the start of a cluster.
  const health = await readEngineRules(flags, cwd, clock);
  // Backwards: the engine ends before the cluster that it talks to.
  await using running = new AsyncDisposableStack();
  const cluster = await openCluster(this, flags, running);
  const client = running.use(openClient(surroundings, cluster.config));
  const { gitVersion } = await client.version({ signal });
  const engine = running.use(
    await startEngine({
      client,
      clock,
      random: systemRandom,
      stateFolder: cluster.stateFolder,
      cacheFolder: cacheFolder(env, home, 'git', cluster.id),
      namespace: flags.namespace,
      health,
      stampEdits: flags.stampEdits ?? env['PLUMB_STAMP_EDITS'] === '1',
      ...(flags.auditToken === undefined ? {} : { auditToken: await tokenIn(resolve(cwd, flags.auditToken)) }),
      ...(flags.auditLog === undefined ? {} : { auditLog: resolve(cwd, flags.auditLog) }),
      compareEveryMs: flags.compareEvery,
      listen: { host: '127.0.0.1', port: flags.port },
      identity: `${userInfo().username}@${hostname()} (context ${cluster.config.context})`,
      log: (event) => this.note(eventLine(this, event)),
      signal,
    }),
  );
  running.use(
    await announceRun(runFolder(surroundings), {
      pid: process.pid,
      url: engine.url,
      kubeconfig: cluster.kubeconfig ?? (env['KUBECONFIG'] || undefined),
      context: cluster.config.context,
      server: cluster.config.server,
      stateFolder: cluster.stateFolder,
      startedAt: new Date(clock.now()).toISOString(),
    }),
  );
  this.show(
    [
      `Plumb runs here against ${cluster.description}: ${cluster.config.server} (Kubernetes ${gitVersion}).`,
      `  applications  plumb status      (in another terminal)`,
      ...(cluster.kubeconfig === undefined ? [] : [`  kubectl       export KUBECONFIG=${cluster.kubeconfig}`]),
      ...(engine.url === undefined ? [] : [`  webhooks      ${engine.url}/hooks/NAMESPACE/REPOSITORY`]),
      `  records       ${cluster.stateFolder}`,
      'Ctrl-C stops everything cleanly.',
      '',
    ].join('\n'),
  );

  const ended = await Promise.race([aborted(signal), cluster.gone]);
  if (ended instanceof Error) throw ended;
  this.note('Stopping…');
}

interface UpCluster {
  readonly config: ClusterConfig;
  readonly id: string;
  readonly description: string;
  /** A kubeconfig of its own; undefined where the usual one is used. */
  readonly kubeconfig: string | undefined;
  readonly stateFolder: string;
  /** Resolves with an error when the cluster ended by itself. */
  readonly gone: Promise<Error | undefined>;
}

async function openCluster(cli: CliContext, flags: UpFlags, running: AsyncDisposableStack): Promise<UpCluster> {
  const { cwd, env, home, clock, signal } = cli.surroundings;
  const context = flags.context ?? (env['PLUMB_CONTEXT'] || undefined);
  if (context !== undefined) {
    const config = await loadKubeconfig({ env, context, signal });
    const id = clusterId(config);
    return {
      config,
      id,
      description: `context ${config.context}`,
      kubeconfig: undefined,
      stateFolder: stateFolder(env, home, 'clusters', id),
      gone: new Promise(() => {}),
    };
  }
  const dataDir = flags.data === undefined ? stateFolder(env, home, 'embedded') : resolve(cwd, flags.data);
  const { startCluster } = await import('@plumb/controlplane');
  cli.note('Starting the embedded cluster…');
  const cluster = running.use(
    await startCluster({ dataDir, clock, signal, environment: env, report: (line) => cli.note(line) }),
  );
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env, signal });
  // The port may be another one at the next start: the data tells embedded clusters apart.
  const id = clusterId({ server: dataDir, context: 'embedded' });
  return {
    config,
    id,
    description: 'an embedded cluster',
    kubeconfig: cluster.kubeconfig,
    stateFolder: stateFolder(env, home, 'clusters', id),
    gone: cluster.exited.then(() =>
      signal.aborted ? undefined : new PlumbError('ControlPlaneFailed', 'the embedded cluster ended'),
    ),
  };
}

/** Read at each delivery, so that a token can be changed. Errors: `Usage` where there is none at the start. */
async function tokenIn(path: string): Promise<() => Promise<string | undefined>> {
  const read = async (): Promise<string | undefined> => {
    const text = await readFile(path, 'utf8').catch(() => '');
    return text.trim() || undefined;
  };
  if ((await read()) === undefined) throw new PlumbError('Usage', `--audit-token: there is no token in ${path}`);
  return read;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => {
    if (signal.aborted) done(undefined);
    signal.addEventListener('abort', () => done(undefined), { once: true });
  });
}

/** `14:02:07  Healthy  shop/web/prod  release=r3`: the message is constant, so that it can be searched for. */
function eventLine({ style, surroundings, isVerbose }: CliContext, event: EngineEvent): string {
  const { level, message, target, stack, ...facts } = event;
  const time = new Date(surroundings.clock.now()).toISOString().slice(11, 19);
  const said = level === 'info' ? message : paint(style, level === 'warn' ? 'yellow' : 'red', message);
  const details = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([fact, value]) => `${fact}=${valueText(value)}`);
  const subject = typeof target === 'string' ? [target] : [];
  const trace = isVerbose && typeof stack === 'string' ? [`\n${stack}`] : [];
  return [paint(style, 'gray', time), said, ...subject, ...details, ...trace].join('  ');
}

function valueText(value: unknown): string {
  const text = oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
