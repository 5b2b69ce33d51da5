import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  install,
  RECONCILE_ANNOTATION,
  startEngine,
  systemClock,
  systemRandom,
  type Engine,
  type EngineEvent,
  type EngineOptions,
} from '@plumb/engine';
import { connect, loadKubeconfig, type KubeClient, type ReflectEvent, type Reflector } from '@plumb/kube';
import type { KubeObject } from '@plumb/core';
import { sharedCluster, type TestCluster } from '@plumb/test-support';
import { startGitServer, type GitServer } from '@plumb/test-support/git-server';
import { clientWith } from './client-with.ts';

const PLUMB = 'plumb.dev/v1alpha1';

/** A namespace of the shared cluster, a Git server and an engine that is limited to the namespace. */
export interface EngineFixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly git: GitServer;
  readonly namespace: string;
  readonly stateFolder: string;
  readonly events: readonly EngineEvent[];
  /** Every write that the engine has sent, its own kinds' included, in order. */
  readonly writes: readonly SentWrite[];
  readonly engine: Engine;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the engine and starts it anew over the same state. */
  restart(): Promise<void>;
  /** Creates a Repository `shop` on the Git server's repository of that name and an Application on its folder. */
  application(name: string, spec?: Record<string, unknown>): Promise<void>;
  repository(name: string, spec: Record<string, unknown>): Promise<void>;
  /** Reads an object: `get('apps/v1', 'deployments', 'api')`; undefined where there is none. */
  get(apiVersion: string, plural: string, name: string): Promise<KubeLike | undefined>;
  list(apiVersion: string, plural: string): Promise<readonly KubeLike[]>;
  create(apiVersion: string, plural: string, object: object): Promise<KubeLike>;
  /** Edits an object as a person would, with a merge patch under a field manager (default `kubectl-edit`). */
  edit(apiVersion: string, plural: string, name: string, patch: object, manager?: string): Promise<KubeLike>;
  remove(apiVersion: string, plural: string, name: string): Promise<void>;
  /** Asks for a sync, as `plumb sync` does, and waits until it was carried out. */
  sync(name: string): Promise<KubeLike>;
  /** Waits until the engine has said something. */
  untilEvent(satisfies: (event: EngineEvent) => boolean): Promise<EngineEvent>;
  /** Watches an Application until its status satisfies; fails with what it last said when the test's time is over. */
  until(name: string, satisfies: (application: KubeLike) => boolean): Promise<KubeLike>;
  /** Watches all objects of a kind in the namespace until they satisfy; answers what it saw then. */
  untilAll(
    apiVersion: string,
    plural: string,
    satisfies: (objects: readonly KubeLike[]) => boolean,
  ): Promise<readonly KubeLike[]>;
  /** Watches any object of the namespace until it satisfies; undefined means that it is gone. */
  untilObject(
    apiVersion: string,
    plural: string,
    name: string,
    satisfies: (object: KubeLike | undefined) => boolean,
  ): Promise<void>;
}

interface SentWrite {
  readonly verb: 'apply' | 'status' | 'delete' | 'disown';
  /** `ConfigMap/one`. */
  readonly object: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
}

export interface KubeLike {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
    readonly managedFields?: readonly { manager: string; operation: string }[];
  };
  // Tests look at whatever field their promise is about.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly spec?: any;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly status?: any;
  readonly data?: Record<string, string>;
}

export type FixtureOptions = Partial<
  Pick<EngineOptions, 'clock' | 'listen' | 'identity' | 'health' | 'stampEdits' | 'compareEveryMs'>
> & {
  readonly prefix?: string;
  /** Default: the one that all tests share. */
  readonly cluster?: TestCluster;
  /** Whether the engine hears of a commit at once, as by a webhook; default true. Else it has to look for itself. */
  readonly webhook?: boolean;
  /** Of the Repository that `application` makes; default an hour. */
  readonly interval?: string;
  /** Where the engine reaches the cluster; default at the cluster itself. What the test asks goes there in any case. */
  readonly through?: { readonly url: string; readonly ca: string };
  /** Whether the engine is started; default true. */
  readonly start?: boolean;
};

const WAIT_MS = 20_000;

