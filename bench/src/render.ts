import { systemClock } from '@plumb/engine';
import { createRenderer } from '@plumb/render';
import { measureMonorepo, type CommitFigures, type MonorepoFigures } from './monorepo.ts';
import { CASES } from './render-corpus.ts';
import { measureMemory, type MemoryFigures } from './render-memory.ts';
import { openRenderPlace } from './render-place.ts';
import { compareSamples, SAMPLES_FOLDER, type SampleFigures } from './render-samples.ts';
import {
  compareCases,
  measureCases,
  measureThroughput,
  type CaseFigures,
  type Measuring,
  type ThroughputFigures,
} from './render-times.ts';
import { goal, readable, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { unpackUpstream } from './upstream.ts';

const GOAL_COUNT = 2_000;
const MEMORY_STEPS = 10;
const SHORT_MEMORY_STEPS = 2;

export const render: Bench = {
  name: 'render',
  summary: `Charts and overlays against helm and kustomize, and a repository of --count N overlays, default ${GOAL_COUNT}`,
  run: runRender,
};

export interface RenderFigures {
  readonly count: number;
  /** Cases that differ from what the binary prints. */
  readonly differing: number;
  /** Absent where the samples are not there. */
  readonly samples?: SampleFigures;
  readonly cases: readonly CaseFigures[];
  readonly throughput: readonly ThroughputFigures[];
  readonly memory: readonly MemoryFigures[];
  readonly monorepo: Omit<MonorepoFigures, 'commits'>;
  readonly commits: readonly CommitFigures[];
}

async function runRender(options: BenchOptions): Promise<Measured> {
  const { short, say } = options;
  const count = options.count ?? GOAL_COUNT;
  const upstream = await unpackUpstream(say);
  await using place = await openRenderPlace();
  const measuring = { upstream, place, short, say };

  const same = await compare(measuring);
  say('render: times');
  const cases = await measureCases(measuring);
  say('render: all threads busy');
  const throughput = await measureThroughput(measuring);
  say('render: memory');
  const memory = await measureMemory(place, short ? SHORT_MEMORY_STEPS : MEMORY_STEPS, say);
  say(`render: a repository of ${count} overlays`);
  const { folder, logFile } = place;
  const { commits, ...monorepo } = await measureMonorepo({ overlays: count, folder, logFile, short, say });
  const figures: RenderFigures = { count, ...same, cases, throughput, memory, monorepo, commits };
  return {
    name: count === GOAL_COUNT ? 'render' : `render-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** Whether we give what the binaries give: in each case that is timed, and in all samples that are there. */
async function compare(measuring: Measuring): Promise<Pick<RenderFigures, 'differing' | 'samples'>> {
  const { say } = measuring;
  say('render: what comes out');
  await using renderer = createRenderer({ clock: systemClock });
  const differing = await compareCases(measuring, renderer);
  say(`  ${differing} of ${CASES.length} cases differ from the binary`);
  const samples = await compareSamples(SAMPLES_FOLDER, renderer, say);
  if (samples === undefined) {
    say(`  there are no samples in ${SAMPLES_FOLDER}: skipped`);
    return { differing };
  }
  say(`  ${samples.differing} of ${samples.cases} samples differ`);
  return { differing, samples };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf({ differing, samples, cases, memory, monorepo }: RenderFigures): readonly Goal[] {
  const [none, one] = ['changes none', 'changes one'];
  return [
    goal('cases that differ from the binary', 0, differing, 'cases'),
    ...(samples === undefined ? [] : [goal('samples that differ', 0, samples.differing, 'cases')]),
    ...CASES.flatMap(({ name, limit }) => {
      const measured = cases.find((figures) => figures.case === name);
      return measured === undefined ? [] : [goal(`${name}: warm ÷ binary`, limit, measured.warmToBinary, '×')];
    }),
    goal('memory: RSS, second half of the renders ÷ first', 1.05, growthOf(memory, 'rssMiB'), '×'),
    goal('memory: linear, second half of the renders ÷ first', 1.05, growthOf(memory, 'linearMiB'), '×'),
    goal('commits: wrongly affected applications', 0, monorepo.wronglyAffected, 'applications'),
    goal(`${none}: an application`, 0.1, monorepo.unchangedP50Ms, 'ms'),
    goal(`${one}: from fetch to rendered, p95`, 300, monorepo.changeOneP95Ms, 'ms'),
    goal('1,000 of one folder: builds', 1, monorepo.sameFolderBuilds, 'builds'),
  ];
}

/** Memory fills up to its working set first; what leaks goes on growing. */
function growthOf(memory: readonly MemoryFigures[], field: 'rssMiB' | 'linearMiB'): number {
  const most = (steps: readonly MemoryFigures[]) => Math.max(...steps.map((figures) => figures[field]));
  const half = Math.ceil(memory.length / 2);
  return most(memory.slice(half)) / most(memory.slice(0, half));
}
