import { createHash } from 'node:crypto';

const MAX_DESCRIPTION_CHARS = 140;

/** At most 140 characters, on one line. */
export function statusDescription(text: string): string {
  return cut(text.replaceAll(/\s+/g, ' ').trim(), MAX_DESCRIPTION_CHARS);
}

/** A name of at most `max` characters that still differs where the whole one does. */
export function shortKey(name: string, max: number): string {
  if (name.length <= max) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${name.slice(0, max - hash.length - 1)}~${hash}`;
}

/** Never between the two halves of a character. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  const end = max - 1;
  const isHalf = /[\ud800-\udbff]/.test(text[end - 1] ?? '');
  return `${text.slice(0, isHalf ? end - 1 : end)}…`;
}
