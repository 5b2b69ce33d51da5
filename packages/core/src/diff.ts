import { equalJson, isJsonArray } from './canonical.ts';
import { TOUCHED_AS_ANNOTATION, TOUCHED_BY_ANNOTATION } from './edit-stamp.ts';
import { formatFieldPath, valueAt, type FieldPath, type PathElement } from './field-path.ts';
import { isOrderedList, isReordered, isSetList, keyValues, listKeys } from './list-keys.ts';
import { isJsonObject, type Json, type JsonObject, type KubeObject } from './object.ts';
import type { SecretMask } from './secret-tag.ts';
import { PART_OF_LABEL, TRACKING_ANNOTATION } from './tracking.ts';

/** One field that differs. The value of a side is left out where the field is not there. */
export interface FieldChange {
  /** As `formatFieldPath` writes it. */
  readonly path: string;
  readonly before?: Json;
  readonly after?: Json;
  /** The items of a list are the same, in another order, where the order means something. */
  readonly isOrder?: true;
}

export interface DiffOptions {
  /** Only these fields are compared: those that we own. All, where nothing is given. */
  readonly paths?: readonly FieldPath[];
  /** What stands for the values of a Secret. Default: `SECRET_VALUE` for every one. */
  readonly mask?: SecretMask | undefined;
}

/** What stands for a value of a Secret: it never leaves the object. Whether it changed is still told. */
export const SECRET_VALUE = '(secret)';

/** Written by the API server with every write, so no difference of content. */
export const SERVER_METADATA: ReadonlySet<string> = new Set([
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]);

/** Our own marks and stamps, and the annotation in which kubectl keeps a copy of the whole object, secrets included. */
export const IGNORED_MARKS: ReadonlySet<string> = new Set([
  PART_OF_LABEL,
  TRACKING_ANNOTATION,
  TOUCHED_AS_ANNOTATION,
  TOUCHED_BY_ANNOTATION,
  'kubectl.kubernetes.io/last-applied-configuration',
]);

/**
 * The fields that differ between two versions of an object, as few and as deep as possible. Both have to come from the
 * same server (the live object, and what it answered to a dry run), so that defaults and the spelling of quantities
 * agree. Lists are matched by the keys that the server merges them by, sets by value, others by position; status and
 * what the server writes into metadata do not count. Undefined stands for an object that is not there.
 */
export function diffObjects(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
  options: DiffOptions = {},
): readonly FieldChange[] {
  const left = comparable(before);
  const right = comparable(after);
  const changes: Change[] = [];
  if (options.paths === undefined) diffValues(left, right, [], changes);
  for (const path of options.paths ?? []) diffValues(valueAt(left, path), valueAt(right, path), path, changes);
  const isSecret = (after ?? before)?.apiVersion === 'v1' && (after ?? before)?.kind === 'Secret';
  return changes.map((change) => toFieldChange(change, isSecret ? (options.mask ?? masked) : undefined));
}

interface Change {
  readonly path: FieldPath;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  readonly isOrder?: true;
}

/** The object without what does not count. */
function comparable(object: KubeObject | undefined): JsonObject {
  if (object === undefined) return {};
  const { status: _status, ...rest } = object as unknown as { readonly [field: string]: Json };
  const metadata = isJsonObject(rest.metadata) ? rest.metadata : {};
  const kept: [string, Json][] = [];
  for (const [field, value] of Object.entries(metadata)) {
    if (SERVER_METADATA.has(field)) continue;
    const isMarks = (field === 'labels' || field === 'annotations') && isJsonObject(value);
    const content = isMarks ? withoutMarks(value) : value;
    if (content !== undefined) kept.push([field, content]);
  }
  return { ...rest, metadata: Object.fromEntries(kept) };
}

