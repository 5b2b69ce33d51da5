import { isJsonObject, PlumbError, type Json } from '@plumb/core';
import { decodeYamlWithLines } from './decode.ts';

/**
 * The 1-based line at which the first document of a text has the value at a path, or the last value on the way to it
 * that is there. Undefined where nothing of it is, or the text cannot be read.
 */
export function pathLine(text: string, file: string, path: readonly string[]): number | undefined {
  try {
    const { documents, lineOf } = decodeYamlWithLines(text, file);
    let at: Json | undefined = documents[0]?.value;
    let line: number | undefined;
    for (const step of path) {
      if (!isContainer(at)) break;
      const entry = Array.isArray(at) ? Number(step) : step;
      const inner = lineOf(at, entry);
      if (inner === undefined) break;
      line = inner;
      at = valueAt(at, [step]);
    }
    return line;
  } catch (thrown) {
    if (thrown instanceof PlumbError) return undefined;
    throw thrown;
  }
}

/** The value at a path of keys and indices, or undefined. */
export function valueAt(root: Json | undefined, path: readonly string[]): Json | undefined {
  let at = root;
  for (const step of path) {
    if (!isContainer(at) || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, Json>>)[step];
  }
  return at;
}

function isContainer(value: Json | undefined): value is readonly Json[] | { readonly [key: string]: Json } {
  return Array.isArray(value) || isJsonObject(value);
}
