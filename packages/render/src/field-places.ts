import {
  fieldAt,
  isJsonObject,
  parseFieldPath,
  PlumbError,
  type FieldChange,
  type FieldPath,
  type Json,
  type JsonObject,
  type Origin,
  type Rendered,
  type SourceTree,
} from '@plumb/core';
import { folderOf, joinPath } from './repository-path.ts';
import { KUSTOMIZATION_NAMES } from './repository-part.ts';
import { findSourceFile } from './source-files.ts';
import { decodeYamlWithLines, type LineOf } from './yaml/decode.ts';
import { decodeText } from './yaml/text.ts';

interface Call {
  readonly signal: AbortSignal;
}

/** A file and a line of the repository. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

interface Lined {
  readonly documents: readonly { readonly value: Json; readonly line: number }[];
  readonly lineOf: LineOf;
}

/**
 * Where a changed field is written by people, as far as that can be known: in a plain manifest the line of the field; in
 * a kustomization the patch that sets it, else the resource; of a template the line of the values file that holds the
 * value. Values files are searched from the last one, which wins, and a value counts only where its name speaks for it
 * or nothing else has it.
 */
export class FieldPlaces {
  readonly #tree: SourceTree;
  readonly #rendered: Rendered;
  readonly #files = new Map<string, Promise<Lined | undefined>>();

  constructor(tree: SourceTree, rendered: Rendered) {
    this.#tree = tree;
    this.#rendered = rendered;
  }

  /** Undefined where it is not known, and for a field that is gone: nothing says that any more. */
  async placeOf(origin: Origin, { path, after }: FieldChange, call: Call): Promise<Place | undefined> {
    const fields = parseFieldPath(path);
    if (fields === undefined || after === undefined) return undefined;
    const { renderer, valuesFiles = [] } = this.#rendered;
    if (renderer === 'plain') return this.#inManifest(origin, fields, call);
    if (renderer === 'kustomize') {
      for (const patch of (origin.patches ?? []).toReversed()) {
        const found = await this.#inPatch(patch, fields, after, call);
        if (found !== undefined) return found;
      }
      return this.#inManifest(origin, fields, call, after);
    }
    return this.#inValues(valuesFiles, fields, after, call);
  }

  async #inManifest(origin: Origin, path: FieldPath, call: Call, after?: Json): Promise<Place | undefined> {
    const lined = await this.#read(origin.file, call);
    const documents = lined?.documents ?? [];
    const document =
      documents.find(({ line }) => line === origin.line) ?? (documents.length === 1 ? documents[0] : undefined);
    if (lined === undefined || document === undefined) return undefined;
    const found = find(document.value, path, lined.lineOf);
    if (found === undefined || (after !== undefined && !isGiven(found.value, after))) return undefined;
    return { file: origin.file, line: found.line };
  }

  /** A strategic merge patch names the field as the object does; a JSON patch by a pointer; others hold the value. */
  async #inPatch(file: string, path: FieldPath, after: Json, call: Call): Promise<Place | undefined> {
    const lined = await this.#read(file, call);
    if (lined === undefined) return undefined;
    for (const { value } of lined.documents) {
      const found = find(value, path, lined.lineOf);
      if (found !== undefined && isGiven(found.value, after)) return { file, line: found.line };
    }
    const candidates = lined.documents.flatMap(({ value }) => scalarsIn(value, lined.lineOf));
    const isKustomization = KUSTOMIZATION_NAMES.some((name) => file === joinPath(folderOf(file), name));
    const best = bestOf(candidates, lastField(path), after, isKustomization ? 2 : 1);
    return best === undefined ? undefined : { file, line: best.line };
  }

  async #inValues(files: readonly string[], path: FieldPath, after: Json, call: Call): Promise<Place | undefined> {
    for (const file of files.toReversed()) {
      const lined = await this.#read(file, call);
      const candidates = (lined?.documents ?? []).flatMap(({ value }) => scalarsIn(value, lined?.lineOf ?? noLine));
      const best = bestOf(candidates, lastField(path), after, 1);
      if (best !== undefined) return { file, line: best.line };
    }
    return undefined;
  }

  #read(file: string, call: Call): Promise<Lined | undefined> {
    let reading = this.#files.get(file);
    if (reading === undefined) {
      reading = readLined(this.#tree, file, call);
      this.#files.set(file, reading);
    }
    return reading;
  }
}

async function readLined(tree: SourceTree, file: string, call: Call): Promise<Lined | undefined> {
  try {
    const entry = await findSourceFile(tree, file, call);
    if (entry === undefined) return undefined;
    const [bytes] = await tree.read([entry], call);
    return decodeYamlWithLines(decodeText(bytes ?? new Uint8Array(), file), file);
  } catch (thrown) {
    // A template is no YAML, and what is broken is told by the render.
    if (thrown instanceof PlumbError) return undefined;
    throw thrown;
  }
}

function noLine(): undefined {
  return undefined;
}

