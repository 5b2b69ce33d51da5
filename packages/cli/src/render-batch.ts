import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  isAbort,
  PlumbError,
  RENDERERS,
  toPlumbError,
  type ErrorRecord,
  type JsonObject,
  type RendererName,
} from '@plumb/core';
import type { Renderer } from '@plumb/render';
import { decodeJsonObject } from './decode-json.ts';
import { renderFolder, type RenderInputFlags } from './render-folder.ts';
import { refusals } from './render-refusals.ts';

export type BatchLine = { readonly id: unknown } & (
  | { readonly objects: readonly JsonObject[] }
  | { readonly error: ErrorRecord }
);

const FIX = 'Write a line as {"id": …, "dir": "…"}; see "plumb render --help".';

interface BatchOptions {
  readonly renderer: Renderer;
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** How many folders are worked on at a time. */
  readonly concurrency: number;
}

/**
 * Renders the folder of each line, several at a time, and answers in the order of the lines. What is wrong with one line
 * is its answer and stops no other. Throws where the file itself cannot be read.
 */
export async function* renderBatch(file: string, options: BatchOptions): AsyncGenerator<BatchLine> {
  const running: Promise<BatchLine>[] = [];
  for await (const { text, where } of linesOf(file, options)) {
    const answer = answerLine(text, where, options);
    // Where an earlier one ends the whole, nobody waits for this one any more.
    answer.catch(() => undefined);
    running.push(answer);
    if (running.length >= options.concurrency) yield* firstOf(running);
  }
  while (running.length > 0) yield* firstOf(running);
}

async function* firstOf(running: Promise<BatchLine>[]): AsyncGenerator<BatchLine> {
  const first = running.shift();
  if (first !== undefined) yield await first;
}

interface LinePlace {
  readonly file: string;
  readonly line: number;
}

/** The lines that are not blank, read as they are needed. */
async function* linesOf(
  file: string,
  { cwd, signal }: BatchOptions,
): AsyncGenerator<{ readonly text: string; readonly where: LinePlace }> {
  await using input = await open(resolve(cwd, file)).catch((cause: unknown) => unreadable(file, cause));
  let line = 0;
  try {
    for await (const text of input.readLines({ autoClose: false, signal })) {
      line += 1;
      if (text.trim() !== '') yield { text, where: { file, line } };
    }
  } catch (thrown) {
    if (thrown instanceof PlumbError || isAbort(thrown, signal)) throw thrown;
    unreadable(file, thrown);
  }
}

function unreadable(file: string, cause: unknown): never {
  throw new PlumbError('PathMissing', `the batch ${file} cannot be read`, {
    where: { file },
    fix: 'Name a file with one JSON object a line.',
    cause,
  });
}

async function answerLine(line: string, where: LinePlace, options: BatchOptions): Promise<BatchLine> {
  let id: unknown = null;
  try {
    const value = parseLine(line, where);
    id = value['id'] ?? null;
    const { folder, flags } = toRequest(value, where);
    const outcome = await renderFolder(folder, flags, options);
    const [error] = refusals(outcome);
    if (error !== undefined) return { id, error: error.toRecord() };
    return { id, objects: outcome.documents.map((document) => document.value) };
  } catch (thrown) {
    if (isAbort(thrown, options.signal)) throw thrown;
    return { id, error: toPlumbError(thrown).toRecord() };
  }
}

function parseLine(line: string, where: LinePlace): JsonObject {
  const value = decodeJsonObject(line);
  if (value === undefined) throw new PlumbError('Usage', 'the line is no JSON object', { where, fix: FIX });
  return value;
}

function toRequest(value: JsonObject, where: LinePlace): { readonly folder: string; readonly flags: RenderInputFlags } {
  const { dir } = value;
  if (typeof dir !== 'string') throw new PlumbError('Usage', 'the line names no "dir"', { where, fix: FIX });
  const text = (field: string) => {
    const given = value[field] ?? undefined;
    if (given === undefined || typeof given === 'string') return given;
    throw new PlumbError('Usage', `"${field}" is no text`, { where, field, fix: FIX });
  };
  const texts = (field: string) => {
    const given = value[field] ?? undefined;
    if (given === undefined) return undefined;
    if (Array.isArray(given) && given.every((item) => typeof item === 'string')) return given;
    throw new PlumbError('Usage', `"${field}" is no list of texts`, { where, field, fix: FIX });
  };
  const renderer = text('renderer');
  if (renderer !== undefined && !isRenderer(renderer)) {
    throw new PlumbError('Usage', `"renderer" must be one of ${RENDERERS.join(', ')}`, {
      where,
      field: 'renderer',
      fix: FIX,
    });
  }
  return {
    folder: dir,
    flags: {
      release: text('release'),
      namespace: text('namespace'),
      env: text('env'),
      renderer,
      values: texts('values'),
      set: texts('set'),
    },
  };
}

function isRenderer(name: string): name is RendererName {
  return RENDERERS.some((known) => known === name);
}
