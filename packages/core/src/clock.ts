/**
 * Time as a parameter. Only the clock port (`systemClock` in the engine) may read the machine's clock or set timers; lint
 * holds it. Tests own time with a manual clock.
 */
export interface Clock {
  /** Milliseconds since the epoch: what people and records see. */
  now(): number;
  /** Milliseconds that never go backwards: what deadlines and durations are measured with. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Calls back once after `ms`, unless disposed before. Does not keep the process alive. */
  timer(ms: number, callback: () => void): Disposable;
}

/** Randomness as a parameter, for jitter only; secrets come from `node:crypto`. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}
