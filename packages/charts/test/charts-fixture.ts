import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@plumb/test-support';
import { openCharts, type Charts } from '../src/index.ts';

export interface ChartsFixture extends AsyncDisposable {
  readonly charts: Charts;
  readonly clock: ManualClock;
  readonly folder: string;
}

/** Charts with a cache of their own, and time that stands still. */
export async function openTestCharts(options: { readonly maxBytes?: number } = {}): Promise<ChartsFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-charts-'));
  const clock = new ManualClock();
  const charts = openCharts({ folder, clock, ...options });
  return {
    charts,
    clock,
    folder,
    async [Symbol.asyncDispose]() {
      await charts[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
