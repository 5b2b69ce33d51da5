import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngine, systemClock, systemRandom, type Engine, type EngineEvent, type EngineOptions } from '@plumb/engine';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { sharedCluster, type TestCluster } from '@plumb/test-support';
import { startGitServer, type GitServer } from '@plumb/test-support/git-server';

const API = '/apis/plumb.dev/v1alpha1';

/** A namespace of the shared cluster, a Git server and an engine that is limited to the namespace. */
export interface EngineFixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly git: GitServer;
  readonly namespace: string;
  readonly stateFolder: string;
  readonly events: readonly EngineEvent[];
  readonly engine: Engine;
  /** Stops the engine and starts it anew over the same state. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** Creates a Repository `shop` on the Git server's repository of that name and an Application on its folder. */
  application(name: string, spec?: Record<string, unknown>): Promise<void>;
  repository(name: string, spec: Record<string, unknown>): Promise<void>;
  /** Reads an object: `get('apps/v1', 'deployments', 'api')`; undefined where there is none. */
  get(apiVersion: string, plural: string, name: string): Promise<KubeLike | undefined>;
  /** Watches an Application until its status satisfies; fails with what it last said when the test's time is over. */
  until(name: string, satisfies: (application: KubeLike) => boolean): Promise<KubeLike>;
  /** Watches any object of the namespace until it satisfies; undefined means that it is gone. */
  untilObject(apiVersion: string, plural: string, name: string, satisfies: (object: KubeLike | undefined) => boolean): Promise<void>;
}

export interface KubeLike {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number; readonly resourceVersion: string; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string>; readonly managedFields?: readonly { manager: string; operation: string }[] };
  // Tests look at whatever field their promise is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly spec?: any;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly status?: any;
  readonly data?: Record<string, string>;
}

export type FixtureOptions = Partial<Pick<EngineOptions, 'listen' | 'identity'>> & { readonly prefix?: string };

export async function startFixture(options: FixtureOptions = {}): Promise<EngineFixture> {
  await using opening = new AsyncDisposableStack();
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace(options.prefix ?? 'e2e');
  const git = opening.use(await startGitServer());
  const stateFolder = await mkdtemp(join(tmpdir(), 'plumb-e2e-'));
  opening.defer(() => rm(stateFolder, { recursive: true, force: true }));
  const events: EngineEvent[] = [];
  const signal = new AbortController().signal;
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });

  let running: { engine: Engine; client: KubeClient } | undefined;
  const start = async (): Promise<void> => {
    const client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
    const engine = await startEngine({
      client,
      clock: systemClock,
      random: systemRandom,
      stateFolder: join(stateFolder, 'state'),
      cacheFolder: join(stateFolder, 'cache'),
      namespace,
      identity: options.identity ?? 'kubernetes-admin',
      holder: `test-${namespace}`,
      ...(options.listen === undefined ? {} : { listen: options.listen }),
      log: (event) => {
        events.push(event);
        if (process.env['PLUMB_TEST_LOG'] !== undefined) process.stderr.write(`${JSON.stringify(event)}\n`);
      },
      signal,
    });
    running = { engine, client };
  };
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = undefined;
    await stopping?.engine[Symbol.asyncDispose]();
    await stopping?.client[Symbol.asyncDispose]();
  };
  opening.defer(stop);
  await start();

  const path = (apiVersion: string, plural: string): string =>
    `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/${namespace}/${plural}`;
  const get: EngineFixture['get'] = async (apiVersion, plural, name) => {
    const answer = await cluster.request('GET', `${path(apiVersion, plural)}/${name}`);
    return answer.status === 404 ? undefined : (answer.body as KubeLike);
  };
  const untilObject: EngineFixture['untilObject'] = async (apiVersion, plural, name, satisfies) => {
    const client = running?.client ?? connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
    const slash = apiVersion.indexOf('/');
    const kinds = await cluster.request('GET', slash < 0 ? '/api/v1' : `/apis/${apiVersion}`);
    const kind = (kinds.body as { resources: { name: string; kind: string }[] }).resources.find((item) => item.name === plural)?.kind ?? '';
    const resource = await client.resource({ group: slash < 0 ? '' : apiVersion.slice(0, slash), kind }, { signal });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let last: unknown;
    const timer = setTimeout(() => reject(new Error(`${plural}/${name} is still ${JSON.stringify(last, null, 1)}`)), 60_000);
    const check = (object: KubeLike | undefined): void => {
      last = object?.status ?? object;
      if (satisfies(object)) resolve();
    };
    await using reflector = client.reflect(resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      signal,
      onChange(event) {
        if (event.type === 'added' || event.type === 'updated') check(event.object as unknown as KubeLike);
        else if (event.type === 'deleted') check(undefined);
        else if (event.type === 'synced' && reflector?.size === 0) check(undefined);
      },
    });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  };

  const closing = opening.move();
  return {
    cluster,
    git,
    namespace,
    stateFolder,
    events,
    get engine() {
      if (running === undefined) throw new Error('the engine is stopped');
      return running.engine;
    },
    async restart() {
      await stop();
      await start();
    },
    stop,
    get,
    untilObject,
    async repository(name, spec) {
      await create(cluster, `${API}/namespaces/${namespace}/repositories`, { kind: 'Repository', name, spec });
    },
    async application(name, spec = {}) {
      if ((await get('plumb.dev/v1alpha1', 'repositories', 'shop')) === undefined) {
        const url = git.url('shop');
        await create(cluster, `${API}/namespaces/${namespace}/repositories`, { kind: 'Repository', name: 'shop', spec: { url, interval: '1s' } });
      }
      await create(cluster, `${API}/namespaces/${namespace}/applications`, {
        kind: 'Application',
        name,
        spec: { source: { repository: 'shop', path: 'deploy' }, ...spec },
      });
    },
    async until(name, satisfies) {
      await untilObject('plumb.dev/v1alpha1', 'applications', name, (object) => object !== undefined && satisfies(object));
      const application = await get('plumb.dev/v1alpha1', 'applications', name);
      if (application === undefined) throw new Error(`${name} is gone`);
      return application;
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function create(cluster: TestCluster, path: string, { kind, name, spec }: { kind: string; name: string; spec: unknown }): Promise<void> {
  const body = { apiVersion: 'plumb.dev/v1alpha1', kind, metadata: { name }, spec };
  const answer = await cluster.request('POST', path, { body });
  if (answer.status !== 201) throw new Error(`POST ${path}: ${JSON.stringify(answer.body)}`);
}

export function isHealthy(application: KubeLike): boolean {
  return application.status?.state === 'Healthy';
}
