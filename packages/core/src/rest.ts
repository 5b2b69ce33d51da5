import { formatWhere, type PlumbError } from './error.ts';
import type { Rest } from './step.ts';
import type { HeadlineState } from './target-facts.ts';

export function rest(
  state: HeadlineState,
  message: string,
  more: Partial<Omit<Rest, 'do' | 'state' | 'message'>> = {},
): Rest {
  return { do: 'rest', state, message, failures: [], deletions: { verdict: 'none' }, wakeAt: undefined, ...more };
}

/** The first error with its place, and how many there are besides. */
export function sentence(errors: readonly PlumbError[], since?: string): string {
  const first = errors[0];
  if (first === undefined) return '';
  const place = first.where?.line === undefined ? '' : `${formatWhere(first.where)}: `;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return `${place}${first.message}${more}${since === undefined ? '' : `, since ${since}`}`;
}

export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
