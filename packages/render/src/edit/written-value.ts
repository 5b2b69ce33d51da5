import { isJsonObject, type FieldPath, type Json, type PathElement } from '@plumb/core';

/** A value that stands somewhere in a document of people. */
export interface WrittenValue {
  readonly path: FieldPath;
  /** The last field on the way to it; of an item without one, the name of the item. */
  readonly name: string;
  readonly value: Json;
}

/** Every value in a document, the document itself left out. */
export function writtenValues(root: Json, at: FieldPath = [], name = ''): readonly WrittenValue[] {
  if (typeof root !== 'object' || root === null) return [];
  const entries: readonly (readonly [PathElement, string, Json])[] = isJsonObject(root)
    ? Object.entries(root).map(([field, value]) => [{ field }, nameAt(field, root, name), value])
    : root.map((value, index) => [{ index }, name, value]);
  return entries.flatMap(([element, inner, value]) => {
    const path = [...at, element];
    return [{ path, name: inner, value }, ...writtenValues(value, path, inner)];
  });
}

/** `value` says nothing; the name of the variable that it is of does. */
function nameAt(field: string, owner: { readonly [field: string]: Json }, outer: string): string {
  if (field !== 'value') return field;
  return typeof owner['name'] === 'string' ? owner['name'] : outer;
}

/** The name of a field as people would call its value: `LOG_LEVEL` of `env[name="LOG_LEVEL"].value`. */
export function nameOfField(path: FieldPath): string {
  for (const element of path.toReversed()) {
    if ('field' in element && element.field !== 'value') return element.field;
    if ('key' in element && typeof element.key['name'] === 'string') return element.key['name'];
  }
  return '';
}

/** 3: the same name; 2: one like it (`replicaCount` for `replicas`); 0: another one. */
export function likeness(name: string, field: string): number {
  const [a, b] = [plain(name), plain(field)];
  if (a === '' || b === '') return 0;
  if (a === b) return 3;
  return a.includes(b.replace(/s$/, '')) || b.includes(a.replace(/s$/, '')) ? 2 : 0;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Whether a value is the text or number of another one: templates turn one into the other. */
export function isSameWritten(written: Json, rendered: Json | undefined): boolean {
  if (rendered === undefined) return false;
  if (isPlainValue(written) && isPlainValue(rendered)) return String(written) === String(rendered);
  return JSON.stringify(sorted(written)) === JSON.stringify(sorted(rendered));
}

function isPlainValue(value: Json): boolean {
  return typeof value !== 'object' && value !== undefined;
}

function sorted(value: Json): Json {
  if (!isJsonObject(value)) return Array.isArray(value) ? (value as readonly Json[]).map(sorted) : value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key] ?? null)]),
  );
}

/**
 * What a value has to become so that what is made of it becomes `after`, where it stands in there as it is or as a part:
 * of `shop/api:1.2` → `shop/api:1.3` the tag `1.2` becomes `1.3`. Keeps text and number apart as they are written. None
 * where it has no part in it.
 */
export function replacementFor(written: Json, before: Json, after: Json): Json | undefined {
  if (isSameWritten(written, before)) return typedLike(written, after);
  if (typeof before !== 'string' || typeof after !== 'string' || !isPlainValue(written)) return undefined;
  const part = String(written);
  if (part === '') return undefined;
  for (let at = before.indexOf(part); at >= 0; at = before.indexOf(part, at + 1)) {
    const head = before.slice(0, at);
    const tail = before.slice(at + part.length);
    const isAround = after.length >= head.length + tail.length && after.startsWith(head) && after.endsWith(tail);
    if (isAround) return typedLike(written, after.slice(head.length, after.length - tail.length));
  }
  return undefined;
}

/** A number stays a number where it is one, a text stays a text. */
export function typedLike(written: Json, value: Json): Json {
  if (typeof written === 'string' && (typeof value === 'number' || typeof value === 'boolean')) return String(value);
  if (typeof written === 'number' && typeof value === 'string' && String(Number(value)) === value) return Number(value);
  if (typeof written === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/** `registry:5000/shop/api:1.4.2@sha256:…`; a colon before the last slash belongs to a port. */
export function imageParts(image: string): { readonly name: string; readonly tag: string; readonly digest: string } {
  const [reference = '', digest = ''] = image.split('@');
  const slash = reference.lastIndexOf('/') + 1;
  const colon = reference.indexOf(':', slash);
  return colon < 0
    ? { name: reference, tag: '', digest }
    : { name: reference.slice(0, colon), tag: reference.slice(colon + 1), digest };
}
