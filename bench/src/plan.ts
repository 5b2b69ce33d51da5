import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KubeObject } from '@plumb/core';
import { requestsBetween, totalOf, type RequestCounts } from './api-requests.ts';
import { samplesOf } from './exposition.ts';
import { applicationOf, filesOf, NAMESPACE, REPOSITORY } from './fleet.ts';
import { settled } from './phase.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { openRun, type Run } from './run.ts';

const GOAL_COUNT = 1_000;
const CHANGED = 100;
const OBJECTS_EACH = 20;
const PLUMB = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

export const plan: Bench = {
  name: 'plan',
  summary: `Plans on the command line, of ${CHANGED} applications with a change each, and of --count N without any, default ${GOAL_COUNT}`,
  run: runPlan,
};

export interface PlanFigures {
  readonly count: number;
  /** Of all applications at once, none of which has changed. */
  readonly none: CommandFigures;
  /** Of one of them, which has not changed. */
  readonly one: CommandFigures;
  /** Of a hundred applications of twenty objects, one of which has changed in each. */
  readonly changed: CommandFigures;
  /** Of one application in a working copy that nobody has pushed. */
  readonly workingCopy: CommandFigures;
}

interface CommandFigures {
  /** From the start of the process to its end. */
  readonly seconds: number;
  /** To the first byte of the result. */
  readonly firstOutputSeconds: number;
  readonly requests: number;
  readonly dryRuns: number;
  /** Objects that the plans would change. */
  readonly changes: number;
}

