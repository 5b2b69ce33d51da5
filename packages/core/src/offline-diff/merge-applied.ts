import { isJsonArray } from '../canonical.ts';
import { fieldAt, isJsonObject, type Json } from '../object.ts';
import { isAtomic, slotOf, type FieldType, type ListType } from './kind-schema.ts';
import { hasDuplicates, itemsOf, type ListItem } from './list-items.ts';

/**
 * What a server-side apply makes of the live value and what is applied, before it removes anything: fields of maps and
 * items of keyed lists are laid over each other, everything else is replaced.
 */
export function mergeApplied(live: Json | undefined, desired: Json | undefined, type: FieldType): Json | undefined {
  if (desired === undefined) return live;
  if (live === undefined || live === null) return desired;
  if (isAtomic(type)) return desired;
  if (isJsonObject(live) && isJsonObject(desired)) {
    const merged: [string, Json][] = [];
    for (const field of new Set([...Object.keys(live), ...Object.keys(desired)])) {
      const value = mergeApplied(fieldAt(live, field), fieldAt(desired, field), slotOf(type, field).type);
      if (value !== undefined) merged.push([field, value]);
    }
    // Not by assignment: a field may be called like something that every object inherits.
    return Object.fromEntries(merged);
  }
  if (type.form === 'list' && isJsonArray(live) && isJsonArray(desired)) return mergeItems(live, desired, type);
  return desired;
}

/**
 * The order of what is applied wins; an item that only the live list has comes when its turn is there. So items of others
 * between ours do not move them, and ours in another order do move..
 */
function mergeItems(live: readonly Json[], desired: readonly Json[], type: ListType): Json {
  const left = itemsOf(live, type);
  const right = itemsOf(desired, type);
  if (left === undefined || right === undefined || hasDuplicates(right)) return desired;
  const leftById = uniqueById(left);
  const rightById = new Map(right.map((item) => [item.id, item]));
  const merged = new Set<string>();
  const shared = right.filter(({ id }) => leftById.has(id)).map(({ id }) => id);
  let nextShared = 0;
  const out: Json[] = [];
  const take = (item: ListItem): void => {
    const value = mergeApplied(leftById.get(item.id)?.value, item.value, type.item.type);
    if (value !== undefined) out.push(value);
    merged.add(item.id);
    if (shared[nextShared] === item.id) nextShared += 1;
  };
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    const a = left[l];
    const b = right[r];
    if (a !== undefined && b !== undefined && a.id === b.id) {
      take(b);
      l += 1;
      r += 1;
    } else if (a !== undefined && !rightById.has(a.id)) {
      out.push(a.value);
      l += 1;
    } else if (a !== undefined && b !== undefined && nextShared < shared.length && shared[nextShared] !== a.id) {
      // Its turn comes, or came, with what is applied.
      l += 1;
    } else {
      if (a !== undefined && merged.has(a.id)) l += 1;
      if (b !== undefined) {
        take(b);
        r += 1;
      } else if (a !== undefined && !merged.has(a.id)) l += 1;
    }
  }
  return out;
}

/** What the live list holds twice under one key is replaced by one, and merged with none of them. */
function uniqueById(items: readonly ListItem[]): ReadonlyMap<string, ListItem | undefined> {
  const found = new Map<string, ListItem | undefined>();
  for (const item of items) found.set(item.id, found.has(item.id) ? undefined : item);
  return found;
}
