import type { Json } from '@plumb/core';
import type { PlacedScalar } from '../yaml/layout.ts';
import { resolvePlain, resolvePlainKey } from '../yaml/scalar.ts';

// How a value without parts is written, so that Kubernetes and the other readers of YAML read the same value back.

export interface ScalarContext {
  /** Inside of `[…]` or `{…}`. */
  readonly isFlow: boolean;
  /** Whether everything is written as JSON does. */
  readonly isJson: boolean;
}

type Scalar = null | boolean | number | string;

export function isScalar(value: Json | undefined): value is Scalar {
  return value === null || (typeof value !== 'object' && value !== undefined);
}

/** A scalar on one line; a text in the style that it had, where that can hold it. */
export function scalarToken(value: Scalar, style: PlacedScalar['style'], context: ScalarContext): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  if (style === 'double' || context.isJson) return doubleQuoted(value);
  if (style === 'single') return isPrintable(value) ? `'${value.replaceAll("'", "''")}'` : doubleQuoted(value);
  return isPlain(value, context) && resolvePlain(value) === value ? value : doubleQuoted(value);
}

/** A key on one line. */
export function keyToken(name: string, context: ScalarContext): string {
  const isBare = !context.isJson && isPlain(name, context) && resolvePlainKey(name) === name;
  // What other readers take for a boolean or a number is quoted, also where Kubernetes reads the same key.
  return isBare && typeof resolvePlain(name) === 'string' ? name : doubleQuoted(name);
}

/** JSON's escapes are those of YAML; what no YAML text may hold as it is gets one besides. */
function doubleQuoted(text: string): string {
  return JSON.stringify(text).replaceAll(UNPRINTABLE, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The lines of a `|` scalar, without its header; undefined where only quotes can hold the text. */
export function literalBlock(
  text: string,
  { indent, eol }: { readonly indent: number; readonly eol: string },
): { readonly header: string; readonly lines: string } | undefined {
  const content = text.replace(/\n+$/, '');
  if (content === '' || /^[ \n\t]/.test(content) || !isPrintable(content.replaceAll('\n', ''))) return undefined;
  if (/[ \t]$/m.test(content)) return undefined;
  const trailing = text.length - content.length;
  const pad = ' '.repeat(indent);
  const lines = content.split('\n').map((line) => (line === '' ? '' : pad + line));
  const chomping = trailing === 0 ? '-' : trailing === 1 ? '' : '+';
  return { header: `|${chomping}`, lines: lines.join(eol) + eol.repeat(Math.max(0, trailing - 1)) };
}

const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function isPrintable(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.isWellFormed() && !/[\u0000-\u001f]/.test(text) && text.search(UNPRINTABLE) < 0;
}

/** Stricter than YAML: what any reader could take for something else is quoted. */
function isPlain(text: string, { isFlow }: ScalarContext): boolean {
  if (text === '' || text !== text.trim() || !isPrintable(text)) return false;
  if (/^[?:,[\]{}#&*!|>'"%@`=]/.test(text) || /^-(?:$|\s|-)/.test(text) || text.startsWith('...')) return false;
  if (/:(?:\s|$)|\s#/.test(text) || text === '<<') return false;
  // Dates, and numbers to the base of 60.
  if (/^\d{4}-\d\d?-\d\d?(?:$|[Tt ])|^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text)) return false;
  // Of YAML 1.2: octal numbers. Of any: hexadecimal ones and floats that are out of range.
  if (/^[-+]?(?:0[xXoObB][\da-fA-F_]+|\d[\d_]*(?:\.[\d_]*)?(?:[eE][-+]?\d+)?)$/.test(text)) return false;
  // In flow style readers of YAML 1.1 take a question mark, and a colon before a quote, for the begin of something.
  return !isFlow || !/[,[\]{}?]|:["']/.test(text);
}
