import { isJsonArray } from '../canonical.ts';
import type { FieldPath } from '../field-path.ts';
import { isOrderedList, isReordered, listKeys } from '../list-keys.ts';
import { isJsonObject, type Json, type JsonObject } from '../object.ts';
import { slotOf, UNKNOWN, type FieldType, type ListType, type Slot } from './kind-schema.ts';
import { hasDuplicates, itemsOf, type ListItem } from './list-items.ts';
import { isNothing, isSameLeaf } from './same-value.ts';

/** A difference that remains when both sides are read as the server reads them. */
export interface Difference {
  readonly path: FieldPath;
  readonly before: Json | undefined;
  readonly after: Json | undefined;
  /** The items of a list are the same, in another order. */
  readonly isOrder?: boolean;
}

/** What two values of a type differ in, as few and as deep as possible. */
export function compareValues(
  before: Json | undefined,
  after: Json | undefined,
  type: FieldType,
): readonly Difference[] {
  const found: Difference[] = [];
  compare(before, after, { type, isPointer: true }, [], found);
  return found;
}

/** Whether the order of a keyed list means something; of webhooks that change objects it does too. */
export function isOrdered(path: FieldPath, { item }: ListType): boolean {
  const isKnown = item.type.form === 'struct' && item.type.name === 'admissionregistration/v1.MutatingWebhook';
  return isKnown || isOrderedList(fieldOf(path));
}

function fieldOf(path: FieldPath): string {
  const last = path.at(-1);
  return last !== undefined && 'field' in last ? last.field : '';
}

function compare(
  before: Json | undefined,
  after: Json | undefined,
  slot: Slot,
  path: FieldPath,
  into: Difference[],
): void {
  if (before === after) return;
  const isGone = isNothing(before, slot);
  const isMissing = isNothing(after, slot);
  if (isGone && isMissing) return;
  const { type } = slot;
  const left = given(before, slot, isGone);
  const right = given(after, slot, isMissing);
  if (isJsonObject(left) && isJsonObject(right)) return compareFields(left, right, type, path, into);
  if (isJsonArray(left) && isJsonArray(right)) return compareLists(left, right, type, path, into);
  const isSame =
    left !== undefined && right !== undefined && type.form === 'leaf' && isSameLeaf(type.leaf, left, right);
  if (!isSame) into.push({ path, before: left, after: right });
}

/** Undefined for nothing. Fields that are in the server's own form in any case are there, and what differs is in them. */
function given(value: Json | undefined, { type, isPointer }: Slot, isNone: boolean): Json | undefined {
  if (type.form === 'struct' && (isJsonObject(value) || !isPointer)) return value ?? {};
  return isNone ? undefined : value;
}

function compareFields(
  before: JsonObject,
  after: JsonObject,
  type: FieldType,
  path: FieldPath,
  into: Difference[],
): void {
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const left = Object.hasOwn(before, field) ? before[field] : undefined;
    const right = Object.hasOwn(after, field) ? after[field] : undefined;
    compare(left, right, slotOf(type, field), [...path, { field }], into);
  }
}

function compareLists(
  before: readonly Json[],
  after: readonly Json[],
  type: FieldType,
  path: FieldPath,
  into: Difference[],
): void {
  const item = type.form === 'list' ? type.item : UNKNOWN;
  if (type.form === 'list' && type.relation !== 'atomic') {
    const left = itemsOf(before, type);
    const right = itemsOf(after, type);
    if (left !== undefined && right !== undefined && !hasDuplicates(left) && !hasDuplicates(right)) {
      compareItems(left, right, item, path, into);
      if (isOrdered(path, type) && areReordered(left, right)) into.push({ path, before, after, isOrder: true });
      return;
    }
  }
  const keys = listKeys(fieldOf(path), before, after);
  if (keys !== undefined) {
    const keyed: ListType = { form: 'list', relation: 'keyed', keys, item };
    const left = itemsOf(before, keyed) ?? [];
    const right = itemsOf(after, keyed) ?? [];
    compareItems(left, right, item, path, into);
    // The list is one value to the server, and so its order is part of it.
    if (areReordered(left, right)) into.push({ path, before, after, isOrder: true });
    return;
  }
  const found: Difference[] = [];
  for (let index = 0; index < Math.max(before.length, after.length); index++) {
    compare(before[index], after[index], item, [...path, { index }], found);
  }
  // A list of plain values is one value (arguments, access modes): positions would only mislead.
  const isPlain = [...before, ...after].every((value) => !isJsonObject(value) && !isJsonArray(value));
  if (found.length > 0 && isPlain) into.push({ path, before, after });
  else into.push(...found);
}

function compareItems(
  before: readonly ListItem[],
  after: readonly ListItem[],
  slot: Slot,
  path: FieldPath,
  into: Difference[],
): void {
  const rest = new Map(after.map((item) => [item.id, item]));
  for (const item of before) {
    compare(item.value, rest.get(item.id)?.value, slot, [...path, item.element], into);
    rest.delete(item.id);
  }
  for (const item of rest.values()) {
    into.push({ path: [...path, item.element], before: undefined, after: item.value });
  }
}

export function areReordered(before: readonly ListItem[], after: readonly ListItem[]): boolean {
  return isReordered(
    before.map(({ id }) => id),
    after.map(({ id }) => id),
  );
}
