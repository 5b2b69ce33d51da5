import { createHash } from 'node:crypto';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from './object.ts';

/**
 * JSON with sorted keys and no white space: two values that are equal as JSON give the same text, whatever order their
 * keys were written in. An undefined field is left out, an undefined item is null, as `JSON.stringify` does.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) {
    let text = '[';
    for (let index = 0; index < value.length; index++) text += (index === 0 ? '' : ',') + canonicalJson(value[index]);
    return text + ']';
  }
  let text = '';
  // The default sort is by code unit: the order depends on no locale.
  for (const key of Object.keys(value).sort()) {
    const field = (value as JsonObject)[key];
    if (field === undefined) continue;
    text += (text === '' ? '' : ',') + JSON.stringify(key) + ':' + canonicalJson(field);
  }
  return '{' + text + '}';
}

/** SHA-256 of the canonical JSON, as 64 hex digits. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/** The identity of what would be sent to the server: with it an object that has not changed needs no new dry run. */
export function desiredHash(object: KubeObject): string {
  return digest(object);
}

/** Whether two values are the same JSON; the order of keys does not count, the order of items does. */
export function equalJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isJsonObject(a) && isJsonObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
    );
  }
  if (isJsonArray(a) && isJsonArray(b)) {
    return a.length === b.length && a.every((item, index) => equalJson(item, b[index]));
  }
  return false;
}

export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The one place where this package decodes JSON text; undefined where it is not JSON. */
export function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
