import {
  equalJson,
  isJsonArray,
  isJsonObject,
  itemByKey,
  type FieldPath,
  type Json,
  type JsonObject,
  type PathElement,
} from '@plumb/core';

/**
 * The value with what stands at the path replaced, or removed where `value` is undefined. Maps and list items on the way
 * are made where they are missing, items by key at the end of their list. Undefined where that cannot be: a position
 * that is not there, a step into a text.
 */
export function withValueAt(root: Json | undefined, path: FieldPath, value: Json | undefined): Json | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if ('field' in first) {
    const map = root ?? {};
    if (!isJsonObject(map)) return undefined;
    return changedMap(map, first.field, rest, value);
  }
  const items = root ?? [];
  if (!isJsonArray(items)) return undefined;
  const index = indexOf(items, first);
  const inner = index === undefined ? madeItem(first, rest, value) : withValueAt(items[index], rest, value);
  if (rest.length > 0 && inner === undefined) return undefined;
  if (index === undefined) return inner === undefined ? items : [...items, inner];
  return items.flatMap((item, at) => (at !== index ? [item] : inner === undefined ? [] : [inner]));
}

function changedMap(map: JsonObject, field: string, rest: FieldPath, value: Json | undefined): Json | undefined {
  const old = Object.hasOwn(map, field) ? (map[field] ?? undefined) : undefined;
  if (rest.length > 0 && old === undefined && value === undefined) return map;
  const inner = withValueAt(old, rest, value);
  if (rest.length > 0 && inner === undefined) return undefined;
  const others = Object.entries(map).filter(([name]) => name !== field);
  if (inner === undefined) return Object.fromEntries(others);
  return Object.hasOwn(map, field)
    ? Object.fromEntries(Object.entries(map).map(([name, kept]) => [name, name === field ? inner : kept]))
    : Object.fromEntries([...others, [field, inner]]);
}

/** What has to stand where nothing is yet, so that the path leads to the value. */
export function nestedValue(path: FieldPath, value: Json): Json | undefined {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if ('field' in first) {
    const inner = nestedValue(rest, value);
    return inner === undefined ? undefined : { [first.field]: inner };
  }
  const item = madeItem(first, rest, value);
  return item === undefined ? undefined : [item];
}

/** A new item of a list; positions are not made up. */
export function madeItem(element: PathElement, rest: FieldPath, value: Json | undefined): Json | undefined {
  if (value === undefined || 'field' in element || 'index' in element) return undefined;
  if ('value' in element) return rest.length === 0 ? value : undefined;
  if (rest.length === 0) return value;
  const inner = nestedValue(rest, value);
  return isJsonObject(inner) ? { ...element.key, ...inner } : undefined;
}

/** The position of the item that a step means. */
export function indexOf(items: readonly Json[], element: PathElement): number | undefined {
  if ('field' in element) return undefined;
  if ('index' in element) return element.index < items.length ? element.index : undefined;
  if ('value' in element) return foundOrNone(items.findIndex((item) => equalJson(item, element.value)));
  const item = itemByKey(items, element.key);
  return item === undefined ? undefined : items.indexOf(item);
}

function foundOrNone(index: number): number | undefined {
  return index < 0 ? undefined : index;
}
