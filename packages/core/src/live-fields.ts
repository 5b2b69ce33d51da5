import { equalJson, isJsonArray } from './canonical.ts';
import { SECRET_VALUE, SERVER_METADATA } from './diff.ts';
import { TOUCHED_AS_ANNOTATION, TOUCHED_BY_ANNOTATION } from './edit-stamp.ts';
import type { FieldPath, PathElement } from './field-path.ts';
import { keyValues, listKeys } from './list-keys.ts';
import { childrenOf, type FieldOwner } from './managed-fields.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from './object.ts';
import { FIELD_MANAGER } from './tracking.ts';

/** One who owns a field, and through what it was written where that was not the object itself: `status`, `scale`. */
export interface FieldHolder extends FieldOwner {
  readonly subresource?: string;
}

/** A field of a live object that has no parts, or is one value for the server whatever is in it. */
export interface LiveField {
  readonly path: FieldPath;
  /** Hidden where it is one of a Secret. */
  readonly value: Json;
  /** Ours first, then the latest; empty where nobody owns it: a default, or what an admission put there. */
  readonly holders: readonly FieldHolder[];
}

export interface LiveFieldsOptions {
  /** The status too; default false. */
  readonly withStatus?: boolean;
}

/** What stands for kubectl's second copy of the whole object, the values of a Secret included. */
const COPY = '(copy of the object)';
const COPY_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration';
const IDENTITY: ReadonlySet<string> = new Set(['name', 'namespace', 'generateName']);
const STAMPS: ReadonlySet<string> = new Set([TOUCHED_BY_ANNOTATION, TOUCHED_AS_ANNOTATION]);

interface Held {
  readonly holder: FieldHolder;
  readonly node: JsonObject;
}

/**
 * The fields of a live object in its own order, each with who owns it (managedFields). What the server writes into every
 * object, its name, the keys of list items and the stamps of edits are left out.
 */
export function liveFields(object: KubeObject, { withStatus = false }: LiveFieldsOptions = {}): readonly LiveField[] {
  const held = (object.metadata.managedFields ?? []).map((entry): Held => {
    const { manager = '', operation = 'Update', time, subresource, fieldsV1 = {} } = entry;
    const holder = { manager, operation, time, ...(subresource ? { subresource } : {}) };
    return { holder, node: isSecret(object) ? withPlainFields(fieldsV1) : fieldsV1 };
  });
  const found: LiveField[] = [];
  for (const [name, value] of Object.entries(object as unknown as JsonObject)) {
    if (name === 'apiVersion' || name === 'kind' || (name === 'status' && !withStatus)) continue;
    const content = name === 'metadata' && isJsonObject(value) ? ownMetadata(value) : value;
    // Nothing of it is left, and it is not an empty value of the object either.
    if (content !== value && isJsonObject(content) && Object.keys(content).length === 0) continue;
    collect(content, [{ field: name }], stepInto(held, `f:${name}`), found);
  }
  // What tells the items of a list apart stands in the path already.
  const told = found.filter(({ path }) => !isPartOfKey(path));
  return told.map((field) => ({ ...field, value: shownValue(object, field.path, field.value) }));
}

