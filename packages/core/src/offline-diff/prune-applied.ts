import { isJsonArray } from '../canonical.ts';
import { fieldAt, isJsonObject, type Json, type JsonObject } from '../object.ts';
import { fieldNode, itemNode, type FieldTree } from './field-tree.ts';
import { isAtomic, slotOf, type FieldType } from './kind-schema.ts';
import { itemsOf } from './list-items.ts';

export interface Owners {
  /** What we applied the last time. */
  readonly last: FieldTree | undefined;
  /** What each other manager owns. */
  readonly others: readonly FieldTree[];
}

/**
 * Takes out what we applied the last time, do not apply now, and nobody else owns. `wanted` is what we apply now.
 *
 * As the server has it, a field of a type counts as owned by whoever owns something in it, while the key of a free map
 * or an item of a list only counts where it is owned itself: a container that we do not want any more goes, even if
 * somebody else has set its image.
 */
export function pruneApplied(merged: Json, wanted: Json | undefined, type: FieldType, owners: Owners): Json {
  return prune(merged, wanted, type, { ...owners, isBelowLast: false, isDoomed: false });
}

interface State extends Owners {
  /** Something that we applied lies on the way here. */
  readonly isBelowLast: boolean;
  /** And so does something that nobody owns any more. */
  readonly isDoomed: boolean;
}

/** Null, which is nothing, where all that was in it has gone. */
function prune(value: Json, wanted: Json | undefined, type: FieldType, state: State): Json {
  if (state.last === undefined || isAtomic(type)) return value;
  if (isJsonObject(value)) return pruneFields(value, wanted, type, state);
  if (type.form === 'list' && isJsonArray(value)) {
    const items = itemsOf(value, type);
    if (items === undefined) return value;
    const wantedItems = new Map((itemsOf(wanted, type) ?? []).map((item) => [item.id, item.value]));
    const kept = items.flatMap(({ id, element, value: item }) => {
      const below = step(state, (tree) => itemNode(tree, element), false, wantedItems.has(id));
      if (below === 'remove') return [];
      return [prune(item, wantedItems.get(id), type.item.type, below)];
    });
    return kept.length === 0 && items.length > 0 ? null : kept;
  }
  return value;
}

function pruneFields(value: JsonObject, wanted: Json | undefined, type: FieldType, state: State): Json {
  const kept: [string, Json][] = [];
  for (const [field, child] of Object.entries(value)) {
    const isNamed = type.form !== 'map';
    const given = fieldAt(wanted, field);
    const childType = slotOf(type, field).type;
    // An empty list that is merged item by item wants nothing.
    const isVoid = childType.form === 'list' && !isAtomic(childType) && isJsonArray(given) && given.length === 0;
    const isWanted = given !== undefined && !isVoid;
    const below = step(state, (tree) => fieldNode(tree, field), isNamed, isWanted);
    if (below === 'remove') continue;
    kept.push([field, prune(child, given, childType, below)]);
  }
  return kept.length === 0 && Object.keys(value).length > 0 ? null : Object.fromEntries(kept);
}

function step(
  state: State,
  down: (tree: FieldTree) => FieldTree | undefined,
  isNamed: boolean,
  isWanted: boolean,
): State | 'remove' {
  const last = state.last === undefined ? undefined : down(state.last);
  const others = state.others.map(down).filter((tree) => tree !== undefined);
  const isLast = last !== undefined && isMember(last, isNamed);
  const isManaged = isWanted || others.some((tree) => isMember(tree, isNamed));
  const isBelowLast = state.isBelowLast || isLast;
  const isDoomed = state.isDoomed || (isBelowLast && !isManaged);
  return isLast && isDoomed ? 'remove' : { last, others, isBelowLast, isDoomed };
}

function isMember(tree: FieldTree, isNamed: boolean): boolean {
  return isNamed || Object.hasOwn(tree, '.') || Object.keys(tree).length === 0;
}
