import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';

/** Something that is measured; every bench of the project answers in the same form. */
export interface Bench {
  readonly name: string;
  /** One line for the list. */
  readonly summary: string;
  run(options: BenchOptions): Promise<Measured>;
}

export interface BenchOptions {
  /** How many of whatever the bench counts; undefined: what its goals are stated for. */
  readonly count: number | undefined;
  /** Waits less where waiting is all that is left out; such figures are scaled, and say so. */
  readonly short: boolean;
  /** A folder that CPU profiles are written to. */
  readonly profile: string | undefined;
  /** Progress, for people. */
  readonly say: (line: string) => void;
}

export interface Measured {
  /** Told apart from the bench's name where it was run for another count than its goals are stated for. */
  readonly name: string;
  readonly figures: Readonly<Record<string, unknown>>;
  readonly goals: readonly Goal[];
}

/** A promise and what was measured; met when the value is not above the limit. */
export interface Goal {
  readonly name: string;
  readonly limit: number;
  readonly value: number;
  readonly unit: string;
  readonly met: boolean;
}

export interface Machine {
  readonly cores: number;
  readonly memoryGiB: number;
  /** What else ran, as the load average of the minute before. */
  readonly load: number;
}

/** The one form of every result. */
export interface BenchResult {
  readonly bench: string;
  readonly machine: Machine;
  readonly figures: Readonly<Record<string, unknown>>;
  readonly goals: readonly Goal[];
}

export const RESULTS_FOLDER = join(import.meta.dirname, '..', 'results');

export function goal(name: string, limit: number, value: number, unit: string): Goal {
  return { name, limit, value: rounded(value), unit, met: value <= limit };
}

export function machine(): Machine {
  return {
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: rounded(loadavg()[0] ?? 0),
  };
}

export async function writeResult(name: string, result: BenchResult): Promise<string> {
  const path = join(RESULTS_FOLDER, `${name}.json`);
  await mkdir(RESULTS_FOLDER, { recursive: true });
  await writeFile(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** Three figures that count; whole numbers stay whole. */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(Math.abs(value) >= 100 ? 4 : 3));
}

/** The figures without digits that mean nothing. */
export function readable(figures: object): Readonly<Record<string, unknown>> {
  return JSON.parse(
    JSON.stringify(figures, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value)),
  ) as Record<string, unknown>;
}
