import { equalJson, isJsonArray, parseJson } from './canonical.ts';
import { itemByKey } from './list-keys.ts';
import { isJsonObject, type Json, type JsonObject } from './object.ts';

/**
 * One step into an object, in the four ways that server-side apply names one: a field, a list item by its key fields, an
 * item of a set by its value, an item by position.
 */
export type PathElement =
  | { readonly field: string }
  | { readonly key: JsonObject }
  | { readonly value: Json }
  | { readonly index: number };

export type FieldPath = readonly PathElement[];

/** Names that stand without quotes. */
const PLAIN_NAME = /^[A-Za-z_$][\w$-]*$/;

/**
 * How people read it: `spec.template.spec.containers[name="app"].image`, `metadata.labels["app.kubernetes.io/name"]`,
 * `metadata.finalizers[="x"]`, `spec.rules[0]`. `parseFieldPath` reads it back.
 */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const element of path) {
    if ('field' in element && PLAIN_NAME.test(element.field)) text += (text === '' ? '' : '.') + element.field;
    else text += `[${bracketed(element)}]`;
  }
  return text;
}

function bracketed(element: PathElement): string {
  if ('field' in element) return JSON.stringify(element.field);
  if ('index' in element) return String(element.index);
  if ('value' in element) return `=${JSON.stringify(element.value)}`;
  return Object.entries(element.key)
    .map(([name, value]) => `${PLAIN_NAME.test(name) ? name : JSON.stringify(name)}=${JSON.stringify(value)}`)
    .join(',');
}

/** The path that a text names, or undefined where it is not one. */
export function parseFieldPath(text: string): FieldPath | undefined {
  const path: PathElement[] = [];
  let at = 0;
  while (at < text.length) {
    if (text[at] === '[') {
      const end = endOfBracket(text, at);
      const element = end === undefined ? undefined : parseBracket(text.slice(at + 1, end));
      if (end === undefined || element === undefined) return undefined;
      path.push(element);
      at = end + 1;
      continue;
    }
    if (path.length > 0) {
      if (text[at] !== '.') return undefined;
      at++;
    }
    const rest = text.slice(at);
    const length = rest.search(/[.[]/);
    const field = length < 0 ? rest : rest.slice(0, length);
    if (!PLAIN_NAME.test(field)) return undefined;
    path.push({ field });
    at += field.length;
  }
  return path;
}

/** The place of the `]` that closes the bracket at `start`: brackets within JSON values do not count. */
function endOfBracket(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') {
      depth--;
      if (depth === 0) return at;
    }
  }
  return undefined;
}

/** The place of the quote that closes the JSON string at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

function parseBracket(inside: string): PathElement | undefined {
  if (/^\d+$/.test(inside)) return { index: Number(inside) };
  if (inside.startsWith('=')) {
    const value = parseJson(inside.slice(1));
    return value === undefined ? undefined : { value };
  }
  if (inside.startsWith('"') && endOfString(inside, 0) === inside.length - 1) {
    const field = parseJson(inside);
    return typeof field === 'string' ? { field } : undefined;
  }
  return parseKeys(inside);
}

/** `name="app"`, `containerPort=80,protocol="TCP"`. */
function parseKeys(inside: string): PathElement | undefined {
  const key: [string, Json][] = [];
  let at = 0;
  while (at < inside.length) {
    const equals = inside[at] === '"' ? endOfString(inside, at) + 1 : inside.indexOf('=', at);
    if (equals < 0 || inside[equals] !== '=') return undefined;
    const name = inside[at] === '"' ? parseJson(inside.slice(at, equals)) : inside.slice(at, equals);
    const end = endOfValue(inside, equals + 1);
    const value = parseJson(inside.slice(equals + 1, end));
    if (typeof name !== 'string' || value === undefined) return undefined;
    key.push([name, value]);
    at = end + 1;
  }
  return key.length === 0 ? undefined : { key: Object.fromEntries(key) };
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfString(text, at);
    else if (char === '[' || char === '{') depth++;
    else if (char === ']' || char === '}') depth--;
    else if (char === ',' && depth === 0) return at;
  }
  return text.length;
}

/** What stands at the path, or undefined where any step is missing. */
export function valueAt(root: unknown, path: FieldPath): Json | undefined {
  let at = root as Json | undefined;
  for (const element of path) {
    at = stepInto(at, element);
    if (at === undefined) return undefined;
  }
  return at;
}

function stepInto(at: Json | undefined, element: PathElement): Json | undefined {
  if ('field' in element) return isJsonObject(at) && Object.hasOwn(at, element.field) ? at[element.field] : undefined;
  if ('key' in element) return itemByKey(at, element.key);
  if (!isJsonArray(at)) return undefined;
  if ('index' in element) return at[element.index];
  return at.find((item) => equalJson(item, element.value));
}
