/** What a variable of a script can hold; `undefined` is nil. A string holds bytes, one a character (see `bytes.ts`). */
export type Value = undefined | boolean | number | string | LuaTable | LuaFunction;

export interface LuaFunction {
  readonly name: string;
  readonly call: (values: readonly Value[]) => readonly Value[];
}

/** An error that a script can raise and catch. */
export class LuaError extends Error {
  readonly value: Value;
  /** Whether the message names file and line already, or is not meant to. */
  readonly isLocated: boolean;

  constructor(value: Value, isLocated = false) {
    super(typeof value === 'string' ? value : `(error object is a ${typeOf(value)} value)`);
    this.value = value;
    this.isLocated = isLocated;
  }
}

/** A limit is not the script's to catch: `pcall` lets it pass. */
export class LuaLimit extends Error {
  readonly limit: 'time' | 'memory';

  constructor(limit: 'time' | 'memory', message: string) {
    super(message);
    this.limit = limit;
  }
}

/** A list from 1 without holes is kept as a list; everything else, in the order of its setting. */
export class LuaTable {
  meta: LuaTable | undefined;
  readonly list: Value[] = [];
  readonly map = new Map<Exclude<Value, undefined>, Value>();

  get(key: Value): Value {
    if (typeof key === 'number' && key >= 1 && key <= this.list.length && Number.isInteger(key))
      return this.list[key - 1];
    return key === undefined ? undefined : this.map.get(key);
  }

  set(key: Exclude<Value, undefined>, value: Value): void {
    if (typeof key === 'number') {
      const { length } = this.list;
      if (key >= 1 && key <= length && Number.isInteger(key)) {
        if (value === undefined && key === length) this.#shorten();
        else this.list[key - 1] = value;
        return;
      }
      if (key === length + 1 && value !== undefined) {
        this.map.delete(key);
        this.list.push(value);
        this.#gather();
        return;
      }
    }
    // A key that goes keeps its place, so that a traversal may clear what it visits.
    if (value === undefined && !this.map.has(key)) return;
    this.map.set(key, value);
  }

  length(): number {
    return this.list.length;
  }

  *entries(): Generator<readonly [Exclude<Value, undefined>, Value]> {
    for (let index = 0; index < this.list.length; index++) {
      const value = this.list[index];
      if (value !== undefined) yield [index + 1, value];
    }
    for (const entry of this.map) if (entry[1] !== undefined) yield entry;
  }

  #shorten(): void {
    this.list.pop();
    while (this.list.length > 0 && this.list.at(-1) === undefined) this.list.pop();
  }

  #gather(): void {
    if (this.map.size === 0) return;
    for (let next = this.map.get(this.list.length + 1); next !== undefined; next = this.map.get(this.list.length + 1)) {
      this.map.delete(this.list.length + 1);
      this.list.push(next);
    }
  }
}

export function isFunction(value: Value): value is LuaFunction {
  return typeof value === 'object' && !(value instanceof LuaTable);
}

export function typeOf(value: Value): string {
  if (value === undefined) return 'nil';
  if (value instanceof LuaTable) return 'table';
  return typeof value === 'object' ? 'function' : typeof value;
}

export function truthy(value: Value): boolean {
  return value !== undefined && value !== false;
}

/** `3`, `0.5`, `1e+21`: a whole number is written without a point, as Lua 5.1 does. */
export function numberText(number: number): string {
  if (Number.isNaN(number)) return 'NaN';
  if (!Number.isFinite(number)) return number > 0 ? '+Inf' : '-Inf';
  if (Number.isInteger(number) && Math.abs(number) < 2 ** 63) return BigInt(number).toString();
  const exponent = Math.floor(Math.log10(Math.abs(number)));
  const text = exponent < -4 || exponent >= 21 ? number.toExponential() : String(number);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** The number that a text stands for: decimal or hexadecimal, with spaces around it. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^[+-]?0x[0-9a-f]+$/i.test(text))
    return text.startsWith('-') ? -Number(text.slice(1)) : Number(text.replace('+', ''));
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
