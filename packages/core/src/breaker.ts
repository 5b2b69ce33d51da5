/**
 * The breaker across applications: a fault that looks like many small deletions at once passes every budget, so all targets
 * together may delete a fiftieth of a cluster's managed objects in ten minutes without being asked. At least 25, as many
 * as one application's budget lets go, or small clusters could not be worked with.
 */
export const BREAKER_WINDOW_MS = 10 * 60_000;
const BREAKER_PERCENT = 2;
const BREAKER_FLOOR = 25;

export interface BreakerFacts {
  readonly limit: number;
  /** Deletions in the last ten minutes. */
  readonly used: number;
  /** After how many milliseconds a set of this size fits; undefined where it fits now, or never will by waiting. */
  waitMsFor(count: number): number | undefined;
}

export function breakerLimit(managed: number): number {
  return Math.max(BREAKER_FLOOR, Math.floor((managed * BREAKER_PERCENT) / 100));
}

/** Why a set of this size has to wait; undefined where it may go. */
export function whyTripped(count: number, { limit, used }: BreakerFacts): string | undefined {
  if (used + count <= limit) return undefined;
  return `all applications together may delete ${limit} objects in 10 minutes without being asked, and ${used} of these are used up`;
}