function isSecret({ apiVersion, kind }: KubeObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

/**
 * What was sent as `stringData` of a Secret is owned under that name for ever, and lies in `data`, which is then nobody's.
 */
function withPlainFields(fields: JsonObject): JsonObject {
  const { 'f:stringData': plain, 'f:data': data, ...rest } = fields;
  if (!isJsonObject(plain)) return fields;
  return { ...rest, 'f:data': { ...plain, ...(isJsonObject(data) ? data : {}) } };
}

function ownMetadata(metadata: JsonObject): JsonObject {
  const kept: [string, Json][] = [];
  for (const [name, value] of Object.entries(metadata)) {
    if (SERVER_METADATA.has(name) || IDENTITY.has(name)) continue;
    if (name === 'annotations' && isJsonObject(value)) {
      const others = Object.entries(value).filter(([annotation]) => !STAMPS.has(annotation));
      if (others.length > 0) kept.push([name, Object.fromEntries(others)]);
    } else kept.push([name, value]);
  }
  return Object.fromEntries(kept);
}

function collect(value: Json, path: FieldPath, held: readonly Held[], into: LiveField[]): void {
  const isDivided = held.some(({ node }) => childrenOf(node).length > 0);
  const isWhole = held.some(({ node }) => Object.keys(node).length === 0);
  if (isJsonObject(value) && Object.keys(value).length > 0 && (isDivided || !isWhole)) {
    for (const [name, field] of Object.entries(value)) {
      collect(field, [...path, { field: name }], stepInto(held, `f:${name}`), into);
    }
  } else if (isJsonArray(value) && value.length > 0 && isDivided) {
    for (const { item, element } of itemsOf(value, path, held)) {
      collect(item, [...path, element], stepInto(held, element), into);
    }
  } else into.push({ path, value, holders: held.map(({ holder }) => holder).sort(oursThenLatest) });
}

/** A whole that somebody owns is theirs to its last part. */
function stepInto(held: readonly Held[], step: string | PathElement): readonly Held[] {
  return held.flatMap(({ holder, node }) => {
    if (Object.keys(node).length === 0) return [{ holder, node }];
    const child = childrenOf(node).find(({ name, element }) =>
      typeof step === 'string' ? name === step : equalJson(element as unknown as Json, step as unknown as Json),
    );
    return child === undefined ? [] : [{ holder, node: child.child }];
  });
}

/** The items of a list, each named as those name it who own something in it. */
function itemsOf(
  items: readonly Json[],
  path: FieldPath,
  held: readonly Held[],
): readonly { readonly item: Json; readonly element: PathElement }[] {
  const elements = held.flatMap(({ node }) => childrenOf(node).map(({ element }) => element));
  const keyed = elements.find((element) => 'key' in element);
  const last = path.at(-1);
  const field = last !== undefined && 'field' in last ? last.field : '';
  const keys = keyed !== undefined ? Object.keys(keyed.key) : listKeys(field, items);
  const isSet = elements.some((element) => 'value' in element);
  return items.map((item, index) => {
    const values = keys === undefined ? undefined : keyValues(item, keys);
    if (keys !== undefined && values !== undefined) {
      return { item, element: { key: Object.fromEntries(keys.map((key, at) => [key, values[at] ?? null])) } };
    }
    return { item, element: isSet ? { value: item } : { index } };
  });
}

function oursThenLatest(a: FieldHolder, b: FieldHolder): number {
  const isOurs = (holder: FieldHolder): number => Number(isOurHolder(holder));
  const [left, right] = [a.time ?? '', b.time ?? ''];
  return isOurs(b) - isOurs(a) || Number(right > left) - Number(right < left);
}

/** Whether it is what Plumb applied, and not what something else wrote under its name. */
export function isOurHolder({ manager, operation, subresource }: FieldHolder): boolean {
  return manager === FIELD_MANAGER && operation === 'Apply' && subresource === undefined;
}

function isPartOfKey(path: FieldPath): boolean {
  const [item, last] = path.slice(-2);
  return item !== undefined && last !== undefined && 'key' in item && 'field' in last && last.field in item.key;
}

/** What may be shown of a value: nothing of a Secret, and no copy of the whole object. */
export function shownValue(object: KubeObject, path: FieldPath, value: Json): Json {
  const [first, second, third] = path.map((element) => ('field' in element ? element.field : ''));
  if (isSecret(object) && (first === 'data' || first === 'stringData')) return SECRET_VALUE;
  if (first !== 'metadata' || second !== 'annotations') return value;
  if (third !== undefined) return third === COPY_ANNOTATION ? COPY : value;
  return isJsonObject(value) && Object.hasOwn(value, COPY_ANNOTATION) ? { ...value, [COPY_ANNOTATION]: COPY } : value;
}
