import { canonicalJson, isJsonArray, isJsonObject, type Json, type JsonObject } from '@plumb/core';

/**
 * What only one of two results holds, one line an object; empty where they are the same. The order of objects does not
 * count, a null in a map is as if it were absent, and a List stands for its items.
 */
export function differencesBetween(ours: readonly Json[], theirs: readonly Json[]): readonly string[] {
  const [here, there] = [byContent(ours), byContent(theirs)];
  return [...missingFrom(there, here, 'only ours'), ...missingFrom(here, there, 'only theirs')];
}

function missingFrom(
  others: ReadonlyMap<string, readonly JsonObject[]>,
  objects: ReadonlyMap<string, readonly JsonObject[]>,
  whose: string,
): readonly string[] {
  return [...objects].flatMap(([content, same]) =>
    same.slice(others.get(content)?.length ?? 0).map((object) => `${whose}: ${nameOf(object)}`),
  );
}

function byContent(documents: readonly Json[]): ReadonlyMap<string, readonly JsonObject[]> {
  return Map.groupBy(documents.flatMap(flattened), (object) => canonicalJson(withoutNulls(object)));
}

function flattened(document: Json): readonly JsonObject[] {
  if (!isJsonObject(document)) return [];
  const { kind, items } = document;
  const isList = typeof kind === 'string' && kind.endsWith('List') && isJsonArray(items);
  return isList ? items.flatMap(flattened) : [document];
}

function withoutNulls(value: Json): Json {
  if (isJsonArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  const present = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(present.map(([key, item]) => [key, withoutNulls(item)]));
}

function nameOf({ kind, metadata }: JsonObject): string {
  const { namespace, name } = isJsonObject(metadata) ? metadata : {};
  return [kind, namespace, name].filter((part) => typeof part === 'string').join(' ');
}
