import { createHash } from 'node:crypto';
import { PlumbError } from '@plumb/core';
import { connect, loadKubeconfig, type ClusterConfig, type KubeClient } from '@plumb/kube';
import { systemRandom } from '@plumb/engine/clock';
import type { CliContext, Surroundings } from './context.ts';
import { stateFolder } from './folders.ts';
import { listRuns, type RunFile } from './run-file.ts';
import { VERSION } from './version.ts';

export interface ClusterFlags {
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
}

/** The cluster that a verb is about, and where an engine for it keeps its ledger on this machine. */
export interface ChosenCluster {
  readonly config: ClusterConfig;
  readonly stateFolder: string;
  /** Of the flag or `PLUMB_NAMESPACE`; undefined where nobody named one. */
  readonly namedNamespace: string | undefined;
  /** The named one, else that of the context. */
  readonly namespace: string;
}

/**
 * Which cluster: `--context`, then `PLUMB_CONTEXT`, then the file that `KUBECONFIG` names, then the cluster of the
 * engine that runs on this machine, then the usual kubeconfig. Nothing is sent yet.
 */
export async function chooseCluster(cli: CliContext, flags: ClusterFlags): Promise<ChosenCluster> {
  const { surroundings } = cli;
  const { env, home, signal } = surroundings;
  const runs = await listRuns(runFolder(surroundings));
  const context = flags.context ?? nonEmpty(env['PLUMB_CONTEXT']);
  const run = context === undefined && nonEmpty(env['KUBECONFIG']) === undefined ? runs[0] : undefined;
  const files = run?.kubeconfig === undefined ? env : { ...env, KUBECONFIG: run.kubeconfig };
  const config = await loadKubeconfig({ env: files, signal, context: run?.context ?? context }).catch(
    (thrown: unknown) => {
      if (context !== undefined || !(thrown instanceof PlumbError) || thrown.code !== 'KubeconfigMissing') throw thrown;
      throw new PlumbError('KubeconfigMissing', 'No engine runs on this machine, and no kubeconfig names a cluster', {
        fix: 'Start an engine with "plumb up", set KUBECONFIG, or pass --context.',
        cause: thrown,
      });
    },
  );
  if (run !== undefined && cli.isVerbose) cli.note(`Using the cluster of the engine that runs here: ${config.server}`);
  const namedNamespace = flags.namespace ?? nonEmpty(env['PLUMB_NAMESPACE']);
  return {
    config,
    stateFolder: stateFolderOf(config, runs) ?? stateFolder(env, home, 'clusters', clusterId(config)),
    namedNamespace,
    namespace: namedNamespace ?? config.namespace,
  };
}

export function openClient({ clock }: Surroundings, config: ClusterConfig): KubeClient {
  return connect(config, { clock, random: systemRandom, userAgent: `plumb/${VERSION}` });
}

/** The folder of the run files. */
export function runFolder({ env, home }: Pick<Surroundings, 'env' | 'home'>): string {
  return stateFolder(env, home, 'run');
}

/** Tells clusters apart on this machine. */
export function clusterId({ server, context }: { readonly server: string; readonly context: string }): string {
  return createHash('sha256').update(`${server} ${context}`).digest('hex').slice(0, 16);
}

/** An engine that serves this very cluster says itself where its ledger is. */
function stateFolderOf(config: ClusterConfig, runs: readonly RunFile[]): string | undefined {
  return runs.find(({ server }) => server === config.server)?.stateFolder;
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
