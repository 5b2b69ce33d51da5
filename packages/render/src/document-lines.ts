import { isJsonObject, PlumbError, type Json } from '@plumb/core';
import { joinPath } from './repository-path.ts';
import { KUSTOMIZATION_NAMES } from './repository-part.ts';
import { decodeYaml, type YamlDocument } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

/** Where the documents of source files begin. A file is read for it once, and only when it is asked about. */
export class DocumentLines {
  readonly #files: ReadonlyMap<string, Uint8Array>;
  readonly #lines = new Map<string, readonly number[]>();

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = files;
  }

  /** The 1-based line of a file's resource number `index`, counted as Kustomize counts: what is empty is none. */
  lineOf(file: string, index: number): number | undefined {
    let lines = this.#lines.get(file);
    if (lines === undefined) {
      lines = startLines(this.#files.get(file), file);
      this.#lines.set(file, lines);
    }
    return lines[index];
  }

  /** The kustomization file of a folder, or undefined where the path is none. */
  kustomizationIn(folder: string): string | undefined {
    return KUSTOMIZATION_NAMES.map((name) => joinPath(folder, name)).find((path) => this.#files.has(path));
  }
}

const SEPARATOR = /^---(?:[ \t].*)?$/;
/** What may be the kind of a list; a List in a text or a comment only costs time. */
const LIST = /\bkind["']?\s*:\s*["']?\w*List\b/;
const CONTENT = /^\s*[^\s#]/;

function startLines(bytes: Uint8Array | undefined, file: string): readonly number[] {
  if (bytes === undefined) return [];
  try {
    const text = decodeText(bytes, file);
    // Most files hold plain documents, one behind the other: their first lines can be seen without reading YAML.
    if (!LIST.test(text)) return plainStarts(text);
    return listStarts(decodeYaml(text, file));
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return [];
  }
}

function plainStarts(text: string): readonly number[] {
  const starts: number[] = [];
  let isOpen = false;
  for (const [index, line] of text.split('\n').entries()) {
    if (SEPARATOR.test(line.trimEnd())) isOpen = false;
    else if (!isOpen && CONTENT.test(line) && !line.startsWith('%')) {
      isOpen = true;
      starts.push(index + 1);
    }
  }
  return starts;
}

/** Kustomize puts the items of lists behind all that is none; they have the line of their list. */
function listStarts(documents: readonly YamlDocument[]): readonly number[] {
  const starts: number[] = [];
  const open = [...documents];
  for (const { value, line } of open) {
    if (!isJsonObject(value) || Object.keys(value).length === 0) continue;
    const { kind, items } = value;
    const isList = typeof kind === 'string' && kind.endsWith('List') && Object.hasOwn(value, 'items');
    if (!isList) starts.push(line);
    else if (Array.isArray(items)) open.push(...(items as readonly Json[]).map((item) => ({ value: item, line })));
  }
  return starts;
}
