/**
 * A quantity as the API server reads it (`500m`, `1.5Gi`, `2e3`, a plain number): an exact whole number of billionths, so
 * that two spellings of one amount are the same number. Undefined where it is none. Finer than a billionth is rounded up,
 * as the server does.
 */
export function parseQuantity(text: string): bigint | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const scale = scaleOf(suffix);
  if (scale === undefined) return undefined;
  const digits = BigInt(whole + fraction);
  const decimals = fraction.length - scale.tens - NANO_DIGITS;
  const scaled = digits * scale.times;
  const nanos = decimals <= 0 ? scaled * 10n ** BigInt(-decimals) : divideUp(scaled, 10n ** BigInt(decimals));
  return sign === '-' ? -nanos : nanos;
}

/** As the server rounds the resources of a container: up to thousandths. */
export function roundToMilli(nanos: bigint): bigint {
  const step = 1_000_000n;
  return nanos < 0n ? -(divideUp(-nanos, step) * step) : divideUp(nanos, step) * step;
}

const QUANTITY = /^([+-])?(\d*)(?:\.(\d*))?([A-Za-z]*|[eE][+-]?\d+)$/;
const NANO_DIGITS = 9;
/** More would only build numbers that fill the memory; the largest amount that Kubernetes keeps has 19 digits. */
const MAX_EXPONENT = 100;

const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Readonly<Record<string, number>> = { '': 0, n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

function scaleOf(suffix: string): { readonly tens: number; readonly times: bigint } | undefined {
  const binary = BINARY.indexOf(suffix);
  if (binary >= 0) return { tens: 0, times: 1024n ** BigInt(binary + 1) };
  if (Object.hasOwn(DECIMAL, suffix)) return { tens: DECIMAL[suffix] ?? 0, times: 1n };
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > MAX_EXPONENT) return undefined;
  return { tens: Number(exponent), times: 1n };
}

function divideUp(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}
