import { LuaError, LuaTable, numberOf, typeOf, type LuaFunction, type Value } from './value.ts';

export type Body = (values: readonly Value[]) => readonly Value[];

/** Puts functions into a table, as a library of the language is one. */
export function library(functions: Readonly<Record<string, Body>>): LuaTable {
  const table = new LuaTable();
  for (const [name, call] of Object.entries(functions)) table.set(name, { name, call } satisfies LuaFunction);
  return table;
}

export function tableArgument(values: readonly Value[], index: number, name: string): LuaTable {
  const value = values[index];
  if (value instanceof LuaTable) return value;
  return badArgument(index, name, `table expected, got ${value === undefined ? 'no value' : typeOf(value)}`);
}

export function numberArgument(values: readonly Value[], index: number, name: string, otherwise?: number): number {
  const value = values[index];
  if (value === undefined && otherwise !== undefined) return otherwise;
  const number = numberOf(value);
  if (number !== undefined) return number;
  return badArgument(index, name, `number expected, got ${value === undefined ? 'no value' : typeOf(value)}`);
}

export function badArgument(index: number, name: string, problem: string): never {
  throw new LuaError(`bad argument #${index + 1} to '${name}' (${problem})`);
}
