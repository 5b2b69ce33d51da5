import { isJsonArray, equalJson } from './canonical.ts';
import { isJsonObject, type Json, type JsonObject } from './object.ts';

/**
 * How the items of a list are told apart. The API server knows it from the schema (`x-kubernetes-list-type: map`); we
 * name the lists of the built-in kinds by their field. Where a name stands for several lists, the first keys that fit
 * all items count. A list that is not here is compared by position.
 *
 * Source: the OpenAPI document of Kubernetes (`x-kubernetes-list-map-keys`, `x-kubernetes-patch-merge-key`).
 */
const LIST_KEYS: { readonly [field: string]: readonly (readonly string[])[] } = {
  conditions: [['type']],
  containers: [['name']],
  env: [['name']],
  ephemeralContainers: [['name']],
  hostAliases: [['ip']],
  imagePullSecrets: [['name']],
  initContainers: [['name']],
  matchConditions: [['name']],
  ownerReferences: [['uid']],
  ports: [
    ['containerPort', 'protocol'],
    ['port', 'protocol'],
  ],
  resourceClaims: [['name']],
  schedulingGates: [['name']],
  secrets: [['name']],
  topologySpreadConstraints: [['topologyKey', 'whenUnsatisfiable']],
  variables: [['name']],
  volumeDevices: [['devicePath']],
  volumeMounts: [['mountPath']],
  volumes: [['name']],
  webhooks: [['name']],
};

/** Lists whose items are the values themselves, in any order. */
const SET_LISTS: ReadonlySet<string> = new Set(['finalizers']);

/** Lists of keyed items whose order means something: variables refer to earlier ones, containers start one by one. */
const ORDERED_LISTS: ReadonlySet<string> = new Set(['env', 'initContainers', 'variables']);

export function isOrderedList(field: string): boolean {
  return ORDERED_LISTS.has(field);
}

/** Whether the items that are on both sides stand in another order. What is on one side only does not count. */
export function isReordered(before: readonly string[], after: readonly string[]): boolean {
  const places = new Map(after.map((id, index) => [id, index]));
  const shared = before.flatMap((id) => places.get(id) ?? []);
  return shared.some((place, index) => index > 0 && place < (shared[index - 1] ?? 0));
}

/** Key fields that the API server fills in, so that they may be missing in what a person wrote. */
const KEY_DEFAULTS: JsonObject = { protocol: 'TCP' };

export function isSetList(field: string): boolean {
  return SET_LISTS.has(field);
}

/**
 * The key fields that tell the items of this list apart in all the given versions of it, or undefined where position
 * has to do: an unknown list, an item without its key, or two items with the same one.
 */
export function listKeys(field: string, ...versions: readonly (readonly Json[])[]): readonly string[] | undefined {
  // Own entries only: a field may be named like something that every object inherits.
  if (!Object.hasOwn(LIST_KEYS, field)) return undefined;
  return LIST_KEYS[field]?.find((keys) => versions.every((items) => areKeysOf(items, keys)));
}

function areKeysOf(items: readonly Json[], keys: readonly string[]): boolean {
  const seen = new Set<string>();
  for (const item of items) {
    const values = keyValues(item, keys);
    if (values === undefined) return false;
    seen.add(JSON.stringify(values));
  }
  return seen.size === items.length;
}

/** The item's values of the key fields, in the order of `keys`; undefined where one is missing. */
export function keyValues(item: Json, keys: readonly string[]): readonly Json[] | undefined {
  if (!isJsonObject(item)) return undefined;
  const values: Json[] = [];
  for (const key of keys) {
    const value = item[key] ?? KEY_DEFAULTS[key];
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** The item that has all these key values. */
export function itemByKey(items: Json | undefined, key: JsonObject): Json | undefined {
  if (!isJsonArray(items)) return undefined;
  const wanted = Object.entries(key);
  return items.find(
    (item) => isJsonObject(item) && wanted.every(([name, value]) => equalJson(item[name] ?? KEY_DEFAULTS[name], value)),
  );
}
