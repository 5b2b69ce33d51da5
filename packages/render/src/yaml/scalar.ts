/**
 * Plain scalars as Kubernetes reads them: the resolver of go.yaml.in/yaml/v2 (YAML 1.1 with exceptions), which
 * sigs.k8s.io/yaml 1.6 is built on. The sandbox's `decode` runs that very code, and a property test compares the two.
 *
 * What differs from YAML 1.2: `yes`, `on`, `y` and their opposites are booleans, `0777` is octal, `1_000` is a number.
 * What differs from YAML 1.1: dates and `1:30` stay text, and a float too large for 64 bits stays text.
 */

/** A number that JavaScript (and most JSON readers) would not keep exactly. */
export const OUT_OF_RANGE = Symbol('out of range');

export type PlainValue = null | boolean | number | string | typeof OUT_OF_RANGE;

const NAMED: ReadonlyMap<string, PlainValue> = new Map<string, PlainValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((text) => [text, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((text) => [text, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((text) => [text, false] as const),
  ...['.nan', '.NaN', '.NAN'].map((text) => [text, OUT_OF_RANGE] as const),
  ...['', '+', '-'].flatMap((sign) => ['.inf', '.Inf', '.INF'].map((text) => [sign + text, OUT_OF_RANGE] as const)),
]);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
/** Go's float literal: underscores may stand between digits. Only asked where the text begins with a point. */
const POINT_FLOAT = /^\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?$/;
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]*)|([1-9][0-9]*))$/;
/** A quirk kept for equality: after `0b` the reader tries once more and takes a sign there. */
const SIGNED_BINARY = /^0b([-+][01]+)$/;

/** The value of an unquoted, untagged scalar. */
export function resolvePlain(text: string): PlainValue {
  const first = text.charCodeAt(0);
  // Most scalars begin with a letter that no special value begins with.
  if (!mayBeSpecial(first)) return text;
  const named = NAMED.get(text);
  if (named !== undefined) return named;
  if (first === POINT) return POINT_FLOAT.test(text) ? finiteOrText(text.replaceAll('_', ''), text) : text;
  if (!isDigit(first) && first !== PLUS && first !== MINUS) return text;
  const digits = text.includes('_') ? text.replaceAll('_', '') : text;
  return resolveInteger(digits) ?? (FLOAT.test(digits) ? finiteOrText(digits, text) : text);
}

function resolveInteger(digits: string): number | typeof OUT_OF_RANGE | undefined {
  const match = INTEGER.exec(digits);
  if (match === null) {
    const binary = SIGNED_BINARY.exec(digits)?.[1];
    return binary === undefined ? undefined : exactInteger(parseInt(binary, 2));
  }
  const [, sign, hex, binary, octal, leadingZero, decimal] = match;
  const magnitude =
    decimal !== undefined
      ? Number(decimal)
      : hex !== undefined
        ? parseInt(hex, 16)
        : binary !== undefined
          ? parseInt(binary, 2)
          : parseInt(octal ?? (leadingZero || '0'), 8);
  return exactInteger(sign === '-' ? -magnitude : magnitude);
}

function exactInteger(value: number): number | typeof OUT_OF_RANGE {
  return Number.isSafeInteger(value) ? value + 0 : OUT_OF_RANGE; // "+ 0" makes -0 a plain 0
}

function finiteOrText(digits: string, text: string): number | string {
  const value = Number(digits);
  return Number.isFinite(value) ? value : text;
}

/**
 * An unquoted, untagged mapping key as text, as sigs.k8s.io/yaml converts it: integers in decimal, booleans as
 * `true`/`false`, floats with Go's `FormatFloat(x, 'g', -1, 32)`. Undefined for null, which it refuses.
 */
export function resolvePlainKey(text: string): string | typeof OUT_OF_RANGE | undefined {
  const value = resolvePlain(text);
  if (value === null) return undefined;
  if (typeof value !== 'number') return typeof value === 'boolean' ? String(value) : value;
  return resolveInteger(text.replaceAll('_', '')) === undefined ? floatKeyText(value) : String(value);
}

/** The key of a float: the shortest digits that name the same 32-bit float, in exponent form below 1e-4 and from 1e6. */
function floatKeyText(value: number): string {
  const single = Math.fround(value);
  if (single === 0) return Object.is(single, -0) ? '-0' : '0';
  if (!Number.isFinite(single)) return single > 0 ? '.inf' : '-.inf';
  let digits = 1;
  while (digits < 9 && Math.fround(Number(roundToEven(single, digits))) !== single) digits++;
  const [mantissa = '', exponent = '0'] = roundToEven(single, digits).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return Number(`${mantissa}e${power}`).toFixed(Math.max(0, digits - 1 - power));
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** `toExponential` takes the larger of two equally near decimals, Go the even one. */
function roundToEven(value: number, digits: number): string {
  const rounded = value.toExponential(digits - 1);
  const [mantissa = '', exponent = ''] = value.toExponential(60).split('e');
  const tail = mantissa.replaceAll(/[-.]/g, '').slice(digits);
  const truncated = mantissa.slice(0, -tail.length).replace(/\.$/, '');
  const isTie = /^50*$/.test(tail);
  return isTie && /[02468]$/.test(truncated) ? `${truncated}e${exponent}` : rounded;
}

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const SPECIAL = new Set(Array.from('yYnNtTfFoO~+-.0123456789', (char) => char.charCodeAt(0)));

function mayBeSpecial(code: number): boolean {
  return Number.isNaN(code) || SPECIAL.has(code);
}