async function runPlan(options: BenchOptions): Promise<Measured> {
  const count = options.count ?? GOAL_COUNT;
  const figures: PlanFigures = { count, ...(await measureNone(count, options)), ...(await measureChanged(options)) };
  return {
    name: count === GOAL_COUNT ? 'plan' : `plan-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf({ none, one, changed, workingCopy }: PlanFigures): readonly Goal[] {
  return [
    goal('nothing changed: seconds', 2, none.seconds, 's'),
    goal('nothing changed: dry-runs', 0, none.dryRuns, 'requests'),
    goal('one application: seconds', 1, one.seconds, 's'),
    goal(`${CHANGED} changed: seconds`, 15, changed.seconds, 's'),
    goal(`${CHANGED} changed: dry-runs an object that changed`, 1, changed.dryRuns / changed.changes, 'requests'),
    goal('working copy: seconds to the first output', 1, workingCopy.firstOutputSeconds, 's'),
  ];
}

async function measureNone(count: number, options: BenchOptions): Promise<Pick<PlanFigures, 'none' | 'one'>> {
  options.say(`${count} applications that have not changed`);
  const indices = Array.from({ length: count }, (_, index) => index);
  const applications = indices.map((index) => applicationOf(index) as KubeObject);
  const files = Object.assign({}, ...indices.map((index) => filesOf(index, '1'))) as Record<string, string>;
  await using run = await openRun({ applications, files, label: `plan-${count}` }, options);
  await run.create();
  const name = applications[0]?.metadata.name ?? '';
  const plumb = await commandLine(run, name);
  const none = await plumb('plan');
  options.say(`  all ${line(none)}`);
  const one = await plumb('plan', name);
  options.say(`  one ${line(one)}`);
  return { none, one };
}

async function measureChanged(options: BenchOptions): Promise<Pick<PlanFigures, 'changed' | 'workingCopy'>> {
  options.say(`${CHANGED} applications of ${OBJECTS_EACH} objects, one of which has changed in each`);
  const indices = Array.from({ length: CHANGED }, (_, index) => index);
  const applications = indices.map(settingsApplication);
  const files = Object.assign({}, ...indices.map((index) => settingsFile(index, '1'))) as Record<string, string>;
  await using run = await openRun({ applications, files, label: 'plan-changed' }, options);
  await run.create();
  const plumb = await commandLine(run, 'settings-000');
  // The engine hears of no push, and asks once in a while only.
  await run.commit(
    Object.assign({}, ...indices.map((index) => settingsFile(index, '2'))) as Record<string, string>,
    'Change',
  );
  const changed = await plumb('plan');
  options.say(`  all ${line(changed)}`);

  const folder = join(run.place.stateFolder, '..', 'working-copy');
  for (const [path, text] of Object.entries(settingsFile(0, '3'))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const workingCopy = await plumb('plan', 'settings-000', '--local', folder);
  options.say(`  working copy ${line(workingCopy)}`);
  return { changed, workingCopy };
}

/** `plumb` on the machine of the engine, as its user has it: it knows where the engine's ledger is. */
async function commandLine(run: Run, name: string): Promise<(...args: readonly string[]) => Promise<CommandFigures>> {
  const { cluster, stateFolder } = run.place;
  const home = join(stateFolder, '..', 'home');
  const runs = join(home, '.local', 'state', 'plumb', 'run');
  await mkdir(runs, { recursive: true });
  const file = {
    pid: process.pid,
    kubeconfig: cluster.kubeconfig,
    context: 'plumb',
    server: cluster.server,
    stateFolder,
    startedAt: new Date().toISOString(),
  };
  await writeFile(join(runs, 'bench.json'), JSON.stringify(file));
  const env = { PATH: process.env['PATH'], HOME: home, KUBECONFIG: cluster.kubeconfig, PLUMB_NAMESPACE: NAMESPACE };
  const once = (args: readonly string[]): Promise<Output> => output([...args, '-n', NAMESPACE, '-o', 'json'], env);
  // Modules and mirrors are warm from the second time on, as for whoever uses it.
  await once(['plan', name]);
  return async (...args) => {
    const before = await countAll(run);
    const { seconds, firstOutputSeconds, text } = await once(args);
    const after = await countAll(run);
    const { items } = JSON.parse(text) as { items: readonly { items: readonly unknown[] }[] };
    return {
      seconds,
      firstOutputSeconds,
      requests: totalOf(requestsBetween(before.requests, after.requests)),
      dryRuns: after.dryRuns - before.dryRuns,
      changes: items.reduce((sum, item) => sum + item.items.length, 0),
    };
  };
}

interface Output {
  readonly seconds: number;
  readonly firstOutputSeconds: number;
  readonly text: string;
}

async function output(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Output> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [PLUMB, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const { promise: ended, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  let text = '';
  let firstAt: number | undefined;
  child.stdout.setEncoding('utf8');
  for await (const chunk of child.stdout) {
    firstAt ??= performance.now();
    text += String(chunk);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`plumb ${args.join(' ')} ended with ${code}`);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { seconds, firstOutputSeconds: ((firstAt ?? performance.now()) - startedAt) / 1_000, text };
}

async function countAll(run: Run): Promise<{ readonly requests: RequestCounts; readonly dryRuns: number }> {
  const requests = await settled(run.api);
  const samples = samplesOf(await run.api.text('/metrics'), 'apiserver_request_total');
  let dryRuns = 0;
  for (const { labels, value } of samples) if (labels['dry_run'] === 'All') dryRuns += value;
  return { requests, dryRuns };
}

function settingsApplication(index: number): KubeObject {
  const name = settingsName(index);
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name, namespace: NAMESPACE },
    spec: { source: { repository: REPOSITORY, path: `settings/${name}` }, namespace: NAMESPACE },
  };
}

function settingsName(index: number): string {
  return `settings-${String(index).padStart(3, '0')}`;
}

/** Twenty ConfigMaps, the first of which has the version. JSON is YAML. */
function settingsFile(index: number, version: string): Readonly<Record<string, string>> {
  const name = settingsName(index);
  const objects = Array.from({ length: OBJECTS_EACH }, (_, at) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${at}` },
    data: { version: at === 0 ? version : '1', at: String(at) },
  }));
  return { [`settings/${name}/all.yaml`]: objects.map((object) => `${JSON.stringify(object)}\n`).join('---\n') };
}

function line({ seconds, firstOutputSeconds, requests, dryRuns }: CommandFigures): string {
  return `${rounded(seconds)} s (first output ${rounded(firstOutputSeconds)} s), ${requests} requests, ${dryRuns} dry-runs`;
}
