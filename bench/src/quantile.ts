/** The middle, and what all but one in twenty stay below: for humans, who remember the slow ones. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** The smallest of the values that at least this share of them does not exceed; NaN where there is none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function spreadOf(values: readonly number[]): Spread {
  return { p50: quantile(values, 0.5), p95: quantile(values, 0.95) };
}
