import { type Json } from '@plumb/core';
import { toBytes } from './bytes.ts';
import { compile, type Runtime } from './compile.ts';
import { fromJson, toJson } from './json.ts';
import { LuaSyntaxError } from './lexer.ts';
import { openLibraries } from './library.ts';
import { Meter, type LuaLimits } from './meter.ts';
import { Operators } from './operators.ts';
import { LuaTable } from './value.ts';

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

export { LuaSyntaxError };
