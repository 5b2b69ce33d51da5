import { equalJson, isJsonArray } from '../canonical.ts';
import { IGNORED_MARKS, SERVER_METADATA } from '../diff.ts';
import { formatFieldPath, type FieldPath, type PathElement } from '../field-path.ts';
import { fieldAt, isJsonObject, type Json, type KubeObject } from '../object.ts';
import { areReordered, compareValues, isOrdered, type Difference } from './compare-values.ts';
import { fieldNode, itemNode } from './field-tree.ts';
import { isAtomic, slotOf, UNKNOWN, type ListType, type Slot } from './kind-schema.ts';
import { itemsOf, type ListItem } from './list-items.ts';
import type { Owner, Prediction } from './predict.ts';
import { isNothing, isSameLeaf } from './same-value.ts';

/**
 * Why a difference between two files is none between two states of the cluster:
 *
 * | reason | the field |
 * | --- | --- |
 * | `default` | is what the server puts where nothing is said |
 * | `spelling` | says the same in other characters |
 * | `empty` | says nothing, and the server keeps nothing of it |
 * | `order` | is a list whose order means nothing |
 * | `owner` | belongs to another manager |
 * | `server` | was set by the server or by admission, and nobody's desired state names it |
 * | `tracking` | is a mark of the tool that applies |
 * | `unowned` | is not desired; whether it was once cannot be told, as the live object has no managedFields |
 */
export const LEFT_OUT_REASONS = [
  'default',
  'spelling',
  'empty',
  'order',
  'owner',
  'server',
  'tracking',
  'unowned',
] as const;

export type LeftOutReason = (typeof LEFT_OUT_REASONS)[number];

export interface LeftOut {
  readonly path: FieldPath;
  readonly reason: LeftOutReason;
  /** Of the reason `owner`. */
  readonly managers?: readonly string[];
}

/** Every difference between the two files that is none of the changes, with the reason why. */
export function leftOut(
  live: KubeObject,
  desired: KubeObject,
  prediction: Prediction,
  changes: readonly Difference[],
): readonly LeftOut[] {
  const { before, written, wanted, type, fill, others, hasOwners } = prediction;
  const walk = new Walk(changes, hasOwners);
  walk.compare({
    live: before,
    desired: written,
    usual: fill(wanted),
    slot: { type, isPointer: true },
    path: [],
    owners: others,
  });
  return [...walk.found, ...outsideContent(live, desired)];
}

/** One place in the two files. */
interface Place {
  readonly live: Json | undefined;
  readonly desired: Json | undefined;
  /** What the server would make of the desired object alone. */
  readonly usual: Json | undefined;
  readonly slot: Slot;
  readonly path: FieldPath;
  readonly owners: readonly Owner[];
}

class Walk {
  readonly found: LeftOut[] = [];
  readonly #changes: ReadonlySet<string>;
  /** Where a change lies deeper. */
  readonly #above: ReadonlySet<string>;
  readonly #hasOwners: boolean;

  constructor(changes: readonly Difference[], hasOwners: boolean) {
    this.#hasOwners = hasOwners;
    this.#changes = new Set(changes.filter(({ isOrder }) => isOrder !== true).map(({ path }) => formatFieldPath(path)));
    this.#above = new Set(
      changes.flatMap(({ path }) => path.map((_, length) => formatFieldPath(path.slice(0, length)))),
    );
  }

  compare(place: Place): void {
    const { live, desired, slot, path } = place;
    if (equalJson(live, desired) || this.#changes.has(formatFieldPath(path))) return;
    if (desired === undefined || desired === null) return this.#liveOnly(place);
    if (live === undefined || live === null) return this.#desiredOnly(place);
    if (isJsonObject(live) && isJsonObject(desired)) return this.#fields(place);
    if (isJsonArray(live) && isJsonArray(desired)) return this.#lists(place);
    const { type } = slot;
    const isSame = type.form === 'leaf' && isSameLeaf(type.leaf, live, desired);
    if (isSame) this.#leave(path, 'spelling');
    else this.#leaveToOwner(place);
  }

  #fields(place: Place): void {
    for (const field of new Set([...keysOf(place.live), ...keysOf(place.desired)])) this.compare(fieldOf(place, field));
  }

  #lists(place: Place): void {
    const { live, desired, slot, path } = place;
    const items = itemPlaces(place);
    if (items !== undefined) {
      if (isAnyOrder(place)) this.#leave(path, 'order');
      for (const item of items) this.compare(item);
      return;
    }
    const length = Math.max(lengthOf(live), lengthOf(desired));
    const item = slot.type.form === 'list' ? slot.type.item : UNKNOWN;
    for (let index = 0; index < length; index++) {
      this.compare({
        live: itemAt(live, index),
        desired: itemAt(desired, index),
        usual: itemAt(place.usual, index),
        slot: item,
        path: [...path, { index }],
        owners: [],
      });
    }
  }

  #liveOnly(place: Place): void {
    const { live, slot, path, usual } = place;
    const { type } = slot;
    if (isNothing(live, slot)) return this.#leave(path, 'empty');
    const isDefault = usual !== undefined && compareValues(live, usual, type).length === 0;
    if (isDefault) return this.#leave(path, 'default');
    const isSplit = this.#above.has(formatFieldPath(path)) || (isJsonObject(live) && !isItem(path.at(-1)));
    if (isSplit && !isAtomic(type)) {
      if (isJsonObject(live) && Object.keys(live).length > 0) return this.#fields(place);
      const items = isJsonArray(live) ? itemPlaces(place) : undefined;
      if (items !== undefined && items.length > 0) return items.forEach((item) => this.compare(item));
    }
    this.#leaveToOwner(place);
  }

  #desiredOnly({ desired, slot, path, usual }: Place): void {
    if (isNothing(desired, slot) || usual === undefined) this.#leave(path, 'empty');
    else this.#leave(path, 'default');
  }

  #leaveToOwner({ path, owners }: Place): void {
    if (owners.length > 0) this.found.push({ path, reason: 'owner', managers: [...new Set(owners.map(nameOf))] });
    else this.#leave(path, this.#hasOwners ? 'server' : 'unowned');
  }

  #leave(path: FieldPath, reason: LeftOutReason): void {
    this.found.push({ path, reason });
  }
}

