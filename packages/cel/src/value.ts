import type { Json } from '@plumb/core';

/** A value as an expression sees it: whole numbers are CEL's `int`. Made by `celValue`, and never changed. */
export type CelValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly CelValue[]
  | { readonly [key: string]: CelValue };

/** JSON as values of CEL, copied. Whole numbers become `int`, others `double`. */
export function celValue(json: Json | undefined): CelValue {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (json === undefined || json === null) return null;
  if (typeof json !== 'object') return json;
  if (Array.isArray(json)) return (json as readonly Json[]).map(celValue);
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => (value === undefined ? [] : [[key, celValue(value)]])),
  );
}
