import { badArgument, library, numberArgument } from './arguments.ts';
import { type Runtime } from './compile.ts';
import { findPattern, type Match } from './patterns.ts';
import { isFunction, LuaError, LuaTable, numberText, truthy, typeOf, type Value } from './value.ts';

export function openStrings(runtime: Runtime): LuaTable {
  const { operators, meter } = runtime;
  const textArgument = (values: readonly Value[], index: number, name: string): string => {
    const value = values[index];
    if (typeof value === 'string') return value;
    if (typeof value === 'number') return numberText(value);
    return badArgument(index, name, `string expected, got ${value === undefined ? 'no value' : typeOf(value)}`);
  };
  const search = (values: readonly Value[], isFind: boolean): readonly Value[] => {
    const name = isFind ? 'find' : 'match';
    const text = textArgument(values, 0, name);
    const pattern = textArgument(values, 1, name);
    const from = startOf(numberArgument(values, 2, name, 1), text.length);
    if (from > text.length) return [undefined];
    if (isFind && (truthy(values[3]) || !/[\^$*+?.()[\]%-]/.test(pattern))) {
      meter.step(text.length / 16);
      const at = text.indexOf(pattern, from);
      return at < 0 ? [undefined] : [at + 1, at + pattern.length];
    }
    const found = findPattern(text, pattern, from, meter);
    if (found === undefined) return [undefined];
    if (!isFind) return found.captures;
    const captures = /(^|[^%])\(/.test(pattern) ? found.captures : [];
    return [found.start + 1, found.end, ...captures];
  };
  const walk = (values: readonly Value[]): readonly Value[] => {
    const text = textArgument(values, 0, 'gmatch');
    const pattern = textArgument(values, 1, 'gmatch');
    let at = 0;
    const call = (): readonly Value[] => {
      if (at > text.length) return [undefined];
      const found = findPattern(text, pattern, at, meter);
      if (found === undefined) {
        at = text.length + 1;
        return [undefined];
      }
      at = found.end > found.start ? found.end : found.end + 1;
      return found.captures;
    };
    return [{ name: 'gmatch iterator', call }];
  };
  const replacement = (text: string, found: Match, by: Value): string => {
    const whole = text.slice(found.start, found.end);
    const [first] = found.captures;
    let value: Value;
    if (by instanceof LuaTable) value = operators.index(by, first);
    else if (isFunction(by)) value = operators.call(by, found.captures)[0];
    else {
      const template = typeof by === 'number' ? numberText(by) : String(by);
      return template.replaceAll(/%(.?)/gs, (_, sign: string) => {
        if (sign === '0') return whole;
        if (!/[1-9]/.test(sign)) return sign;
        const caught = found.captures[Number(sign) - 1];
        if (caught === undefined) throw new LuaError('invalid capture index');
        return operators.text(caught);
      });
    }
    if (!truthy(value)) return whole;
    if (typeof value === 'string' || typeof value === 'number') return operators.text(value);
    throw new LuaError(`invalid replacement value (a ${typeOf(value)})`);
  };
  const substitute = (values: readonly Value[]): readonly Value[] => {
    const text = textArgument(values, 0, 'gsub');
    const pattern = textArgument(values, 1, 'gsub');
    const by = values[2];
    if (by === undefined || typeof by === 'boolean') {
      return badArgument(2, 'gsub', 'string/function/table expected');
    }
    const most = numberArgument(values, 3, 'gsub', Infinity);
    let result = '';
    let at = 0;
    let count = 0;
    while (count < most && at <= text.length) {
      const found = findPattern(text, pattern, at, meter);
      if (found === undefined) break;
      count++;
      const piece = text.slice(at, found.start) + replacement(text, found, by);
      const isEmpty = found.end === found.start;
      const next = isEmpty ? text.slice(found.end, found.end + 1) : '';
      meter.allocate(piece.length + next.length);
      result += piece + next;
      at = isEmpty ? found.end + 1 : found.end;
      if (pattern.startsWith('^')) break;
    }
    return [result + text.slice(at), count];
  };
  return library({
    byte: (values) => {
      const text = textArgument(values, 0, 'byte');
      const first = numberArgument(values, 1, 'byte', 1);
      const bytes = cut(text, first, numberArgument(values, 2, 'byte', first));
      meter.allocate(bytes.length * 8);
      return Array.from(bytes, (char) => char.charCodeAt(0));
    },
    char: (values) => [
      values.map((_, index) => String.fromCharCode(numberArgument(values, index, 'char') & 255)).join(''),
    ],
    find: (values) => search(values, true),
    format: (values) => {
      const text = format(textArgument(values, 0, 'format'), values, runtime);
      meter.allocate(text.length);
      return [text];
    },
    gfind: walk,
    gmatch: walk,
    gsub: substitute,
    len: (values) => [textArgument(values, 0, 'len').length],
    lower: (values) => [textArgument(values, 0, 'lower').replaceAll(/[A-Z]+/g, (part) => part.toLowerCase())],
    match: (values) => search(values, false),
    rep: (values) => {
      const text = textArgument(values, 0, 'rep');
      const count = Math.max(0, Math.floor(numberArgument(values, 1, 'rep')));
      meter.allocate(text.length * count);
      return [text.repeat(text === '' ? 0 : count)];
    },
    reverse: (values) => [
      Array.from(textArgument(values, 0, 'reverse'))
        .toReversed()
        .join(''),
    ],
    sub: (values) => [
      cut(textArgument(values, 0, 'sub'), numberArgument(values, 1, 'sub', 1), numberArgument(values, 2, 'sub', -1)),
    ],
    upper: (values) => [textArgument(values, 0, 'upper').replaceAll(/[a-z]+/g, (part) => part.toUpperCase())],
  });
}

function startOf(from: number, length: number): number {
  return from < 0 ? Math.max(0, length + from) : Math.max(0, from - 1);
}

function cut(text: string, from: number, to: number): string {
  const end = to < 0 ? text.length + to + 1 : Math.min(to, text.length);
  return text.slice(startOf(Math.trunc(from), text.length), Math.max(0, Math.trunc(end)));
}

function format(template: string, values: readonly Value[], { operators }: Runtime): string {
  let index = 0;
  return template.replaceAll(/%([-+ #0]*)(\d{0,2})(?:\.(\d{0,2}))?(.?)/gs, (...found: readonly unknown[]) => {
    const [whole, flags, width, digits, letter] = found
      .slice(0, 5)
      .map((part) => (typeof part === 'string' ? part : undefined));
    if (letter === '%') return '%';
    index++;
    const text = formatOne(letter ?? '', digits, values, index, operators.text.bind(operators), whole ?? '');
    return pad(text, flags ?? '', Number(width ?? 0), /[sqc]/.test(letter ?? ''));
  });
}

function formatOne(
  letter: string,
  digits: string | undefined,
  values: readonly Value[],
  index: number,
  text: (value: Value) => string,
  whole: string,
): string {
  const number = (): number => numberArgument(values, index, 'format');
  const precision = digits === undefined ? undefined : Number(digits);
  if ('diu'.includes(letter) && letter !== '')
    return String(Math.trunc(number()))
      .replace(/^-0$/, '0')
      .padStart(precision ?? 0, '0');
  if (index >= values.length) return badArgument(index, 'format', 'no value');
  switch (letter) {
    case 's': {
      const value = text(values[index]);
      return precision === undefined ? value : value.slice(0, precision);
    }
    case 'q':
      return `"${text(values[index]).replaceAll(/["\\\n]/g, (char) => `\\${char}`)}"`;
    case 'c':
      return String.fromCharCode(number() & 255);
    case 'f':
      return number().toFixed(precision ?? 6);
    case 'e':
    case 'E': {
      const value = number()
        .toExponential(precision ?? 6)
        .replace(/e([+-])(\d)$/, 'e$10$2');
      return letter === 'E' ? value.toUpperCase() : value;
    }
    case 'g':
    case 'G':
      return general(number(), precision ?? 6);
    case 'x':
      return Math.trunc(number()).toString(16);
    case 'X':
      return Math.trunc(number()).toString(16).toUpperCase();
    case 'o':
      return Math.trunc(number()).toString(8);
    default:
      throw new LuaError(`invalid option '${whole}' to 'format'`);
  }
}

/** `%g`: as few digits as do, without zeros at the end. */
function general(number: number, precision: number): string {
  const digits = Math.max(1, precision);
  const exponent = number === 0 ? 0 : Math.floor(Math.log10(Math.abs(number)));
  if (exponent >= -4 && exponent < digits) return String(Number(number.toPrecision(digits)));
  return number
    .toExponential(digits - 1)
    .replace(/\.?0+e/, 'e')
    .replace(/e([+-])(\d)$/, 'e$10$2');
}

function pad(text: string, flags: string, width: number, isText: boolean): string {
  const signed = flags.includes('+') && !isText && !text.startsWith('-') ? `+${text}` : text;
  if (flags.includes('-')) return signed.padEnd(width);
  if (!flags.includes('0') || isText) return signed.padStart(width);
  const sign = /^[+-]/.exec(signed)?.[0] ?? '';
  return sign + signed.slice(sign.length).padStart(width - sign.length, '0');
}
