import { canonicalJson, isJsonArray, parseJson } from '../canonical.ts';
import type { FieldPath, PathElement } from '../field-path.ts';
import { isJsonObject, type Json, type JsonObject } from '../object.ts';
import { unionOfFields } from '../take-over.ts';
import {
  isAtomic,
  metadataType,
  slotOf,
  UNKNOWN,
  type FieldType,
  type ListType,
  type Slot,
  type StructType,
} from './kind-schema.ts';
import { itemsOf } from './list-items.ts';

/** A set of fields as `managedFields` writes it: see core's managed-fields.ts. */
export type FieldTree = JsonObject;

export function fieldNode(tree: FieldTree, field: string): FieldTree | undefined {
  return childOf(tree, `f:${field}`);
}

/** The node of a list item by its keys or its value, in whatever order and spelling the server wrote the keys. */
export function itemNode(tree: FieldTree, element: PathElement): FieldTree | undefined {
  if ('value' in element) return childOf(tree, nameOf(element));
  if (!('key' in element)) return undefined;
  const exact = childOf(tree, nameOf(element));
  if (exact !== undefined) return exact;
  for (const name of Object.keys(tree)) {
    const key = name.startsWith('k:') ? parseJson(name.slice(2)) : undefined;
    if (isJsonObject(key) && isSameKey(key, element.key)) return childOf(tree, name);
  }
  return undefined;
}

function isSameKey(a: JsonObject, b: JsonObject): boolean {
  const names = Object.keys(b);
  return names.length === Object.keys(a).length && names.every((name) => String(a[name]) === String(b[name]));
}

function childOf(tree: FieldTree, name: string): FieldTree | undefined {
  const child = Object.hasOwn(tree, name) ? tree[name] : undefined;
  return isJsonObject(child) ? child : undefined;
}

/** The fields that a value has: what the set of its manager would be after an apply of it. */
export function treeOf(value: Json, type: FieldType): FieldTree {
  const tree: Record<string, Json> = {};
  if (isAtomic(type)) return tree;
  if (isJsonObject(value)) {
    for (const [field, child] of Object.entries(value)) tree[`f:${field}`] = treeOf(child, slotOf(type, field).type);
  } else if (type.form === 'list' && isJsonArray(value)) {
    for (const { element, value: item } of itemsOf(value, type) ?? []) {
      tree[nameOf(element)] = 'key' in element ? { '.': {}, ...treeOf(item, type.item.type) } : {};
    }
  }
  return tree;
}

/** The set of these fields alone. */
export function treeOfPaths(paths: readonly FieldPath[]): FieldTree {
  return paths.reduce<FieldTree>((tree, path) => unionOfFields(tree, treeOfPath(path)), {});
}

function treeOfPath([element, ...rest]: FieldPath): FieldTree {
  return element === undefined ? {} : { [nameOf(element)]: treeOfPath(rest) };
}

function nameOf(element: PathElement): string {
  if ('field' in element) return `f:${element.field}`;
  if ('key' in element) return `k:${canonicalJson(element.key)}`;
  return 'value' in element ? `v:${canonicalJson(element.value)}` : `i:${element.index}`;
}

/**
 * The type of an object of an unknown kind, from the fields that its managers own: `k:` tells the keys of a list, `v:` a
 * set. What nobody owns stays unknown.
 */
export function learnType(trees: readonly FieldTree[]): StructType {
  const learned = learnSlot(trees).type;
  const fields = new Map(learned.form === 'struct' ? learned.fields : []);
  fields.set('metadata', { type: metadataType(), isPointer: false });
  return { form: 'struct', name: '', fields, isAtomic: false };
}

function learnSlot(trees: readonly FieldTree[]): Slot {
  const names = new Set(trees.flatMap((tree) => Object.keys(tree)));
  const fields = new Map<string, Slot>();
  let list: ListType | undefined;
  for (const name of names) {
    const below = trees.map((tree) => childOf(tree, name)).filter((tree) => tree !== undefined);
    if (name.startsWith('f:')) fields.set(name.slice(2), learnSlot(below));
    else if (name.startsWith('v:')) list = { form: 'list', relation: 'set', keys: [], item: UNKNOWN };
    else if (name.startsWith('k:') && list === undefined) {
      const key = parseJson(name.slice(2));
      if (!isJsonObject(key)) continue;
      const items = trees.flatMap((tree) =>
        Object.keys(tree)
          .map((item) => childOf(tree, item))
          .filter((item) => item !== undefined),
      );
      list = { form: 'list', relation: 'keyed', keys: Object.keys(key), item: learnSlot(items) };
    }
  }
  if (list !== undefined) return { type: list, isPointer: true };
  if (fields.size > 0) return { type: { form: 'struct', name: '', fields, isAtomic: false }, isPointer: true };
  return UNKNOWN;
}
