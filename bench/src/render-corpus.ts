import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { middleChart, trivialChart, type Files } from './chart-corpus.ts';
import { heavyChart } from './heavy-chart.ts';
import { kustomizeOverlay } from './overlay-corpus.ts';

export interface RenderCase {
  readonly name: string;
  readonly kind: 'helm' | 'kustomize';
  /** The folder that is rendered, in the corpus. */
  readonly path: string;
  /** Our warm render may take this many times as long as the binary. */
  readonly limit: number;
  /** How often it is measured; what takes seconds is measured less often. */
  readonly rounds: number;
}

export const RELEASE = 'demo';
export const NAMESPACE = 'shop';

export const TRIVIAL: RenderCase = { name: 'trivial', kind: 'helm', path: 'charts/trivial', limit: 1, rounds: 40 };
export const MIDDLE: RenderCase = { name: 'middle', kind: 'helm', path: 'charts/middle', limit: 1, rounds: 40 };
export const HEAVY: RenderCase = { name: 'heavy', kind: 'helm', path: 'charts/heavy', limit: 2, rounds: 30 };

export const CASES: readonly RenderCase[] = [
  TRIVIAL,
  MIDDLE,
  HEAVY,
  overlay(5, 1, 40),
  overlay(50, 1.3, 30),
  overlay(500, 2, 12),
];

function overlay(count: number, limit: number, rounds: number): RenderCase {
  return { name: `overlay of ${count}`, kind: 'kustomize', path: `overlays/${count}/overlay`, limit, rounds };
}

/** All charts and overlays, by path; the same on every machine. */
export function corpusFiles(): Files {
  return {
    ...below('charts/trivial', trivialChart()),
    ...below('charts/middle', middleChart()),
    ...below('charts/heavy', heavyChart()),
    ...Object.assign({}, ...[5, 50, 500].map((count) => below(`overlays/${count}`, kustomizeOverlay(count)))),
  };
}

/** Writes files below a folder that may not be there yet. */
export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

function below(folder: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${folder}/${path}`, text]));
}