/** A value of a Secret may be written in plain text, which goes over what is written as the server keeps it. */
function find(document: Json, path: FieldPath, lineOf: LineOf): ReturnType<typeof follow> {
  const [first, ...rest] = path;
  const isData = first !== undefined && 'field' in first && first.field === 'data';
  if (!isData || fieldAt(document, 'kind') !== 'Secret') return follow(document, path, lineOf);
  const plain = follow(document, [{ field: 'stringData' }, ...rest], lineOf);
  if (plain === undefined) return follow(document, path, lineOf);
  return { ...plain, value: storedText(plain.value) };
}

function storedText(value: Json): Json {
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, storedText(text)]));
  return typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value;
}

/** What may not be shown cannot be told from another value: then the field itself has to do. */
function isGiven(written: Json, applied: Json): boolean {
  return isSame(written, applied) || (typeof applied === 'string' && HIDDEN.test(applied));
}

const HIDDEN = /^\(secret(?: [0-9a-f]+)?\)$/;

/** As far down as the path leads: a field of a list item may be written together with the whole item. */
function follow(
  root: Json,
  path: FieldPath,
  lineOf: LineOf,
): { readonly value: Json; readonly line: number } | undefined {
  let at: Json = root;
  let found: { readonly value: Json; readonly line: number } | undefined;
  for (const element of path) {
    const entry: string | number | undefined = entryOf(at, element);
    if (entry === undefined || typeof at !== 'object' || at === null) return undefined;
    const value: Json | undefined = (at as Readonly<Record<string | number, Json>>)[entry];
    const line = lineOf(at, entry);
    if (value === undefined || line === undefined) return undefined;
    found = { value, line };
    at = value;
  }
  return found;
}

function entryOf(at: Json, element: FieldPath[number]): string | number | undefined {
  if ('field' in element) return isJsonObject(at) && Object.hasOwn(at, element.field) ? element.field : undefined;
  if (!Array.isArray(at)) return undefined;
  const items = at as readonly Json[];
  if ('index' in element) return element.index;
  const index =
    'key' in element
      ? items.findIndex((item) => isJsonObject(item) && hasKeys(item, element.key))
      : items.findIndex((item) => isSame(item, element.value));
  return index < 0 ? undefined : index;
}

function hasKeys(item: JsonObject, key: JsonObject): boolean {
  // Keys with a default (`protocol: TCP`) need not be written.
  return Object.entries(key).every(([name, value]) => item[name] === undefined || isSame(item[name], value));
}

interface Scalar {
  readonly name: string;
  readonly value: Json;
  readonly line: number;
}

function scalarsIn(value: Json, lineOf: LineOf): readonly Scalar[] {
  if (typeof value !== 'object' || value === null) return [];
  const entries: readonly (readonly [string | number, Json])[] = Array.isArray(value)
    ? [...(value as readonly Json[]).entries()]
    : Object.entries(value);
  return entries.flatMap(([entry, item]) => {
    if (typeof item === 'object' && item !== null) return scalarsIn(item, lineOf);
    const line = lineOf(value, entry);
    return line === undefined ? [] : [{ name: String(entry), value: item, line }];
  });
}

/** The one scalar that most likely gave the value, if any does. */
function bestOf(candidates: readonly Scalar[], field: string, after: Json, least: number): Scalar | undefined {
  const rated = candidates
    .map((scalar) => ({ scalar, score: scoreOf(scalar, field, after) }))
    .filter(({ score }) => score >= least);
  const top = Math.max(0, ...rated.map(({ score }) => score));
  const best = rated.filter(({ score }) => score === top);
  // Without a name that speaks for it, a value that stands there twice says nothing.
  return top >= 2 || best.length === 1 ? best[0]?.scalar : undefined;
}

/** 4: the field's own name; 3: a name like it (`replicaCount` for `replicas`), or the tag of an image; 1: the value alone. */
function scoreOf({ name, value }: Scalar, field: string, after: Json): number {
  const [a, b] = [name.toLowerCase(), field.toLowerCase()];
  if (isSame(value, after)) {
    if (a === b) return 4;
    return a !== '' && (a.includes(b.replace(/s$/, '')) || b.includes(a.replace(/s$/, ''))) ? 3 : 1;
  }
  const isPartOfImage = field === 'image' && /tag|version|digest|image|repository/i.test(name);
  return isPartOfImage && typeof after === 'string' && after.endsWith(`:${String(value)}`) ? 3 : 0;
}

function lastField(path: FieldPath): string {
  for (const element of path.toReversed()) {
    if ('field' in element && element.field !== 'value') return element.field;
    if ('key' in element && typeof element.key['name'] === 'string') return element.key['name'];
  }
  return '';
}

/** Templates turn numbers into texts and back. */
function isSame(written: Json | undefined, applied: Json): boolean {
  if (typeof written === 'object' && written !== null) return JSON.stringify(written) === JSON.stringify(applied);
  return written !== undefined && written !== null && applied !== null && String(written) === String(applied);
}
