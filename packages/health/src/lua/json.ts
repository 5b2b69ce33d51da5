import { type Json, PlumbError } from '@plumb/core';
import { decodeJson } from '../decode.ts';
import { library } from './arguments.ts';
import { toBytes, toText } from './bytes.ts';
import { type Meter } from './meter.ts';
import { LuaError, LuaTable, numberText, typeOf, type Value } from './value.ts';

/** Deeper than any object of a cluster. */
const MAX_DEPTH = 100;

export function fromJson(value: unknown, meter: Meter): Value {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') {
    meter.allocate(value.length);
    return toBytes(value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return undefined;
  meter.allocate(64);
  const table = new LuaTable();
  // A null is no entry: a list has no holes, as in the Lua of Argo CD.
  const list = Array.isArray(value) ? value.filter((item) => item !== null) : undefined;
  if (list !== undefined) list.forEach((item, index) => table.set(index + 1, fromJson(item, meter)));
  else for (const [key, item] of Object.entries(value)) table.set(toBytes(key), fromJson(item, meter));
  return table;
}

export function toJson(value: Value, depth: number, meter: Meter): Json | undefined {
  meter.step();
  if (value === undefined) return undefined;
  if (typeof value === 'string') return toText(value);
  if (typeof value !== 'object') return value;
  if (!(value instanceof LuaTable) || depth > 10) return null;
  const isList = value.list.length > 0 && value.map.size === 0;
  if (isList) return value.list.map((item) => toJson(item, depth + 1, meter) ?? null);
  const fields: [string, Json][] = [];
  for (const [key, item] of value.entries()) {
    if (typeof key === 'object' || typeof key === 'boolean') continue;
    fields.push([typeof key === 'string' ? toText(key) : numberText(key), toJson(item, depth + 1, meter) ?? null]);
  }
  return Object.fromEntries(fields);
}

/** The module `json`: annotations hold JSON, and scripts read it. A text that is none gives nil and a message. */
export function openJson(meter: Meter): LuaTable {
  return library({
    decode: ([text]) => {
      if (typeof text !== 'string')
        throw new LuaError(`bad argument #1 to 'decode' (string expected, got ${typeOf(text)})`);
      meter.allocate(text.length * 8);
      let decoded: unknown;
      try {
        decoded = decodeJson(toText(text));
      } catch (thrown) {
        if (!(thrown instanceof PlumbError)) throw thrown;
        return [undefined, toBytes(thrown.message)];
      }
      return isDeeper(decoded, MAX_DEPTH) ? [undefined, 'nested too deep'] : [fromJson(decoded, meter)];
    },
    encode: ([value]) => {
      const text = toBytes(JSON.stringify(toJson(value, 0, meter) ?? null));
      meter.allocate(text.length);
      return [text];
    },
  });
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => isDeeper(item, levels - 1));
}
