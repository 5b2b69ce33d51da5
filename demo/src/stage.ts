import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from '@plumb/controlplane';
import type { Clock } from '@plumb/core';
import { startEngine, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig, type ClusterConfig, type KubeClient } from '@plumb/kube';
import { openTestCluster, type TestCluster } from '@plumb/test-support';
import { startGitServer, type GitServer } from '@plumb/test-support/git-server';
import { EngineLog } from './engine-log.ts';
import { Webhook } from './webhook.ts';
import { WorkingCopy } from './working-copy.ts';

/** Everything that the story needs, running: a cluster, a Git host with the sample in it, and the engine. */
export interface Stage extends AsyncDisposable {
  readonly config: ClusterConfig;
  readonly kubeconfig: string;
  readonly kubernetesVersion: string;
  readonly clusterMs: number;
  readonly client: KubeClient;
  /** Plain calls to the API server by nothing of Plumb's: for what other people do to the cluster. */
  readonly api: TestCluster;
  readonly git: GitServer;
  readonly repositoryUrl: string;
  readonly copy: WorkingCopy;
  readonly firstCommit: string;
  readonly webhook: Webhook;
  readonly engineUrl: string;
  readonly log: EngineLog;
  readonly stateFolder: string;
}

export interface StageOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what takes long: a line for people. */
  readonly report: (line: string) => void;
}

const SAMPLE = fileURLToPath(new URL('../sample', import.meta.url));

/** Sets all of it up in a temporary folder; disposing stops everything and removes the folder. */
export async function openStage({ clock, signal, report }: StageOptions): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'plumb-demo-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));

  const startedAt = clock.monotonic();
  const cluster = opening.use(
    await startCluster({
      dataDir: join(folder, 'cluster'),
      signal,
      clock,
      report,
      // Those binaries run no Pod, and the story is about Pods that become ready.
      environment: { ...process.env, KUBEBUILDER_ASSETS: undefined },
    }),
  );
  const clusterMs = clock.monotonic() - startedAt;
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const client = opening.use(connect(config, { clock, random: systemRandom, userAgent: 'plumb-demo' }));
  const { gitVersion } = await client.version({ signal });

  const webhook = new Webhook();
  const git = opening.use(
    await startGitServer({
      onPush: (_repository, ref, commit) => {
        if (commit !== undefined) webhook.pushed(ref, commit);
      },
    }),
  );
  const repositoryUrl = await git.create('shop');
  const copy = await WorkingCopy.clone(repositoryUrl, join(folder, 'shop'));
  await cp(SAMPLE, copy.folder, { recursive: true });
  const firstCommit = await copy.commit('Add the shop');
  await copy.push();

  const log = new EngineLog();
  const stateFolder = join(folder, 'state');
  const engine = opening.use(
    await startEngine({
      client,
      clock,
      random: systemRandom,
      stateFolder,
      cacheFolder: join(folder, 'cache'),
      listen: { port: 0 },
      identity: "the demo's administrator",
      stampEdits: true,
      log: log.write,
      signal,
    }),
  );
  const engineUrl = engine.url ?? '';
  webhook.aim(`${engineUrl}/hooks/default/shop`);

  const closing = opening.move();
  return {
    config,
    kubeconfig: cluster.kubeconfig,
    kubernetesVersion: gitVersion,
    clusterMs,
    client,
    api: await openTestCluster(cluster.kubeconfig),
    git,
    repositoryUrl,
    copy,
    firstCommit,
    webhook,
    engineUrl,
    log,
    stateFolder,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
