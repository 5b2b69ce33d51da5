import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '@plumb/core';
import { openApi } from './api.ts';
import { applicationOf, deploymentFileOf, filesOf, nameOf, NAMESPACE } from './fleet.ts';
import type { FloorFigures } from './floor-process.ts';
import { startPart } from './ipc.ts';
import { phaseLine, type PhaseFigures } from './phase.ts';
import { openPlace } from './place.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { openRun } from './run.ts';

const GOAL_COUNT = 1_000;
/** The smaller fleet that a commit to one application must cost the same in. */
const SMALL_COUNT = 100;
const ONE_ROUNDS = 10;
const IDLE_SECONDS = 300;
const SHORT_IDLE_SECONDS = 60;
/** A look at the repository is over by then: what is pushed now has to wait for the next one. */
const LOOK_MS = 300;
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;

export const apps: Bench = {
  name: 'apps',
  summary: `Applications of four objects each from one repository, from first to last: --count N, default ${GOAL_COUNT}`,
  run: runApps,
};

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
  say(`  create ${phaseLine(create)}`);
  const changeAll = { ...(await fleet.changeAll()), floorSeconds: floor.changeAll.seconds };
  say(`  change all ${phaseLine(changeAll)}`);
  const changeOne = await fleet.changeOne(floor.changeOneSeconds);
  say(`  change one ${phaseLine(changeOne)}`);
  const changeNone = await fleet.changeNone();
  say(`  change none ${phaseLine(changeNone)}`);
  const changeOnePoll = { ...(await fleet.changeOnePoll()), floorSeconds: floor.changeOneSeconds };
  say(`  change one by poll ${phaseLine(changeOnePoll)}`);
  const idle = await fleet.idle(options.short ? SHORT_IDLE_SECONDS : IDLE_SECONDS);
  say(`  idle ${phaseLine(idle)}`);
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

/** The fleet in a run of its own; the engine has not started yet. */
async function openFleet(count: number, options: BenchOptions): Promise<Fleet> {
  const indices = Array.from({ length: count }, (_, index) => index);
  const run = await openRun(
    {
      applications: indices.map((index) => applicationOf(index) as KubeObject),
      files: Object.assign({}, ...indices.map((index) => filesOf(index, '1'))) as Record<string, string>,
      label: String(count),
    },
    options,
  );
  const { api, git, statuses, measure } = run;

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

  return {
    create: () => run.create(),
    changeAll: () =>
      run.change(
        'changeAll',
        () => Object.assign({}, ...indices.map((index) => deploymentFileOf(index, '2'))) as Record<string, string>,
        'Change all of the fleet',
      ),
    async changeOne(floorSeconds) {
      const seconds: number[] = [];
      const rounds = Math.min(ONE_ROUNDS, count);
      using versions = await watchVersions();
      const total = await measure('changeOne', async () => {
        for (let round = 0; round < rounds; round += 1) {
          const index = Math.floor((round * count) / rounds);
          const version = `one-${round}`;
          const live = versions.live(version);
          const sha = await run.commit(deploymentFileOf(index, version), `Change ${nameOf(index)}`);
          const done = statuses.ready(nameOf(index), sha);
          const startedAt = performance.now();
          await run.trigger();
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
        await run.until(async () => (await git.ask('requests')) !== before, 20);
        await sleep(LOOK_MS);
        const startedAt = performance.now();
        const sha = await run.commit(deploymentFileOf(0, version), 'Change one and tell nobody');
        const done = statuses.ready(nameOf(0), sha);
        const seconds = ((await live) - startedAt) / 1_000;
        await done;
        return seconds;
      });
    },
    changeNone: () => run.changeNone(),
    idle: (seconds) =>
      measure('idle', async () => {
        await sleep(seconds * 1_000);
        return seconds;
      }),
    [Symbol.asyncDispose]: () => run[Symbol.asyncDispose](),
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
