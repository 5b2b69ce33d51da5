export interface BackoffRange {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** For what is waited out: a host, an API server, a right that is missing. */
const DEFAULT_RANGE: BackoffRange = { firstMs: 2_000, longestMs: 5 * 60_000 };

/** The pause after so many attempts in a row (from 1): doubled each time, up to the longest. */
export function backoffMs(attempts: number, { firstMs, longestMs }: BackoffRange = DEFAULT_RANGE): number {
  // Past ten doublings every range is at its end; the bound keeps the power finite.
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempts - 1, 10));
}
