import { isJsonObject, isPrintable } from '@plumb/core';
import { jsonText } from './json-text.ts';

/**
 * A value as YAML that every YAML 1.1 and 1.2 reader decodes to the same value: block style, keys in the order given,
 * plain text only where no reader could take it for something else, everything else quoted as JSON (which is YAML).
 */
export function yamlText(value: unknown): string {
  return isContainer(value) ? block(value, 0).join('\n') + '\n' : `${scalar(value, 0)}\n`;
}

type Container = readonly unknown[] | { readonly [key: string]: unknown };

function isContainer(value: unknown): value is Container {
  return (Array.isArray(value) && value.length > 0) || (isJsonObject(value) && fieldsOf(value).length > 0);
}

/** What JSON leaves out is left out here too. */
function fieldsOf(value: { readonly [key: string]: unknown }): readonly (readonly [string, unknown])[] {
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

function block(value: Container, indent: number): string[] {
  const margin = ' '.repeat(indent);
  if (Array.isArray(value)) {
    return (value as readonly unknown[]).flatMap((item) => {
      if (!isContainer(item)) return [`${margin}- ${scalar(item, indent + 2)}`];
      const [first = '', ...rest] = block(item, indent + 2);
      return [`${margin}- ${first.slice(indent + 2)}`, ...rest];
    });
  }
  return fieldsOf(value as { readonly [key: string]: unknown }).flatMap(([key, field]) => {
    const name = `${margin}${isPlain(key) ? key : jsonText(key)}:`;
    if (!isContainer(field)) return [`${name} ${scalar(field, indent + 2)}`];
    // A list stands under its key without further indentation, as everywhere in Kubernetes.
    return [name, ...block(field, Array.isArray(field) ? indent : indent + 2)];
  });
}

function scalar(value: unknown, indent: number): string {
  if (typeof value !== 'string') return jsonText(value);
  if (isPlain(value)) return value;
  return isLiteral(value) ? literal(value, indent) : jsonText(value);
}

const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*(?:[ :@=+,][A-Za-z0-9_./-]+)*$/;
/** Words that some YAML reader takes for a boolean, null or a number. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|nan|inf|_[0-9_,.]*|[._]+|.*:[0-9:.]+)$/i;

function isPlain(text: string): boolean {
  return text.length <= 200 && PLAIN.test(text) && !RESERVED.test(text);
}

/** Several lines that a literal block holds exactly: it can neither begin with a space nor end a line with one. */
function isLiteral(text: string): boolean {
  return (
    text.includes('\n') &&
    !/^[\s]|[ \t]\n|[ \t]$|\t|\n\n$/.test(text) &&
    text !== '\n' &&
    isPrintable(text) &&
    !text.includes('\u2028')
  );
}

function literal(text: string, indent: number): string {
  const margin = ' '.repeat(indent);
  const [chomp, body] = text.endsWith('\n') ? ['|', text.slice(0, -1)] : ['|-', text];
  const lines = body.split('\n').map((line) => (line === '' ? '' : margin + line));
  return [chomp, ...lines].join('\n');
}
