import { type Json } from '@plumb/core';
import { toBytes, toText } from './bytes.ts';
import { compile, type Runtime } from './compile.ts';
import { LuaSyntaxError } from './lexer.ts';
import { openLibraries } from './library.ts';
import { Meter, type LuaLimits } from './meter.ts';
import { Operators } from './operators.ts';
import { LuaTable, numberText, type Value } from './value.ts';

export interface LuaRun {
  readonly limits: LuaLimits;
  /** Milliseconds that only ever grow, for the limit. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970, for `os.time` and `os.date`. */
  readonly now: () => number;
}

/**
 * Runs a script with one global, and gives what it returns as JSON; undefined for nil. Nothing of one run is left for the
 * next. Throws `LuaError`, `LuaLimit` or `LuaSyntaxError`.
 */
export function runLua(source: string, chunk: string, obj: unknown, run: LuaRun): Json | undefined {
  const meter = new Meter(run.limits, run.monotonic);
  const runtime: Runtime = { operators: new Operators(meter), meter, globals: new LuaTable(), chunk };
  openLibraries(runtime, run.now);
  const main = compile(toBytes(source), runtime);
  runtime.globals.set('obj', fromJson(obj, meter));
  return toJson(runtime.operators.call(main, [])[0], 0, meter);
}

/** Throws `LuaSyntaxError` where the script cannot be read. */
export function checkLua(source: string): void {
  const meter = new Meter({ timeMs: Infinity, memoryBytes: Infinity }, () => 0);
  compile(toBytes(source), { operators: new Operators(meter), meter, globals: new LuaTable(), chunk: '' });
}

function fromJson(value: unknown, meter: Meter): Value {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'string') {
    meter.allocate(value.length);
    return toBytes(value);
  }
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value !== 'object') return undefined;
  meter.allocate(64);
  const table = new LuaTable();
  if (Array.isArray(value)) value.forEach((item, index) => table.set(index + 1, fromJson(item, meter)));
  else for (const [key, item] of Object.entries(value)) table.set(toBytes(key), fromJson(item, meter));
  return table;
}

function toJson(value: Value, depth: number, meter: Meter): Json | undefined {
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

export { LuaSyntaxError };
