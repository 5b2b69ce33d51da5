import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { isAbort, PlumbError, toPlumbError, type ErrorRecord, type JsonObject } from '@plumb/core';
import type { Renderer } from '@plumb/render';
import { decodeJsonObject } from './decode-json.ts';
import { renderFolder, type FolderRequest } from './render-folder.ts';
import { refusals } from './render-refusals.ts';

export type BatchLine = { readonly id: unknown } & (
  | { readonly objects: readonly JsonObject[] }
  | { readonly error: ErrorRecord }
);

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
  const input = createReadStream(resolve(options.cwd, file));
  const failed = new Promise<never>((_resolve, reject) => {
    input.once('error', (cause: Error) => {
      reject(new PlumbError('PathMissing', `the batch ${file} cannot be read`, { where: { file }, cause }));
    });
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  const running: Promise<BatchLine>[] = [];
  let number = 0;
  for (;;) {
    const next = await Promise.race([lines.next(), failed]);
    if (next.done === true) break;
    number += 1;
    if (next.value.trim() === '') continue;
    running.push(answer(next.value, { file, line: number }, options));
    if (running.length >= options.concurrency) yield* firstOf(running);
  }
  while (running.length > 0) yield* firstOf(running);
}

async function* firstOf(running: Promise<BatchLine>[]): AsyncGenerator<BatchLine> {
  const first = running.shift();
  if (first !== undefined) yield await first;
}

async function answer(
  line: string,
  where: { readonly file: string; readonly line: number },
  options: BatchOptions,
): Promise<BatchLine> {
  let id: unknown = null;
  try {
    const value = parseLine(line, where);
    id = value['id'] ?? null;
    const outcome = await renderFolder(toRequest(value, where), options);
    const [error] = refusals(outcome);
    if (error !== undefined) return { id, error: error.toRecord() };
    return { id, objects: outcome.documents.map((document) => document.value) };
  } catch (thrown) {
    if (isAbort(thrown, options.signal)) throw thrown;
    return { id, error: toPlumbError(thrown).toRecord() };
  }
}

function parseLine(line: string, where: { readonly file: string; readonly line: number }): JsonObject {
  const value = decodeJsonObject(line);
  if (value === undefined) throw new PlumbError('Usage', 'the line is no JSON object', { where });
  return value;
}

function toRequest(value: JsonObject, where: { readonly file: string; readonly line: number }): FolderRequest {
  const { dir } = value;
  if (typeof dir !== 'string') throw new PlumbError('Usage', 'the line names no "dir"', { where });
  const text = (field: string) => {
    const given = value[field] ?? undefined;
    if (given === undefined || typeof given === 'string') return given;
    throw new PlumbError('Usage', `"${field}" is no text`, { where, field });
  };
  const texts = (field: string) => {
    const given = value[field] ?? undefined;
    if (given === undefined) return undefined;
    if (Array.isArray(given) && given.every((item) => typeof item === 'string')) return given;
    throw new PlumbError('Usage', `"${field}" is no list of texts`, { where, field });
  };
  return {
    folder: dir,
    release: text('release'),
    namespace: text('namespace'),
    environment: text('environment'),
    values: texts('values'),
    set: texts('set'),
  };
}
