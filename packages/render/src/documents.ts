import { isJsonObject, PlumbError, type DocumentAt } from '@plumb/core';
import { decodeYaml } from './yaml/decode.ts';

/** One application may hold this many documents. */
export const MAX_DOCUMENTS = 20_000;

/**
 * The objects of one file's text, each with its line. Empty documents are left out. Throws on the first thing that
 * cannot be read; documents that are no mapping are collected into `errors`.
 */
export function readDocuments(text: string, file: string, errors: PlumbError[]): readonly DocumentAt[] {
  const documents: DocumentAt[] = [];
  for (const { value, line } of decodeYaml(text, file)) {
    if (value === null) continue;
    if (isJsonObject(value)) documents.push({ value, origin: { file, line } });
    else {
      const what = Array.isArray(value) ? 'a list' : 'a single value';
      errors.push(new PlumbError('NotAnObject', `the document is ${what}, not an object`, { where: { file, line } }));
    }
  }
  return documents;
}

export function tooManyDocuments(file: string): PlumbError {
  return new PlumbError('TooManyDocs', `more than ${MAX_DOCUMENTS} documents`, { where: { file } });
}
