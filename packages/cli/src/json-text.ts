import { escapeUnprintable } from '@plumb/core';

/**
 * JSON whose text is safe to show: the same value, with the same characters written as escapes; so is the bracket of `##[`,
 * which a runner of GitHub takes for a command wherever it stands.
 */
export function jsonText(value: unknown, indent?: number): string {
  return escapeUnprintable(JSON.stringify(value, undefined, indent) ?? 'null').replaceAll('##[', String.raw`##\u005b`);
}
