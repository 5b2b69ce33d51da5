import { isJsonObject, type Json, type JsonObject } from './object.ts';

/** Layers values as Helm does: maps are merged key by key and the upper one wins; everything else is replaced. */
export function mergeValues(below: JsonObject | undefined, above: JsonObject | undefined): JsonObject | undefined {
  if (below === undefined || above === undefined) return above ?? below;
  const merged: Record<string, Json> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = Object.hasOwn(below, key) ? below[key] : undefined;
    merged[key] = isJsonObject(under) && isJsonObject(value) ? (mergeValues(under, value) ?? value) : value;
  }
  return merged;
}
