import { type Meter } from './meter.ts';
import { isFunction, LuaError, LuaTable, numberOf, numberText, truthy, typeOf, type Value } from './value.ts';

/** What the operators mean, with the metamethods of tables. */
export class Operators {
  readonly #meter: Meter;
  /** Methods of strings, as in `text:sub(1, 2)`. */
  strings: LuaTable | undefined;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  index(target: Value, key: Value, what = ''): Value {
    let at = target;
    for (let hops = 0; hops < 100; hops++) {
      if (at instanceof LuaTable) {
        const value = at.get(key);
        if (value !== undefined || at.meta === undefined) return value;
        const handler = at.meta.get('__index');
        if (handler === undefined) return undefined;
        if (isFunction(handler)) return this.call(handler, [at, key])[0];
        at = handler;
      } else if (typeof at === 'string') return this.strings?.get(key);
      else throw new LuaError(`attempt to index a ${typeOf(at)} value${named(what, key)}`);
    }
    throw new LuaError('loop in gettable');
  }

  assign(target: Value, key: Value, value: Value, what = ''): void {
    if (!(target instanceof LuaTable)) {
      throw new LuaError(`attempt to index a ${typeOf(target)} value${named(what, key)}`);
    }
    const handler = target.get(key) === undefined ? target.meta?.get('__newindex') : undefined;
    if (isFunction(handler)) {
      this.call(handler, [target, key, value]);
      return;
    }
    if (handler !== undefined) {
      this.assign(handler, key, value);
      return;
    }
    if (key === undefined) throw new LuaError('table index is nil');
    if (Number.isNaN(key)) throw new LuaError('table index is NaN');
    this.#meter.allocate(32);
    target.set(key, value);
  }

  call(callee: Value, values: readonly Value[], what = ''): readonly Value[] {
    if (isFunction(callee)) {
      this.#meter.enter();
      try {
        return callee.call(values);
      } finally {
        this.#meter.leave();
      }
    }
    const handler = callee instanceof LuaTable ? callee.meta?.get('__call') : undefined;
    if (handler !== undefined) return this.call(handler, [callee, ...values], what);
    throw new LuaError(`attempt to call a ${typeOf(callee)} value${what === '' ? '' : ` (${what})`}`);
  }

  arithmetic(event: ArithmeticEvent, left: Value, right: Value): Value {
    const first = numberOf(left);
    const second = numberOf(right);
    if (first !== undefined && second !== undefined) return ARITHMETIC[event](first, second);
    const handler = metamethod(left, `__${event}`) ?? metamethod(right, `__${event}`);
    if (handler !== undefined) return this.call(handler, [left, right])[0];
    throw new LuaError(`attempt to perform arithmetic on a ${typeOf(first === undefined ? left : right)} value`);
  }

  concat(left: Value, right: Value): Value {
    if (isWritable(left) && isWritable(right)) {
      const text = writable(left) + writable(right);
      this.#meter.allocate(text.length);
      return text;
    }
    const handler = metamethod(left, '__concat') ?? metamethod(right, '__concat');
    if (handler !== undefined) return this.call(handler, [left, right])[0];
    throw new LuaError(`attempt to concatenate a ${typeOf(isWritable(left) ? right : left)} value`);
  }

  equal(left: Value, right: Value): boolean {
    if (left === right) return true;
    if (!(left instanceof LuaTable && right instanceof LuaTable)) return false;
    const handler = metamethod(left, '__eq');
    return (
      handler !== undefined && handler === metamethod(right, '__eq') && truthy(this.call(handler, [left, right])[0])
    );
  }

  less(left: Value, right: Value, orEqual: boolean): boolean {
    if (typeof left === 'number' && typeof right === 'number') return orEqual ? left <= right : left < right;
    if (typeof left === 'string' && typeof right === 'string') return orEqual ? left <= right : left < right;
    const handler = metamethod(left, orEqual ? '__le' : '__lt');
    if (handler !== undefined) return truthy(this.call(handler, [left, right])[0]);
    const types = [typeOf(left), typeOf(right)];
    const what = types[0] === types[1] ? `two ${types[0]} values` : types.join(' with ');
    throw new LuaError(`attempt to compare ${what}`);
  }

  length(value: Value): Value {
    if (typeof value === 'string') return value.length;
    if (value instanceof LuaTable) return value.length();
    throw new LuaError(`attempt to get length of a ${typeOf(value)} value`);
  }

  text(value: Value): string {
    const handler = metamethod(value, '__tostring');
    if (handler !== undefined) {
      const text = this.call(handler, [value])[0];
      if (typeof text !== 'string') throw new LuaError("'tostring' must return a string to 'print'");
      return text;
    }
    if (isWritable(value)) return writable(value);
    return typeof value === 'object' ? `${typeOf(value)}: 0x${idOf(value)}` : String(value ?? 'nil');
  }
}

export type ArithmeticEvent = 'add' | 'sub' | 'mul' | 'div' | 'mod' | 'pow';

const ARITHMETIC: Readonly<Record<ArithmeticEvent, (left: number, right: number) => number>> = {
  add: (left, right) => left + right,
  sub: (left, right) => left - right,
  mul: (left, right) => left * right,
  div: (left, right) => left / right,
  mod: (left, right) => (Number.isFinite(right) ? left - Math.floor(left / right) * right : left % right),
  pow: (left, right) => left ** right,
};

function metamethod(value: Value, event: string): Value {
  return value instanceof LuaTable ? value.meta?.get(event) : undefined;
}

function isWritable(value: Value): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}

function writable(value: string | number): string {
  return typeof value === 'string' ? value : numberText(value);
}

function named(what: string, key: Value): string {
  const field = typeof key === 'string' ? ` with key '${key.slice(0, 60)}'` : '';
  return what === '' ? field : ` (${what})${field}`;
}

const ids = new WeakMap<object, string>();
let lastId = 0;

function idOf(value: object): string {
  const id = ids.get(value) ?? (++lastId).toString(16).padStart(8, '0');
  ids.set(value, id);
  return id;
}