/** Undefined where nothing else is left, so that a map that holds our marks alone equals none. */
function withoutMarks(marks: JsonObject): JsonObject | undefined {
  const kept = Object.entries(marks).filter(([name]) => !IGNORED_MARKS.has(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

function diffValues(before: Json | undefined, after: Json | undefined, path: FieldPath, into: Change[]): void {
  if (before === after) return;
  if (isJsonObject(before) && isJsonObject(after)) return diffMaps(before, after, path, into);
  if (isJsonArray(before) && isJsonArray(after)) return diffLists(before, after, path, into);
  into.push({ path, before, after });
}

function diffMaps(before: JsonObject, after: JsonObject, path: FieldPath, into: Change[]): void {
  for (const field of Object.keys(before)) {
    const other = Object.hasOwn(after, field) ? after[field] : undefined;
    diffValues(before[field], other, [...path, { field }], into);
  }
  for (const field of Object.keys(after)) {
    if (!Object.hasOwn(before, field)) diffValues(undefined, after[field], [...path, { field }], into);
  }
}

function diffLists(before: readonly Json[], after: readonly Json[], path: FieldPath, into: Change[]): void {
  const last = path.at(-1);
  const field = last !== undefined && 'field' in last ? last.field : '';
  if (isSetList(field)) return diffSets(before, after, path, into);
  const keys = listKeys(field, before, after);
  if (keys !== undefined) return diffKeyed(before, after, keys, path, into);
  // A shorter or longer list of plain values is one value (arguments, access modes): positions would only mislead.
  const isPlain = [...before, ...after].every((item) => !isJsonObject(item) && !isJsonArray(item));
  if (isPlain) {
    if (!equalJson(before, after)) into.push({ path, before, after });
    return;
  }
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    diffValues(before[index], after[index], [...path, { index }], into);
  }
}

/** The order of keyed items counts only where Kubernetes gives it a meaning. */
function diffKeyed(
  before: readonly Json[],
  after: readonly Json[],
  keys: readonly string[],
  path: FieldPath,
  into: Change[],
): void {
  const idOf = (item: Json): string => JSON.stringify(keyValues(item, keys));
  const afterByKey = new Map(after.map((item) => [idOf(item), item]));
  for (const item of before) {
    const id = idOf(item);
    diffValues(item, afterByKey.get(id), [...path, keyElement(item, keys)], into);
    afterByKey.delete(id);
  }
  for (const item of afterByKey.values())
    into.push({ path: [...path, keyElement(item, keys)], before: undefined, after: item });
  const last = path.at(-1);
  const isOrdered = last !== undefined && 'field' in last && isOrderedList(last.field);
  if (isOrdered && isReordered(before.map(idOf), after.map(idOf))) into.push({ path, before, after, isOrder: true });
}

function keyElement(item: Json, keys: readonly string[]): PathElement {
  const values = keyValues(item, keys) ?? [];
  return { key: Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null])) };
}

function diffSets(before: readonly Json[], after: readonly Json[], path: FieldPath, into: Change[]): void {
  const isIn = (value: Json, items: readonly Json[]) => items.some((item) => equalJson(item, value));
  for (const value of before) {
    if (!isIn(value, after)) into.push({ path: [...path, { value }], before: value, after: undefined });
  }
  for (const value of after) {
    if (!isIn(value, before)) into.push({ path: [...path, { value }], before: undefined, after: value });
  }
}

function toFieldChange({ path, before, after, isOrder }: Change, mask: SecretMask | undefined): FieldChange {
  const [first] = path;
  const isData = first !== undefined && 'field' in first && ['data', 'stringData'].includes(first.field);
  const show = (value: Json): Json => (isData && mask !== undefined ? mask(value) : value);
  return {
    path: formatFieldPath(path),
    ...(before === undefined ? {} : { before: show(before) }),
    ...(after === undefined ? {} : { after: show(after) }),
    ...(isOrder === true ? { isOrder } : {}),
  };
}

function masked(value: Json): Json {
  if (!isJsonObject(value)) return SECRET_VALUE;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, masked(field)]));
}
