import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startCluster, type Cluster } from '@plumb/controlplane';
import { install, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { openApi, type Api, type WatchEvent } from './api.ts';
import { countRequests, isOfStart, requestsBetween, totalOf, type RequestCounts } from './api-requests.ts';
import type { EngineStart } from './engine-process.ts';
import { sumOf } from './exposition.ts';
import { applicationOf, deploymentFileOf, filesOf, nameOf, NAMESPACE, REPOSITORY } from './fleet.ts';
import type { FloorFigures } from './floor-process.ts';
import { startPart } from './ipc.ts';
import { selfTimes, type Profile } from './profile.ts';
import { resetPeak, usageOf, type Usage } from './process-usage.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';

const GOAL_COUNT = 1_000;
/** The smaller fleet that a commit to one application must cost the same in. */
const SMALL_COUNT = 100;
const ONE_ROUNDS = 10;
const IDLE_SECONDS = 300;
const SHORT_IDLE_SECONDS = 60;
/** A look at the repository is over by then: what is pushed now has to wait for the next one. */
const LOOK_MS = 300;
/** What takes longer is stuck, and no measurement. */
const PATIENCE_MS = 180_000;
/** An environment variable: leave the folder with the logs where it is, and say where. */
const KEEP = 'PLUMB_BENCH_KEEP';
const API = '/apis/plumb.dev/v1alpha1';
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;

export const apps: Bench = {
  name: 'apps',
  summary: `Applications of four objects each from one repository, from first to last: --count N, default ${GOAL_COUNT}`,
  run: runApps,
};

/** What one phase took. `requests` leaves out watches and leases. */
export interface PhaseFigures {
  readonly seconds: number;
  /** The same writes by a bare loop. */
  readonly floorSeconds: number;
  readonly requests: number;
  readonly requestsByVerb: Readonly<Record<string, number>>;
  readonly engineCpuSeconds: number;
  readonly peakRssMiB: number;
  readonly readMiB: number;
  readonly writtenMiB: number;
}

export interface AppsFigures {
  readonly count: number;
  /** `settledSeconds`: until the controllers have rolled out every Deployment, without which no application is Ready. */
  readonly floor: {
    readonly create: FloorFigures & { readonly settledSeconds: number };
    readonly changeAll: FloorFigures & { readonly settledSeconds: number };
  };
  /** `requests` without the few that an engine makes when it starts, which `requestsByVerb` shows. */
  readonly create: PhaseFigures & { readonly startSeconds: number };
  readonly changeAll: PhaseFigures;
  /** The mean of several commits; `seconds` is the median, `slowestSeconds` the worst. */
  readonly changeOne: PhaseFigures & { readonly slowestSeconds: number };
  /** The same for a smaller fleet. */
  readonly changeOneSmall?: PhaseFigures & { readonly slowestSeconds: number };
  /** Pushed right after a look at the repository: the longest that a commit can wait for the next one. */
  readonly changeOnePoll: PhaseFigures;
  readonly changeNone: PhaseFigures;
  readonly idle: PhaseFigures;
}

async function runApps(options: BenchOptions): Promise<Measured> {
  const count = options.count ?? GOAL_COUNT;
  const small = count > SMALL_COUNT ? await measureSmall(options) : undefined;
  options.say(`${count} applications: the floor`);
  const floor = await measureFloor(count);
  for (const [phase, { seconds, settledSeconds }] of Object.entries({
    create: floor.create,
    'change all': floor.changeAll,
  }))
    options.say(`  ${phase} ${rounded(seconds)} s, rolled out after ${rounded(settledSeconds)} s`);
  const measured = await measureEngine(count, floor, options);
  const figures: AppsFigures = { ...measured, ...(small === undefined ? {} : { changeOneSmall: small }) };
  return {
    name: count === GOAL_COUNT ? 'apps' : `apps-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf(figures: AppsFigures): readonly Goal[] {
  const { count, create, changeAll, changeOne, changeOneSmall, changeOnePoll, changeNone, idle } = figures;
  const peakRssMiB = Math.max(
    ...[create, changeAll, changeOne, changeOnePoll, changeNone, idle].map((phase) => phase.peakRssMiB),
  );
  const small = `change one, at ${SMALL_COUNT}`;
  return [
    goal('create: engine ÷ floor', 1.3, create.seconds / create.floorSeconds, '×'),
    goal('create: requests an application', 6, create.requests / count, 'requests'),
    goal('create: CPU an application', 0.015, create.engineCpuSeconds / count, 's'),
    goal('change one: to live with a trigger', 0.5, changeOne.seconds, 's'),
    goal('change one: to live by poll alone', 15, changeOnePoll.seconds, 's'),
    goal('change one: requests', 4, changeOne.requests, 'requests'),
    goal('change one: CPU', 0.1, changeOne.engineCpuSeconds, 's'),
    ...(changeOneSmall === undefined
      ? []
      : [
          goal(`${small}: to live with a trigger`, 0.5, changeOneSmall.seconds, 's'),
          goal(`${small}: requests`, 4, changeOneSmall.requests, 'requests'),
          goal(`${small}: CPU`, 0.1, changeOneSmall.engineCpuSeconds, 's'),
        ]),
    goal('change all: requests an application', 3, changeAll.requests / count, 'requests'),
    goal('change all: CPU an application', 0.01, changeAll.engineCpuSeconds / count, 's'),
    goal('change none: requests', 0, changeNone.requests, 'requests'),
    goal('idle: requests', 0, idle.requests, 'requests'),
    goal('idle: CPU in five minutes', 0.5, idle.engineCpuSeconds * (IDLE_SECONDS / idle.seconds), 's'),
    goal('memory: peak', 250, peakRssMiB, 'MiB'),
  ];
}

interface Floor extends Readonly<AppsFigures['floor']> {
  /** The median. */
  readonly changeOneSeconds: number;
}

/** On a cluster of its own: a cluster is slower the more it holds. */
async function measureFloor(count: number): Promise<Floor> {
  await using place = await openPlace();
  await using loop = await startPart('./floor-process.ts', { logFile: place.logFile('floor') });
  await using api = await openApi(place.cluster.kubeconfig, 1);
  await loop.ask('connect', place.cluster.kubeconfig);
  let awaited = 0;
  const settled = new Set<string>();
  let onSettled = (): void => {};
  using _watch = await api.watch(DEPLOYMENTS, ({ object }) => {
    const { metadata, status } = object as {
      metadata: { name: string; generation: number };
      status?: { observedGeneration?: number; conditions?: readonly { type: string; reason: string }[] };
    };
    const isRolledOut = status?.conditions?.some(
      ({ type, reason }) => type === 'Progressing' && reason === 'NewReplicaSetAvailable',
    );
    if (isRolledOut === true && metadata.generation === awaited && status?.observedGeneration === awaited) {
      settled.add(metadata.name);
    }
    if (settled.size === count) onSettled();
  });
  const measured = async (request: 'create' | 'changeAll', generation: number): Promise<Floor['create']> => {
    awaited = generation;
    settled.clear();
    const all = new Promise<void>((resolve) => (onSettled = resolve));
    const startedAt = performance.now();
    const figures = (await loop.ask(request, count)) as FloorFigures;
    await all;
    return { ...figures, settledSeconds: (performance.now() - startedAt) / 1_000 };
  };
  const create = await measured('create', 1);
  const changeAll = await measured('changeAll', 2);
  const ones = (await loop.ask('changeOne', Math.min(ONE_ROUNDS, count))) as readonly number[];
  return { create, changeAll, changeOneSeconds: median(ones) };
}

async function measureSmall(options: BenchOptions): Promise<AppsFigures['changeOne']> {
  options.say(`${SMALL_COUNT} applications: a commit to one`);
  await using fleet = await openFleet(SMALL_COUNT, options);
  await fleet.create();
  return await fleet.changeOne(0);
}

async function measureEngine(
  count: number,
  floor: Floor,
  options: BenchOptions,
): Promise<Omit<AppsFigures, 'changeOneSmall'>> {
  const { say } = options;
  say(`${count} applications: the engine`);
  await using fleet = await openFleet(count, options);
  const create = { ...(await fleet.create()), floorSeconds: floor.create.seconds };
  say(`  create ${line(create)}`);
  const changeAll = { ...(await fleet.changeAll()), floorSeconds: floor.changeAll.seconds };
  say(`  change all ${line(changeAll)}`);
  const changeOne = await fleet.changeOne(floor.changeOneSeconds);
  say(`  change one ${line(changeOne)}`);
  const changeNone = await fleet.changeNone();
  say(`  change none ${line(changeNone)}`);
  const changeOnePoll = { ...(await fleet.changeOnePoll()), floorSeconds: floor.changeOneSeconds };
  say(`  change one by poll ${line(changeOnePoll)}`);
  const idle = await fleet.idle(options.short ? SHORT_IDLE_SECONDS : IDLE_SECONDS);
  say(`  idle ${line(idle)}`);
  return {
    count,
    floor: { create: floor.create, changeAll: floor.changeAll },
    create,
    changeAll,
    changeOne,
    changeOnePoll,
    changeNone,
    idle,
  };
}

interface Fleet extends AsyncDisposable {
  create(): Promise<AppsFigures['create']>;
  changeAll(): Promise<PhaseFigures>;
  changeOne(floorSeconds: number): Promise<AppsFigures['changeOne']>;
  changeOnePoll(): Promise<PhaseFigures>;
  changeNone(): Promise<PhaseFigures>;
  idle(seconds: number): Promise<PhaseFigures>;
}

/** A fresh cluster with the applications, their repository, and an engine that has not started yet. */
async function openFleet(count: number, options: BenchOptions): Promise<Fleet> {
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await openPlace());
  const { kubeconfig } = place.cluster;
  const api = opening.use(await openApi(kubeconfig, 16));
  const git = opening.use(await startPart('./git-process.ts', { logFile: place.logFile('git') }));
  const secret = randomBytes(24).toString('hex');
  const indices = Array.from({ length: count }, (_, index) => index);
  const commit = async (files: Readonly<Record<string, string>>, message: string): Promise<string> =>
    String(await git.ask('commit', { name: REPOSITORY, files, message }));

  const url = String(await git.ask('create', REPOSITORY));
  const first = await commit(Object.assign({}, ...indices.map((index) => filesOf(index, '1'))), 'Add the fleet');
  await createApplications({ kubeconfig, api, url, secret, indices });
  const statuses = await watchStatuses(api, count);
  opening.defer(() => statuses[Symbol.dispose]());
  const engine = opening.use(await startPart('./engine-process.ts', { logFile: place.logFile('engine') }));
  let engineUrl = '';

  async function trigger(): Promise<void> {
    const body = '{}';
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'x-hub-signature-256': `sha256=${signature}`, 'content-type': 'application/json' };
    const answer = await fetch(`${engineUrl}/hooks/${NAMESPACE}/${REPOSITORY}`, { method: 'POST', body, headers });
    if (answer.status !== 202) throw new Error(`the webhook was not accepted: ${answer.status}`);
  }

  async function looks(): Promise<number> {
    return sumOf(await (await fetch(`${engineUrl}/metrics`)).text(), 'plumb_git_look_total', { result: 'ok' });
  }

  async function until(condition: () => Promise<boolean>, everyMs: number): Promise<void> {
    while (!(await condition())) await sleep(everyMs);
  }

  /** Tells when a Deployment was first seen with a version; opened before anything is counted, since opening reads. */
  async function watchVersions(): Promise<Disposable & { live(version: string): Promise<number> }> {
    const waiting = new Map<string, (at: number) => void>();
    const watch = await api.watch(DEPLOYMENTS, ({ object }) => {
      const text = JSON.stringify(object);
      for (const [version, resolve] of waiting) if (text.includes(`"value":"${version}"`)) resolve(performance.now());
    });
    return {
      live(version) {
        const { promise, resolve } = Promise.withResolvers<number>();
        waiting.set(version, resolve);
        return promise;
      },
      [Symbol.dispose]: () => watch[Symbol.dispose](),
    };
  }

  async function measure(phase: string, work: () => Promise<number>): Promise<PhaseFigures> {
    const profile = options.profile === undefined ? undefined : join(options.profile, `${phase}-${count}.cpuprofile`);
    const requestsBefore = await settled(api);
    if (profile !== undefined) await engine.ask('beginProfile');
    resetPeak(engine.pid);
    const before = usageOf(engine.pid);
    const seconds = await work();
    const after = usageOf(engine.pid);
    if (profile !== undefined) {
      await engine.ask('endProfile', profile);
      const times = selfTimes(JSON.parse(await readFile(profile, 'utf8')) as Profile);
      for (const { place: code, seconds: self } of times.slice(0, 25)) options.say(`    ${self.toFixed(3)} s  ${code}`);
    }
    return phaseOf(seconds, before, after, requestsBetween(requestsBefore, await settled(api)));
  }

  const closing = opening.move();
  return {
    async create() {
      let startedAt = 0;
      let firstAt = 0;
      const figures = await measure('create', async () => {
        startedAt = performance.now();
        const done = statuses.allReady(first);
        const { stateFolder, cacheFolder } = place;
        const start: EngineStart = { kubeconfig, stateFolder, cacheFolder };
        engineUrl = String(await engine.ask('start', start));
        const readyAt = await done;
        firstAt = statuses.firstChangeAt;
        return (readyAt - firstAt) / 1_000;
      });
      return {
        ...figures,
        requests: totalOf(new Map(Object.entries(figures.requestsByVerb)), (name) => !isOfStart(name)),
        startSeconds: (firstAt - startedAt) / 1_000,
      };
    },
    async changeAll() {
      return measure('changeAll', async () => {
        // Inside the measured part, or a poll that falls between commit and trigger would hide the work.
        const files = Object.assign({}, ...indices.map((index) => deploymentFileOf(index, '2')));
        const sha = await commit(files, 'Change all of the fleet');
        const startedAt = performance.now();
        const done = statuses.allReady(sha);
        await trigger();
        return ((await done) - startedAt) / 1_000;
      });
    },
    async changeOne(floorSeconds) {
      const seconds: number[] = [];
      const rounds = Math.min(ONE_ROUNDS, count);
      using versions = await watchVersions();
      const total = await measure('changeOne', async () => {
        for (let round = 0; round < rounds; round += 1) {
          const index = Math.floor((round * count) / rounds);
          const version = `one-${round}`;
          const live = versions.live(version);
          const sha = await commit(deploymentFileOf(index, version), `Change ${nameOf(index)}`);
          const done = statuses.ready(nameOf(index), sha);
          const startedAt = performance.now();
          await trigger();
          seconds.push(((await live) - startedAt) / 1_000);
          await done;
        }
        return median(seconds);
      });
      return { ...shared(total, rounds), floorSeconds, slowestSeconds: Math.max(...seconds) };
    },
    async changeOnePoll() {
      const version = 'polled';
      using versions = await watchVersions();
      const live = versions.live(version);
      return await measure('changeOnePoll', async () => {
        const before = await git.ask('requests');
        await until(async () => (await git.ask('requests')) !== before, 20);
        await sleep(LOOK_MS);
        const startedAt = performance.now();
        const sha = await commit(deploymentFileOf(0, version), 'Change one and tell nobody');
        const done = statuses.ready(nameOf(0), sha);
        const seconds = ((await live) - startedAt) / 1_000;
        await done;
        return seconds;
      });
    },
    async changeNone() {
      return measure('changeNone', async () => {
        await commit({ 'README.md': 'Nothing that is deployed.\n' }, 'Say what this is');
        const before = await looks();
        const startedAt = performance.now();
        await trigger();
        await until(async () => (await looks()) > before, 20);
        return (performance.now() - startedAt) / 1_000;
      });
    },
    idle: (seconds) =>
      measure('idle', async () => {
        await sleep(seconds * 1_000);
        return seconds;
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Namespace, kinds, the Repository with its webhook, and the Applications: all before anything is counted. */
async function createApplications(given: {
  readonly kubeconfig: string;
  readonly api: Api;
  readonly url: string;
  readonly secret: string;
  readonly indices: readonly number[];
}): Promise<void> {
  const { kubeconfig, api, url, secret, indices } = given;
  const { signal } = new AbortController();
  const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-bench' });
  await install(client, { clock: systemClock, signal });
  await api.json('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await api.json('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: 'webhook' },
    stringData: { token: secret },
  });
  await api.json('POST', `${API}/namespaces/${NAMESPACE}/repositories`, {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { name: REPOSITORY },
    spec: { url, webhook: { secretRef: { name: 'webhook' } } },
  });
  const queue = indices.values();
  const post = async (): Promise<void> => {
    for (const index of queue)
      await api.json('POST', `${API}/namespaces/${NAMESPACE}/applications`, applicationOf(index));
  };
  await Promise.all(Array.from({ length: 8 }, post));
}

interface Statuses extends Disposable {
  /** When the engine first wrote: the time of the first event of any application. */
  readonly firstChangeAt: number;
  /** Resolves with the time at which the last application became Ready at this commit. */
  allReady(revision: string): Promise<number>;
  ready(name: string, revision: string): Promise<number>;
}

async function watchStatuses(api: Api, count: number): Promise<Statuses> {
  const revisions = new Map<string, string>();
  const waiting = new Set<() => void>();
  let firstChangeAt = 0;
  const onEvent = ({ type, object }: WatchEvent): void => {
    if (type !== 'MODIFIED') return;
    firstChangeAt ||= performance.now();
    const { metadata, status } = object as {
      metadata: { name: string };
      status?: { revision?: string; conditions?: readonly { type: string; status: string }[] };
    };
    const isReady = status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    if (isReady === true && status?.revision !== undefined) revisions.set(metadata.name, status.revision);
    else revisions.delete(metadata.name);
    for (const check of waiting) check();
  };
  const watch = await api.watch(`${API}/namespaces/${NAMESPACE}/applications`, onEvent);
  const when = async (holds: () => boolean): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) resolve();
    };
    const late = setTimeout(() => {
      reject(new Error(`only ${revisions.size} of ${count} applications are Ready; ${KEEP}=1 keeps the logs`));
    }, PATIENCE_MS);
    waiting.add(check);
    check();
    try {
      await promise;
      return performance.now();
    } finally {
      clearTimeout(late);
      waiting.delete(check);
    }
  };
  return {
    get firstChangeAt() {
      return firstChangeAt;
    },
    allReady: (revision) =>
      when(() => revisions.size === count && revisions.values().every((candidate) => candidate === revision)),
    ready: (name, revision) => when(() => revisions.get(name) === revision),
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

/** The requests so far, once a second has passed without a new one. */
async function settled(api: Api): Promise<RequestCounts> {
  let before = countRequests(await api.text('/metrics'));
  for (;;) {
    await sleep(1_000);
    const now = countRequests(await api.text('/metrics'));
    if (totalOf(requestsBetween(before, now)) === 0) return now;
    before = now;
  }
}

function phaseOf(seconds: number, before: Usage, after: Usage, requests: RequestCounts): PhaseFigures {
  return {
    seconds,
    floorSeconds: 0,
    requests: totalOf(requests),
    requestsByVerb: Object.fromEntries(requests),
    engineCpuSeconds: after.cpuSeconds - before.cpuSeconds,
    peakRssMiB: after.peakRssMiB,
    readMiB: after.readMiB - before.readMiB,
    writtenMiB: after.writtenMiB - before.writtenMiB,
  };
}

/** The cost of one of several rounds. */
function shared(total: PhaseFigures, rounds: number): PhaseFigures {
  return {
    ...total,
    requests: total.requests / rounds,
    requestsByVerb: Object.fromEntries(
      Object.entries(total.requestsByVerb).map(([name, requests]) => [name, requests / rounds]),
    ),
    engineCpuSeconds: total.engineCpuSeconds / rounds,
    readMiB: total.readMiB / rounds,
    writtenMiB: total.writtenMiB / rounds,
  };
}

interface Place extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly stateFolder: string;
  readonly cacheFolder: string;
  logFile(name: string): string;
}

/** A fresh cluster, and a folder for everything that is written; both are gone at the end. */
async function openPlace(): Promise<Place> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'plumb-bench-'));
  if (process.env[KEEP] === undefined) opening.defer(() => rm(folder, { recursive: true, force: true }));
  else process.stderr.write(`${folder}\n`);
  const [stateFolder, cacheFolder] = [join(folder, 'state'), join(folder, 'cache')];
  await Promise.all([mkdir(stateFolder), mkdir(cacheFolder)]);
  const cluster = opening.use(
    await startCluster({
      clock: systemClock,
      signal: new AbortController().signal,
      report: (text) => process.stderr.write(`${text}\n`),
    }),
  );
  const closing = opening.move();
  return {
    cluster,
    stateFolder,
    cacheFolder,
    logFile: (name) => join(folder, `${name}.log`),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function line({ seconds, requests, engineCpuSeconds, peakRssMiB }: PhaseFigures): string {
  const [time, cpu] = [rounded(seconds), rounded(engineCpuSeconds)];
  return `${time} s, ${rounded(requests)} requests, ${cpu} CPU-s, peak ${Math.round(peakRssMiB)} MiB`;
}