function nameOf({ manager }: Owner): string {
  return manager;
}

function isItem(element: PathElement | undefined): boolean {
  return element !== undefined && !('field' in element);
}

function fieldOf(place: Place, field: string): Place {
  const step = (value: Json | undefined): Json | undefined => fieldAt(value, field);
  return {
    live: step(place.live),
    desired: step(place.desired),
    usual: step(place.usual),
    slot: slotOf(place.slot.type, field),
    path: [...place.path, { field }],
    owners: ownersBelow(place.owners, (tree) => fieldNode(tree, field)),
  };
}

/** Undefined where the list is one value. */
function itemPlaces(place: Place): readonly Place[] | undefined {
  const { type } = place.slot;
  if (type.form !== 'list') return undefined;
  const live = itemsOf(place.live, type);
  const desired = itemsOf(place.desired, type);
  if (live === undefined || desired === undefined) return undefined;
  const all = new Map([...desired, ...live].map((item) => [item.id, item]));
  const usual = itemsOf(place.usual, type);
  return [...all.values()].map(({ id, element }) => ({
    live: valueOf(live, id),
    desired: valueOf(desired, id),
    usual: valueOf(usual, id),
    slot: type.item,
    path: [...place.path, element],
    owners: ownersBelow(place.owners, (tree) => itemNode(tree, element)),
  }));
}

function isAnyOrder({ live, desired, slot, path }: Place): boolean {
  const { type } = slot;
  return type.form === 'list' && !isOrdered(path, type) && areReordered(itemsIn(live, type), itemsIn(desired, type));
}

function itemsIn(list: Json | undefined, type: ListType): readonly ListItem[] {
  return itemsOf(list, type) ?? [];
}

function valueOf(items: readonly ListItem[] | undefined, id: string): Json | undefined {
  return items?.find((item) => item.id === id)?.value;
}

function ownersBelow(owners: readonly Owner[], down: (tree: Owner['fields']) => Owner['fields'] | undefined): Owner[] {
  return owners.flatMap(({ manager, fields }) => {
    const below = down(fields);
    return below === undefined ? [] : [{ manager, fields: below }];
  });
}

function keysOf(value: Json | undefined): readonly string[] {
  return isJsonObject(value) ? Object.keys(value) : [];
}

function lengthOf(list: Json | undefined): number {
  return isJsonArray(list) ? list.length : 0;
}

function itemAt(list: Json | undefined, index: number): Json | undefined {
  return isJsonArray(list) ? list[index] : undefined;
}

/** What is never compared: status, what the server writes into metadata, and marks. */
function outsideContent(live: KubeObject, desired: KubeObject): readonly LeftOut[] {
  const found: LeftOut[] = [];
  const look = (reason: LeftOutReason, ...path: readonly string[]): void => {
    const left = fieldAt(live, ...path);
    const right = fieldAt(desired, ...path);
    if (!equalJson(left, right)) found.push({ path: path.map((field) => ({ field })), reason });
  };
  if (live.apiVersion !== desired.apiVersion) look('spelling', 'apiVersion');
  look('server', 'status');
  for (const field of SERVER_METADATA) look('server', 'metadata', field);
  for (const mark of IGNORED_MARKS) {
    look('tracking', 'metadata', 'labels', mark);
    look('tracking', 'metadata', 'annotations', mark);
  }
  return found;
}
