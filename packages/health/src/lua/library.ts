import { dateText, timeOf } from './dates.ts';
import { compile, type Runtime } from './compile.ts';
import { openJson } from './json.ts';
import { LuaSyntaxError } from './lexer.ts';
import { openStrings } from './strings.ts';
import { badArgument, library, numberArgument, tableArgument, type Body } from './arguments.ts';
import { isFunction, LuaError, LuaTable, numberOf, truthy, typeOf, type Value } from './value.ts';

/** What a health script finds: the base functions, string, table, math, os.time, os.date, os.clock, os.difftime, json. */
export function openLibraries(runtime: Runtime, nowMs: () => number): void {
  const { globals } = runtime;
  for (const [name, value] of openBase(runtime).entries()) globals.set(name, value);
  globals.set('_G', globals);
  globals.set('_VERSION', 'Lua 5.1');
  const strings = openStrings(runtime);
  runtime.operators.strings = strings;
  globals.set('string', strings);
  globals.set('table', openTables(runtime));
  globals.set('math', openMath());
  globals.set('os', openClock(nowMs));
  globals.set('require', openRequire(runtime));
}

/** `require` of what is here anyway, and of `json`; there is no file to load another module from. */
function openRequire({ globals, meter }: Runtime): Value {
  const modules = new Map<string, Value>([['json', openJson(meter)]]);
  for (const name of ['string', 'table', 'math', 'os']) modules.set(name, globals.get(name));
  return {
    name: 'require',
    call: ([name]) => {
      const found = modules.get(String(name));
      if (found === undefined) throw new LuaError(`module ${String(name)} not found`);
      return [found];
    },
  };
}

function openBase(runtime: Runtime): LuaTable {
  const { operators, meter, globals } = runtime;
  const next: Body = (values) => {
    const table = tableArgument(values, 0, 'next');
    let isPast = values[1] === undefined;
    for (const [key, value] of table.entries()) {
      meter.step();
      if (isPast) return [key, value];
      isPast = key === values[1];
    }
    return [undefined];
  };
  const step = {
    name: 'ipairs',
    call: ([table, index]: readonly Value[]): readonly Value[] => {
      const at = (numberOf(index) ?? 0) + 1;
      const value = operators.index(table, at);
      return value === undefined ? [undefined] : [at, value];
    },
  };
  const base = library({
    assert: (values) => {
      if (truthy(values[0])) return values;
      throw new LuaError(values.length > 1 ? values[1] : 'assertion failed!', values.length > 1);
    },
    collectgarbage: () => [0],
    error: ([value, level]) => {
      throw new LuaError(value, level === 0 || typeof value !== 'string');
    },
    getmetatable: ([value]) => {
      const meta = value instanceof LuaTable ? value.meta : undefined;
      return [meta?.get('__metatable') ?? meta];
    },
    ipairs: (values) => [step, tableArgument(values, 0, 'ipairs'), 0],
    loadstring: ([source, chunk]) => {
      if (typeof source !== 'string') return badArgument(0, 'loadstring', `string expected, got ${typeOf(source)}`);
      try {
        meter.allocate(source.length * 16);
        return [compile(source, { ...runtime, chunk: typeof chunk === 'string' ? chunk : '<string>' })];
      } catch (thrown) {
        if (!(thrown instanceof LuaSyntaxError)) throw thrown;
        return [undefined, `<string>:${thrown.line}: ${thrown.message}`];
      }
    },
    next,
    pairs: (values) => {
      const table = tableArgument(values, 0, 'pairs');
      // One walk through the table, and not a search for the last key at each step.
      const entries = table.entries();
      const call: Body = () => {
        const next = entries.next();
        return next.done === true ? [undefined] : next.value;
      };
      return [{ name: 'next', call }, table, undefined];
    },
    pcall: ([callee, ...values]) => protect(() => operators.call(callee, values)),
    xpcall: ([callee, handler]) =>
      protect(
        () => operators.call(callee, []),
        (value) => operators.call(handler, [value]),
      ),
    print: () => [],
    rawequal: ([left, right]) => [left === right],
    rawget: (values) => [tableArgument(values, 0, 'rawget').get(values[1])],
    rawset: (values) => {
      const key = values[1];
      if (key === undefined) throw new LuaError('table index is nil');
      meter.allocate(32);
      tableArgument(values, 0, 'rawset').set(key, values[2]);
      return [values[0]];
    },
    select: (values) => {
      const [which, ...rest] = values;
      if (which === '#') return [rest.length];
      const index = numberArgument(values, 0, 'select');
      if (index === 0) return badArgument(0, 'select', 'index out of range');
      return index < 0 ? rest.slice(index) : rest.slice(index - 1);
    },
    setmetatable: (values) => {
      const table = tableArgument(values, 0, 'setmetatable');
      if (table.meta?.get('__metatable') !== undefined) throw new LuaError('cannot change a protected metatable');
      table.meta = values[1] === undefined ? undefined : tableArgument(values, 1, 'setmetatable');
      return [table];
    },
    tonumber: (values) => {
      const base = numberArgument(values, 1, 'tonumber', 10);
      const [value] = values;
      if (base === 10) return [numberOf(value)];
      const text = String(value).trim().toLowerCase();
      const digits = [...text].map((digit) => Number.parseInt(digit, 36));
      if (text === '' || digits.some((digit) => !(digit < base))) return [undefined];
      return [Number.parseInt(text, base)];
    },
    tostring: ([value]) => [operators.text(value)],
    type: (values) => (values.length === 0 ? badArgument(0, 'type', 'value expected') : [typeOf(values[0])]),
    unpack: (values) => unpack(runtime, values),
  });
  base.set('getfenv', { name: 'getfenv', call: () => [globals] });
  return base;
}

