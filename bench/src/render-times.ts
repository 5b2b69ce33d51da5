import { join } from 'node:path';
import { localTree } from '@plumb/git';
import { decodeYaml, type Renderer } from '@plumb/render';
import { startPart, type Part } from './ipc.ts';
import { spreadOf } from './quantile.ts';
import { CASES, MIDDLE, NAMESPACE, RELEASE, TRIVIAL, type RenderCase } from './render-corpus.ts';
import type { RenderPlace } from './render-place.ts';
import type { ManyFigures, ManyRenders } from './render-process.ts';
import { differencesBetween } from './same-objects.ts';
import { runUpstream, type Upstream, type UpstreamRun } from './upstream.ts';

/** One chart or overlay: how long the binary takes for it, and how long we do. */
export interface CaseFigures {
  readonly case: string;
  readonly objects: number;
  readonly binaryP50Ms: number;
  readonly binaryP95Ms: number;
  /** By threads that have rendered before, without a cache. */
  readonly warmP50Ms: number;
  readonly warmP95Ms: number;
  /** The first render of a process: the module is compiled and a thread started. */
  readonly coldP50Ms: number;
  readonly coldP95Ms: number;
  /** From disk, by a renderer that has rendered nothing. */
  readonly cachedP50Ms: number;
  readonly cachedP95Ms: number;
  /** How many times as long as the binary a warm render takes, by the medians. */
  readonly warmToBinary: number;
}

export interface ThroughputFigures {
  readonly chart: string;
  readonly renders: number;
  readonly rendersASecond: number;
}

const WARM_UP_MS = 4_000;
const MIN_WARM_UPS = 4;
const MIN_ROUNDS = 5;
const COLD_ROUNDS = 7;
const SHORT_COLD_ROUNDS = 3;
const MANY = 2_000;
const MANY_WARM_UPS = 200;

export interface Measuring {
  readonly upstream: Upstream;
  readonly place: RenderPlace;
  readonly short: boolean;
  readonly say: (line: string) => void;
}

/** Compares what both make of each case, object for object; returns how many cases differ. */
export async function compareCases({ upstream, place, say }: Measuring, renderer: Renderer): Promise<number> {
  let differing = 0;
  for (const each of CASES) {
    const { output } = await runCase(each, upstream, place);
    const { documents } = await renderer.render({
      tree: localTree(place.corpusFolder),
      path: each.path,
      release: RELEASE,
      namespace: NAMESPACE,
      signal: new AbortController().signal,
    });
    const [difference] = differencesBetween(
      documents.map(({ value }) => value),
      decodeYaml(output, each.path).map(({ value }) => value),
    );
    if (difference === undefined) continue;
    differing += 1;
    say(`  ${each.name}: ${difference}`);
  }
  return differing;
}

/** The binary and ourselves in turn, so that whatever else the machine does, it does to both. */
export async function measureCases(measuring: Measuring): Promise<readonly CaseFigures[]> {
  const { place, short, say } = measuring;
  await using warm = await openPart(place, 'warm');
  const figures: CaseFigures[] = [];
  for (const each of CASES) {
    const measured = await measureCase(each, warm, measuring, short ? Math.ceil(each.rounds / 4) : each.rounds);
    const { binaryP50Ms, warmP50Ms, coldP50Ms, cachedP50Ms } = measured;
    const times = [binaryP50Ms, warmP50Ms, coldP50Ms, cachedP50Ms].map((ms) => ms.toFixed(1));
    say(`  ${each.name}: binary ${times[0]} ms, warm ${times[1]}, cold ${times[2]}, cached ${times[3]}`);
    figures.push(measured);
  }
  return figures;
}

async function measureCase(
  each: RenderCase,
  warm: Part,
  { upstream, place, short }: Measuring,
  rounds: number,
): Promise<CaseFigures> {
  const { path } = each;
  const first = await runCase(each, upstream, place);
  const startedAt = performance.now();
  for (let count = 0; count < MIN_WARM_UPS || performance.now() - startedAt < WARM_UP_MS; count += 1) {
    await warm.ask('render', path);
  }
  const [binaryMs, warmMs, coldMs, cachedMs]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let round = 0; round < Math.max(MIN_ROUNDS, rounds); round += 1) {
    binaryMs.push((await runCase(each, upstream, place)).ms);
    warmMs.push(Number(await warm.ask('render', path)));
  }
  for (let round = 0; round < (short ? SHORT_COLD_ROUNDS : COLD_ROUNDS); round += 1) {
    await using cold = await openPart(place, `cold-${round}`);
    coldMs.push(Number(await cold.ask('render', path)));
  }
  await warm.ask('recall', path);
  for (let round = 0; round < Math.max(MIN_ROUNDS, rounds); round += 1) {
    const { ms, isCached } = (await warm.ask('recall', path)) as { readonly ms: number; readonly isCached: boolean };
    if (!isCached) throw new Error(`${path} was not kept`);
    cachedMs.push(ms);
  }
  const [binary, ours, cold, cached] = [spreadOf(binaryMs), spreadOf(warmMs), spreadOf(coldMs), spreadOf(cachedMs)];
  return {
    case: each.name,
    objects: decodeYaml(first.output, path).filter(({ value }) => value !== null).length,
    binaryP50Ms: binary.p50,
    binaryP95Ms: binary.p95,
    warmP50Ms: ours.p50,
    warmP95Ms: ours.p95,
    coldP50Ms: cold.p50,
    coldP95Ms: cold.p95,
    cachedP50Ms: cached.p50,
    cachedP95Ms: cached.p95,
    warmToBinary: ours.p50 / binary.p50,
  };
}

/** Renders a second with all threads busy; no two have the same input, and nothing is kept. */
export async function measureThroughput({ place, short, say }: Measuring): Promise<readonly ThroughputFigures[]> {
  await using part = await openPart(place, 'throughput');
  const figures: ThroughputFigures[] = [];
  for (const { name, path } of [TRIVIAL, MIDDLE]) {
    const many: ManyRenders = { path, count: short ? MANY / 4 : MANY, from: MANY_WARM_UPS };
    await part.ask('many', { path, count: MANY_WARM_UPS, from: 0 } satisfies ManyRenders);
    const { seconds } = (await part.ask('many', many)) as ManyFigures;
    const rendersASecond = many.count / seconds;
    say(`  ${name}: ${rendersASecond.toFixed(0)} renders a second`);
    figures.push({ chart: name, renders: many.count, rendersASecond });
  }
  return figures;
}

/** A process that has rendered nothing yet, with the corpus in a mirror of its own. */
export async function openPart({ folder, logFile, url, commit }: RenderPlace, name: string): Promise<Part> {
  const part = await startPart('./render-process.ts', { logFile: logFile('render') });
  await part.ask('open', { url, commit, folder: join(folder, name) });
  return part;
}

/** What a person would type for it. */
function runCase({ kind, path }: RenderCase, upstream: Upstream, place: RenderPlace): Promise<UpstreamRun> {
  const folder = join(place.corpusFolder, path);
  if (kind === 'kustomize') return runUpstream(upstream.kubectl, ['kustomize', folder], place.home);
  const args = ['template', RELEASE, folder, '--namespace', NAMESPACE, '--include-crds', '--skip-tests'];
  return runUpstream(upstream.helm, args, place.home);
}