/** Gives everything back when the set-up of a test fails. */
export async function startFixture(
  options: FixtureOptions = {},
  setUp: (plumb: EngineFixture) => Promise<void> = async () => undefined,
): Promise<EngineFixture> {
  await using opening = new AsyncDisposableStack();
  const cluster = options.cluster ?? (await sharedCluster());
  const namespace = await cluster.namespace(options.prefix ?? 'e2e');
  let running: { engine: Engine; client: KubeClient } | undefined;
  const git = opening.use(
    await startGitServer({
      onPush: (repository) => {
        if (options.webhook !== false) running?.engine.trigger(`${namespace}/${repository}`);
      },
    }),
  );
  const stateFolder = await mkdtemp(join(tmpdir(), 'plumb-e2e-'));
  opening.defer(() => rm(stateFolder, { recursive: true, force: true }));
  const events: EngineEvent[] = [];
  const writes: SentWrite[] = [];
  const signal = new AbortController().signal;
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });

  const listeners = new Set<(event: EngineEvent) => void>();
  const start = async (): Promise<void> => {
    const { clock = systemClock, through } = options;
    await using starting = new AsyncDisposableStack();
    const reached = through === undefined ? config : { ...config, server: through.url, ca: through.ca };
    const client = starting.use(connect(reached, { clock, random: systemRandom, userAgent: 'plumb-test' }));
    const engine = await startEngine({
      client: recordWrites(client, writes),
      clock,
      random: systemRandom,
      stateFolder: join(stateFolder, 'state'),
      cacheFolder: join(stateFolder, 'cache'),
      namespace,
      identity: options.identity ?? 'kubernetes-admin',
      holder: `test-${namespace}`,
      ...(options.listen === undefined ? {} : { listen: options.listen }),
      ...(options.health === undefined ? {} : { health: options.health }),
      stampEdits: options.stampEdits,
      compareEveryMs: options.compareEveryMs,
      log: (event) => {
        events.push(event);
        for (const listener of listeners) listener(event);
        if (process.env['PLUMB_TEST_LOG'] !== undefined) process.stderr.write(`${JSON.stringify(event)}\n`);
      },
      signal,
    });
    starting.move();
    running = { engine, client };
  };
  const stop = async (): Promise<void> => {
    const stopping = running;
    running = undefined;
    await stopping?.engine[Symbol.asyncDispose]();
    await stopping?.client[Symbol.asyncDispose]();
  };
  opening.defer(stop);
  if (options.start === false) {
    await using client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
    await install(client, { clock: systemClock, signal });
  } else await start();

  const path = (apiVersion: string, plural: string): string =>
    `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/${namespace}/${plural}`;
  const get: EngineFixture['get'] = async (apiVersion, plural, name) => {
    const answer = await cluster.request('GET', `${path(apiVersion, plural)}/${name}`);
    return answer.status === 404 ? undefined : (answer.body as KubeLike);
  };
  /** Reflects a kind, as far as the selector goes, until `isOver` says so at an event. */
  const follow = async (
    [apiVersion, plural]: readonly [string, string],
    fieldSelector: string | undefined,
    isOver: (event: ReflectEvent, reflector: Reflector) => boolean,
    describe: () => unknown,
  ): Promise<void> => {
    const client =
      (options.through === undefined ? running?.client : undefined) ??
      connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-test' });
    const slash = apiVersion.indexOf('/');
    const kinds = await cluster.request('GET', slash < 0 ? '/api/v1' : `/apis/${apiVersion}`);
    const kind =
      (kinds.body as { resources: { name: string; kind: string }[] }).resources.find((item) => item.name === plural)
        ?.kind ?? '';
    const resource = await client.resource({ group: slash < 0 ? '' : apiVersion.slice(0, slash), kind }, { signal });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => reject(new Error(`${plural}: still ${JSON.stringify(describe(), null, 1)}`)),
      WAIT_MS,
    );
    await using reflector: Reflector = client.reflect(resource, {
      namespace,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      signal,
      onChange(event) {
        if (isOver(event, reflector)) resolve();
      },
    });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  };
  const untilObject: EngineFixture['untilObject'] = async (apiVersion, plural, name, satisfies) => {
    let last: KubeLike | undefined;
    await follow(
      [apiVersion, plural],
      `metadata.name=${name}`,
      (event, reflector) => {
        if (event.type === 'failed' || (event.type === 'synced' && reflector.size > 0)) return false;
        last = event.type === 'added' || event.type === 'updated' ? asLike(event.object) : undefined;
        return satisfies(last);
      },
      () => last?.status ?? last,
    );
  };
  const untilAll: EngineFixture['untilAll'] = async (apiVersion, plural, satisfies) => {
    let found: readonly KubeLike[] | undefined;
    let last: readonly KubeLike[] = [];
    await follow(
      [apiVersion, plural],
      undefined,
      (_event, reflector) => {
        if (!reflector.synced) return false;
        last = [...reflector.values()].map(asLike);
        if (satisfies(last)) found ??= last;
        return found !== undefined;
      },
      () => last.map(({ metadata, status }) => [metadata.name, status?.state]),
    );
    return found ?? [];
  };

  const expect = async (status: number, method: string, url: string, body?: object, contentType?: string) => {
    const answer = await cluster.request(method, url, {
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
    });
    if (answer.status !== status) throw new Error(`${method} ${url}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as KubeLike;
  };
  const edit: EngineFixture['edit'] = (apiVersion, plural, name, patch, manager = 'kubectl-edit') =>
    expect(
      200,
      'PATCH',
      `${path(apiVersion, plural)}/${name}?fieldManager=${manager}`,
      patch,
      'application/merge-patch+json',
    );
  const until: EngineFixture['until'] = async (name, satisfies) => {
    let found: KubeLike | undefined;
    await untilObject(PLUMB, 'applications', name, (object) => {
      if (object === undefined || !satisfies(object)) return false;
      found ??= object;
      return true;
    });
    if (found === undefined) throw new Error(`${name} is gone`);
    return found;
  };
  let requests = 0;

  // Until the set-up has succeeded, what was opened belongs to this function.
  const closing = new AsyncDisposableStack();
  const fixture: EngineFixture = {
    cluster,
    git,
    namespace,
    stateFolder,
    events,
    writes,
    get engine() {
      if (running === undefined) throw new Error('the engine is stopped');
      return running.engine;
    },
    start,
    async restart() {
      await stop();
      await start();
    },
    stop,
    get,
    untilObject,
    untilAll,
    edit,
    until,
    async list(apiVersion, plural) {
      const answer = await cluster.request('GET', path(apiVersion, plural));
      return (answer.body as { items: readonly KubeLike[] }).items;
    },
    create: (apiVersion, plural, object) => expect(201, 'POST', path(apiVersion, plural), object),
    async remove(apiVersion, plural, name) {
      await expect(200, 'DELETE', `${path(apiVersion, plural)}/${name}`);
    },
    async sync(name) {
      const request = `request-${(requests += 1)}`;
      await edit(PLUMB, 'applications', name, { metadata: { annotations: { [RECONCILE_ANNOTATION]: request } } });
      return await until(name, (application) => application.status?.handledRequest === request);
    },
    async untilEvent(satisfies) {
      const { promise, resolve, reject } = Promise.withResolvers<EngineEvent>();
      const timer = setTimeout(() => reject(new Error(`not said: ${JSON.stringify(events.slice(-20))}`)), WAIT_MS);
      const listener = (event: EngineEvent): void => {
        if (satisfies(event)) resolve(event);
      };
      listeners.add(listener);
      events.forEach(listener);
      try {
        return await promise;
      } finally {
        listeners.delete(listener);
        clearTimeout(timer);
      }
    },
    async repository(name, spec) {
      const body = { apiVersion: PLUMB, kind: 'Repository', metadata: { name }, spec };
      await expect(201, 'POST', path(PLUMB, 'repositories'), body);
    },
    async application(name, spec = {}) {
      if ((await get(PLUMB, 'repositories', 'shop')) === undefined) {
        const repository = { url: git.url('shop'), interval: options.interval ?? '1h' };
        const body = { apiVersion: PLUMB, kind: 'Repository', metadata: { name: 'shop' }, spec: repository };
        await expect(201, 'POST', path(PLUMB, 'repositories'), body);
      }
      const whole = { source: { repository: 'shop', path: 'deploy' }, ...spec };
      const body = { apiVersion: PLUMB, kind: 'Application', metadata: { name }, spec: whole };
      await expect(201, 'POST', path(PLUMB, 'applications'), body);
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
  await setUp(fixture);
  closing.use(opening.move());
  return fixture;
}

/** Tests look at any field, so objects are read without types. */
function asLike(object: KubeObject): KubeLike {
  return object as unknown as KubeLike;
}

/** The client, with a note of each write before it is sent. */
function recordWrites(client: KubeClient, writes: SentWrite[]): KubeClient {
  return clientWith(client, {
    apply(object, options) {
      const { name, annotations = {}, uid, resourceVersion } = object.metadata;
      const verb = options.subresource === 'status' ? 'status' : 'apply';
      const write = { verb, object: `${object.kind}/${name}`, annotations, uid, resourceVersion } as const;
      // What the engine installs of itself at every start is no write of an application.
      const isOwn = object.metadata.labels?.['app.kubernetes.io/part-of'] === 'plumb';
      if (options.dryRun !== true && !isOwn) writes.push(write);
      return client.apply(object, options);
    },
    disown(resource, live, options) {
      const { name, uid, resourceVersion } = live.metadata;
      writes.push({ verb: 'disown', object: `${resource.kind}/${name}`, annotations: {}, uid, resourceVersion });
      return client.disown(resource, live, options);
    },
    delete(resource, ref, options) {
      const { uid, resourceVersion } = options;
      const object = `${resource.kind}/${ref.name}`;
      if (options.dryRun !== true) writes.push({ verb: 'delete', object, annotations: {}, uid, resourceVersion });
      return client.delete(resource, ref, options);
    },
  });
}

export function isHealthy(application: KubeLike): boolean {
  return application.status?.state === 'Healthy';
}

/** Healthy at a commit. */
export function isHealthyAt(revision: string): (application: KubeLike) => boolean {
  return (application) => isHealthy(application) && application.status?.revision === revision;
}

/** Whether any of its targets fails with the code. */
export function hasFailed(code: string): (application: KubeLike) => boolean {
  return (application) => failureOf(application, code) !== undefined;
}

export interface FailureLike {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
  readonly file?: string;
  readonly line?: number;
  readonly object?: string;
}

export function failureOf(application: KubeLike, code?: string): FailureLike | undefined {
  const environments = (application.status?.environments ?? []) as { failures?: FailureLike[] }[];
  return environments
    .flatMap(({ failures = [] }) => failures)
    .find((failure) => code === undefined || failure.code === code);
}

export function conditionOf(object: KubeLike | undefined, type: string): ConditionLike | undefined {
  const conditions = (object?.status?.conditions ?? []) as ConditionLike[];
  return conditions.find((condition) => condition.type === type);
}

export interface ConditionLike {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}