function unpack({ meter }: Runtime, values: readonly Value[]): readonly Value[] {
  const table = tableArgument(values, 0, 'unpack');
  const from = numberArgument(values, 1, 'unpack', 1);
  const to = numberArgument(values, 2, 'unpack', table.length());
  if (to - from > 100_000) throw new LuaError('too many results to unpack');
  meter.allocate(Math.max(0, to - from) * 8);
  const unpacked: Value[] = [];
  for (let index = from; index <= to; index++) unpacked.push(table.get(index));
  return unpacked;
}

function protect(attempt: () => readonly Value[], handle?: (value: Value) => readonly Value[]): readonly Value[] {
  try {
    return [true, ...attempt()];
  } catch (thrown) {
    if (thrown instanceof RangeError) return [false, 'stack overflow'];
    if (!(thrown instanceof LuaError)) throw thrown;
    return [false, ...(handle === undefined ? [thrown.value] : handle(thrown.value))];
  }
}

function openTables({ operators, meter }: Runtime): LuaTable {
  return library({
    concat: (values) => {
      const table = tableArgument(values, 0, 'concat');
      const separator = values[1] === undefined ? '' : operators.text(values[1]);
      const from = numberArgument(values, 2, 'concat', 1);
      const to = numberArgument(values, 3, 'concat', table.length());
      let text = '';
      for (let index = from; index <= to; index++) {
        const value = table.get(index);
        if (typeof value !== 'string' && typeof value !== 'number') {
          throw new LuaError(`invalid value (${typeOf(value)}) at index ${index} in table for 'concat'`);
        }
        const piece = operators.text(value) + (index < to ? separator : '');
        meter.allocate(piece.length);
        text += piece;
      }
      return [text];
    },
    getn: (values) => [tableArgument(values, 0, 'getn').length()],
    insert: (values) => {
      const table = tableArgument(values, 0, 'insert');
      meter.allocate(32);
      const { length } = table.list;
      if (values.length < 3) table.set(length + 1, values[1]);
      else {
        const position = numberArgument(values, 1, 'insert');
        meter.step(length / 16);
        if (position >= 1 && position <= length) table.list.splice(position - 1, 0, values[2]);
        else table.set(position, values[2]);
      }
      return [];
    },
    maxn: (values) => {
      let most = 0;
      for (const [key] of tableArgument(values, 0, 'maxn').entries())
        if (typeof key === 'number' && key > most) most = key;
      return [most];
    },
    remove: (values) => {
      const { list } = tableArgument(values, 0, 'remove');
      const position = numberArgument(values, 1, 'remove', list.length);
      meter.step(list.length / 16);
      return position < 1 || position > list.length ? [] : list.splice(position - 1, 1);
    },
    sort: (values) => {
      const { list } = tableArgument(values, 0, 'sort');
      const order = values[1];
      const isLess = (left: Value, right: Value): boolean => {
        meter.step();
        return isFunction(order) ? truthy(operators.call(order, [left, right])[0]) : operators.less(left, right, false);
      };
      list.sort((left, right) => (isLess(left, right) ? -1 : Number(isLess(right, left))));
      return [];
    },
  });
}

