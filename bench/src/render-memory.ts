import { HEAVY, TRIVIAL } from './render-corpus.ts';
import type { RenderPlace } from './render-place.ts';
import type { ManyFigures, ManyRenders } from './render-process.ts';
import { openPart } from './render-times.ts';

/** What a process holds after so many renders. */
export interface MemoryFigures {
  readonly renders: number;
  readonly rssMiB: number;
  readonly linearMiB: number;
}

const STEP = 1_000;
const HEAVY_EVERY = 50;

/** Renders one small chart over and over, now and then the heavy one, and looks at the memory in between. */
export async function measureMemory(
  place: RenderPlace,
  steps: number,
  say: (line: string) => void,
): Promise<readonly MemoryFigures[]> {
  await using part = await openPart(place, 'memory');
  const figures: MemoryFigures[] = [];
  for (let step = 0; step < steps; step += 1) {
    const { rssMiB, linearMiB } = (await part.ask('many', {
      path: TRIVIAL.path,
      count: STEP,
      from: step * STEP + 1,
      between: { path: HEAVY.path, every: HEAVY_EVERY },
    } satisfies ManyRenders)) as ManyFigures;
    const renders = (step + 1) * STEP;
    say(`  after ${renders}: RSS ${rssMiB.toFixed(0)} MiB, linear memory ${linearMiB.toFixed(0)} MiB`);
    figures.push({ renders, rssMiB, linearMiB });
  }
  return figures;
}
