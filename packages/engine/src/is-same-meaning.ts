import { equalJson, isJsonArray, isJsonObject, parseQuantity, type FieldPath, type Json } from '@plumb/core';

/** Fields whose values are amounts of a resource. */
const AMOUNTS: ReadonlySet<string> = new Set([
  'limits',
  'requests',
  'hard',
  'capacity',
  'sizeLimit',
  'divisor',
  'overhead',
]);

/**
 * Whether two values of a field are one to whoever reads the object: `5` and `"5"`, which templates turn into each other,
 * and `1000m` and `1` where the field is an amount. What is not there, null, and what is empty are one as well.
 */
export function isSameMeaning(path: FieldPath, a: Json | undefined, b: Json | undefined): boolean {
  if (equalJson(a, b) || (isNothing(a) && isNothing(b))) return true;
  if (!isPlain(a) || !isPlain(b)) return false;
  if (String(a) === String(b)) return true;
  const isAmount = path.some((element) => 'field' in element && AMOUNTS.has(element.field));
  const left = isAmount ? parseQuantity(String(a)) : undefined;
  return left !== undefined && left === parseQuantity(String(b));
}

function isPlain(value: Json | undefined): value is boolean | number | string {
  return value !== undefined && value !== null && typeof value !== 'object';
}

function isNothing(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true;
  if (isJsonArray(value)) return value.length === 0;
  return isJsonObject(value) && Object.keys(value).length === 0;
}