function openMath(): LuaTable {
  const one = (name: string, compute: (number: number) => number): [string, Body] => [
    name,
    (values) => [compute(numberArgument(values, 0, name))],
  ];
  const simple = [
    'abs',
    'acos',
    'asin',
    'atan',
    'ceil',
    'cos',
    'cosh',
    'exp',
    'floor',
    'log',
    'log10',
    'sin',
    'sinh',
    'sqrt',
    'tan',
    'tanh',
  ] as const;
  const remainder: Body = (values) => [numberArgument(values, 0, 'fmod') % numberArgument(values, 1, 'fmod')];
  const math = library({
    ...Object.fromEntries(simple.map((name) => one(name, Math[name]))),
    ...Object.fromEntries([
      one('deg', (angle) => (angle * 180) / Math.PI),
      one('rad', (angle) => (angle * Math.PI) / 180),
    ]),
    atan2: (values) => [Math.atan2(numberArgument(values, 0, 'atan2'), numberArgument(values, 1, 'atan2'))],
    fmod: remainder,
    mod: remainder,
    ldexp: (values) => [numberArgument(values, 0, 'ldexp') * 2 ** numberArgument(values, 1, 'ldexp')],
    max: (values) => [Math.max(...values.map((_, index) => numberArgument(values, index, 'max')))],
    min: (values) => [Math.min(...values.map((_, index) => numberArgument(values, index, 'min')))],
    modf: (values) => {
      const number = numberArgument(values, 0, 'modf');
      return [Math.trunc(number), number - Math.trunc(number)];
    },
    pow: (values) => [numberArgument(values, 0, 'pow') ** numberArgument(values, 1, 'pow')],
    // The same health for the same object: there is no chance in it.
    random: (values) => [values.length === 0 ? 0.5 : values.length === 1 ? 1 : numberArgument(values, 0, 'random')],
    randomseed: () => [],
  });
  math.set('pi', Math.PI);
  math.set('huge', Infinity);
  return math;
}

function openClock(nowMs: () => number): LuaTable {
  return library({
    clock: () => [0],
    date: (values) => {
      const format = values[0] === undefined ? '%c' : String(values[0]);
      const seconds = numberArgument(values, 1, 'date', Math.floor(nowMs() / 1_000));
      const date = dateText(format, seconds);
      if (typeof date === 'string') return [date];
      const table = new LuaTable();
      for (const [field, value] of Object.entries(date)) table.set(field, value);
      return [table];
    },
    difftime: (values) => [numberArgument(values, 0, 'difftime') - numberArgument(values, 1, 'difftime', 0)],
    time: (values) => {
      if (values[0] === undefined) return [Math.floor(nowMs() / 1_000)];
      const table = tableArgument(values, 0, 'time');
      return [timeOf((field) => numberOf(table.get(field)))];
    },
  });
}
