// The samples beside the project, where they are: inputs with what the real binaries make of them.
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { JsonObject } from '@plumb/core';
import { localTree } from '@plumb/git';
import type { Renderer, RenderOutcome } from '@plumb/render';
import { NAMESPACE, RELEASE } from './render-corpus.ts';
import { differencesBetween } from './same-objects.ts';

/** One line of `cases.jsonl`; paths are relative to its folder. */
interface Sample {
  readonly id: string;
  readonly dir: string;
  /** The edge of the repository; default the folder of all samples. */
  readonly repo?: string;
  readonly release?: string;
  readonly namespace?: string;
  readonly values?: readonly string[];
  readonly set?: readonly string[];
  readonly expected?: string;
  readonly mustFail?: boolean;
  readonly mustNotContain?: readonly string[];
}

export interface SampleFigures {
  readonly cases: number;
  readonly differing: number;
}

export const SAMPLES_FOLDER = join(import.meta.dirname, '../../../shared/samples/render');

/** Renders every sample, and says which differ; undefined where there are none. */
export async function compareSamples(
  folder: string,
  renderer: Renderer,
  say: (line: string) => void,
): Promise<SampleFigures | undefined> {
  const text = await readFile(join(folder, 'cases.jsonl'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const samples = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Sample]));
  let differing = 0;
  for (const sample of samples) {
    const [difference, ...more] = await differencesOf(sample, folder, renderer);
    if (difference === undefined) continue;
    differing += 1;
    say(`  ${sample.id}: ${difference}${more.length === 0 ? '' : `, and ${more.length} more`}`);
  }
  return { cases: samples.length, differing };
}

async function differencesOf(sample: Sample, folder: string, renderer: Renderer): Promise<readonly string[]> {
  const root = join(folder, sample.repo ?? '');
  const outcome = await renderer.render({
    tree: localTree(root),
    path: relative(root, join(folder, sample.dir)),
    release: sample.release ?? RELEASE,
    namespace: sample.namespace ?? NAMESPACE,
    layers: await Promise.all(
      (sample.values ?? []).map(async (path) => ({ path, text: await readFile(join(folder, path), 'utf8') })),
    ),
    ...(sample.set === undefined ? {} : { set: sample.set }),
    signal: new AbortController().signal,
  });
  const said = textOf(outcome);
  const leaks = (sample.mustNotContain ?? []).filter((secret) => said.includes(secret));
  if (leaks.length > 0) return leaks.map((secret) => `it says ${secret}`);
  const { documents } = outcome;
  if (sample.mustFail === true) return documents.length === 0 && !outcome.ok ? [] : ['it renders, and must not'];
  if (sample.expected === undefined) return [];
  if (documents.length === 0 && !outcome.ok) return outcome.error.map(({ message }) => message);
  const expected = await readFile(join(folder, sample.expected), 'utf8');
  const { objects } = JSON.parse(expected) as { readonly objects: readonly JsonObject[] };
  return differencesBetween(
    documents.map(({ value }) => value),
    objects,
  );
}

/** All that a person may get to see of it. */
function textOf(outcome: RenderOutcome): string {
  const errors = outcome.ok ? [] : outcome.error.map((error) => error.toRecord());
  return JSON.stringify([outcome.documents, errors]);
}
