import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeObject } from '@plumb/core';
import { install, systemClock, systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { openApi, type Api } from './api.ts';
import { isOfStart, requestsBetween, totalOf } from './api-requests.ts';
import type { EngineStart } from './engine-process.ts';
import { sumOf } from './exposition.ts';
import { NAMESPACE, REPOSITORY } from './fleet.ts';
import { startPart, type Part } from './ipc.ts';
import { phaseOf, settled, type PhaseFigures } from './phase.ts';
import { openPlace, type Place } from './place.ts';
import { resetPeak, usageOf } from './process-usage.ts';
import { selfTimes, type Profile } from './profile.ts';
import type { BenchOptions } from './result.ts';
import { API, watchStatuses, type Statuses } from './statuses.ts';

/** A fresh cluster with applications, their repository, and an engine in a process of its own. */
export interface Run extends AsyncDisposable {
  readonly api: Api;
  /** Where the cluster is, and what the engine writes. */
  readonly place: Place;
  readonly git: Part;
  readonly statuses: Statuses;
  /** The first commit. */
  readonly first: string;
  commit(files: Readonly<Record<string, string | null>>, message: string): Promise<string>;
  /** Starts the engine and measures until all applications are Ready at the first commit. */
  create(): Promise<PhaseFigures & { readonly startSeconds: number }>;
  /** As a Git host would, after a push. */
  trigger(): Promise<void>;
  /** A signed delivery of a Git host. */
  deliver(body: string, headers?: Readonly<Record<string, string>>): Promise<void>;
  /** Commits inside the measured part, or a poll that falls between would hide the work; until all are Ready at it. */
  change(phase: string, files: () => Readonly<Record<string, string | null>>, message: string): Promise<PhaseFigures>;
  /** Until the engine has looked at a commit that changes nothing that is deployed. */
  changeNone(): Promise<PhaseFigures>;
  until(condition: () => Promise<boolean>, everyMs: number): Promise<void>;
  /** `work` answers the seconds that count. */
  measure(phase: string, work: () => Promise<number>): Promise<PhaseFigures>;
}

export interface RunSetup {
  readonly applications: readonly KubeObject[];
  readonly files: Readonly<Record<string, string>>;
  /** Told apart from others in the names of profiles. */
  readonly label: string;
  /** Where the repository lies on the server of Git; default its name. */
  readonly repositoryPath?: string;
  /** Added to the spec of the Repository. */
  readonly repositorySpec?: object;
  /** What it names, before it is there. */
  readonly prepare?: (api: Api) => Promise<void>;
}

export async function openRun(setup: RunSetup, options: BenchOptions): Promise<Run> {
  const { applications, files, label, repositoryPath = REPOSITORY, repositorySpec = {}, prepare } = setup;
  await using opening = new AsyncDisposableStack();
  const place = opening.use(await openPlace());
  const { kubeconfig } = place.cluster;
  const api = opening.use(await openApi(kubeconfig, 16));
  const git = opening.use(await startPart('./git-process.ts', { logFile: place.logFile('git') }));
  const secret = randomBytes(24).toString('hex');
  const commit: Run['commit'] = async (changed, message) =>
    String(await git.ask('commit', { name: repositoryPath, files: changed, message }));

  const url = String(await git.ask('create', repositoryPath));
  const first = await commit(files, 'Add the fleet');
  await createApplications({ kubeconfig, api, spec: { url, ...repositorySpec }, secret, applications, prepare });
  const statuses = await watchStatuses(api, applications.length);
  opening.defer(() => statuses[Symbol.dispose]());
  const engine = opening.use(await startPart('./engine-process.ts', { logFile: place.logFile('engine') }));
  let engineUrl = '';

  async function deliver(body: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const signature = createHmac('sha256', secret).update(body).digest('hex');
    const headers = { 'x-hub-signature-256': `sha256=${signature}`, 'content-type': 'application/json', ...more };
    const answer = await fetch(`${engineUrl}/hooks/${NAMESPACE}/${REPOSITORY}`, { method: 'POST', body, headers });
    if (answer.status !== 202) throw new Error(`the webhook was not accepted: ${answer.status}`);
  }

  const trigger = (): Promise<void> => deliver('{}');

  async function looks(): Promise<number> {
    return sumOf(await (await fetch(`${engineUrl}/metrics`)).text(), 'plumb_git_look_total', { result: 'ok' });
  }

  async function until(condition: () => Promise<boolean>, everyMs: number): Promise<void> {
    while (!(await condition())) await sleep(everyMs);
  }

  async function measure(phase: string, work: () => Promise<number>): Promise<PhaseFigures> {
    const profile = options.profile === undefined ? undefined : join(options.profile, `${phase}-${label}.cpuprofile`);
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
    api,
    place,
    git,
    statuses,
    first,
    commit,
    trigger,
    deliver,
    until,
    measure,
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
    change: (phase, changed, message) =>
      measure(phase, async () => {
        const sha = await commit(changed(), message);
        const startedAt = performance.now();
        const done = statuses.allReady(sha);
        await trigger();
        return ((await done) - startedAt) / 1_000;
      }),
    changeNone: () =>
      measure('changeNone', async () => {
        await commit({ 'README.md': 'Nothing that is deployed.\n' }, 'Say what this is');
        const before = await looks();
        const startedAt = performance.now();
        await trigger();
        await until(async () => (await looks()) > before, 20);
        return (performance.now() - startedAt) / 1_000;
      }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Namespace, kinds, the Repository with its webhook, and the Applications: all before anything is counted. */
async function createApplications(given: {
  readonly kubeconfig: string;
  readonly api: Api;
  readonly spec: object;
  readonly secret: string;
  readonly applications: readonly KubeObject[];
  readonly prepare: RunSetup['prepare'];
}): Promise<void> {
  const { kubeconfig, api, spec, secret, applications, prepare } = given;
  const { signal } = new AbortController();
  const config = await loadKubeconfig({ path: kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: systemClock, random: systemRandom, userAgent: 'plumb-bench' });
  await install(client, { clock: systemClock, signal });
  await api.json('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
  await api.json('POST', `/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: 'webhook' },
    stringData: { token: secret },
  });
  await prepare?.(api);
  await api.json('POST', `${API}/namespaces/${NAMESPACE}/repositories`, {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { name: REPOSITORY },
    spec: { ...spec, webhook: { secretRef: { name: 'webhook' } } },
  });
  const queue = applications.values();
  const post = async (): Promise<void> => {
    for (const application of queue) await api.json('POST', `${API}/namespaces/${NAMESPACE}/applications`, application);
  };
  await Promise.all(Array.from({ length: 8 }, post));
}
