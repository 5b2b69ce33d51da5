import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { realClock, sharedCluster, type TestCluster } from '@plumb/test-support';
import { startGitServer, type GitServer } from '@plumb/test-support/git-server';
import { clusterId } from '../src/cluster.ts';
import { stateFolder } from '../src/folders.ts';
import { runCaptured, type CapturedRun } from './run-captured.ts';

const signal = new AbortController().signal;
export const REPOSITORY = 'shop.git';

export interface World extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly namespace: string;
  readonly git: GitServer;
  readonly folder: string;
  plumb(...inputs: readonly string[]): Promise<CapturedRun>;
  stopEngine(): Promise<void>;
  /** After it was stopped. */
  startEngine(): Promise<void>;
}

/** A namespace of the shared cluster with an engine for it, and a repository with one application added by the verbs. */
export async function openWorld(files: Readonly<Record<string, string>>): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('cli');
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-cli-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const git = opening.use(await startGitServer());
  await git.create(REPOSITORY);
  await git.commit(REPOSITORY, files, 'First');

  const env = { KUBECONFIG: cluster.kubeconfig, PLUMB_NAMESPACE: namespace, LANG: 'C.UTF-8' };
  const config = await loadKubeconfig({ env, signal });
  const client = opening.use(connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' }));
  const start = () =>
    startEngine({
      client,
      clock: realClock,
      random: systemRandom,
      stateFolder: stateFolder(env, folder, 'clusters', clusterId(config)),
      cacheFolder: join(folder, 'git'),
      namespace,
      identity: 'test',
      log: () => {},
      signal,
    });
  let engine = await start();
  opening.defer(() => engine[Symbol.asyncDispose]());
  const plumb = (...inputs: readonly string[]): Promise<CapturedRun> =>
    runCaptured(inputs, { env, home: folder, cwd: folder });
  const added = [
    await plumb('repo', 'add', 'shop', '--url', git.url(REPOSITORY)),
    await plumb('app', 'add', 'shop', '--repo', 'shop', '--path', 'deploy'),
  ];
  assert.deepEqual(
    added.map(({ code, stderr }) => [code, stderr]),
    [
      [0, ''],
      [0, ''],
    ],
  );
  const open = opening.move();
  return {
    cluster,
    namespace,
    git,
    folder,
    plumb,
    stopEngine: async () => await engine[Symbol.asyncDispose](),
    startEngine: async () => {
      engine = await start();
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
