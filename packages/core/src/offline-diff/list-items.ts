import { canonicalJson, isJsonArray } from '../canonical.ts';
import type { PathElement } from '../field-path.ts';
import { isJsonObject, type Json } from '../object.ts';
import { slotOf, type ListType } from './kind-schema.ts';

/** An item of a list that is merged item by item. */
export interface ListItem {
  /** Equal for two items that are the same one, in whatever spelling their keys are. */
  readonly id: string;
  readonly element: PathElement;
  readonly value: Json;
}

/** The items by what tells them apart; undefined where that fails for one of them, so that the list is one value. */
export function itemsOf(list: Json | undefined, type: ListType): readonly ListItem[] | undefined {
  if (list === undefined || list === null) return [];
  if (!isJsonArray(list) || type.relation === 'atomic') return undefined;
  const items: ListItem[] = [];
  for (const value of list) {
    const element = type.relation === 'set' ? { value } : keyElement(value, type);
    if (element === undefined) return undefined;
    items.push({ id: idOf(element), element, value });
  }
  return items;
}

/** Whether two items are the same one: a server takes that of nobody's new list. */
export function hasDuplicates(items: readonly ListItem[]): boolean {
  return new Set(items.map(({ id }) => id)).size < items.length;
}

function idOf(element: PathElement): string {
  if ('key' in element) return Object.values(element.key).map(String).join('\n');
  return 'value' in element ? canonicalJson(element.value) : '';
}

/** Key fields that the server fills in, and that have no default in the declarations. */
const KEY_DEFAULTS: Readonly<Record<string, Json>> = { protocol: 'TCP' };

function keyElement(value: Json, type: ListType): PathElement | undefined {
  if (!isJsonObject(value)) return undefined;
  const key: Record<string, Json> = {};
  for (const name of type.keys) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    const part = given ?? slotOf(type.item.type, name).default ?? KEY_DEFAULTS[name];
    if (part === undefined) return undefined;
    key[name] = part;
  }
  return { key };
}
