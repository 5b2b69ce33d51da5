import type { Clock } from '@plumb/core';
import { Mismatch } from './narrator.ts';

export interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long the story waits for anything before it calls it a mismatch. */
const DEADLINE_MS = 60_000;

/** The promise's value, or a `Mismatch` of the claim with what was `seen` last when it takes too long. */
export async function inTime<T>(
  claim: string,
  promise: Promise<T>,
  seen: () => unknown,
  { clock, signal }: Patience,
): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  using _deadline = clock.timer(DEADLINE_MS, () =>
    reject(new Mismatch(claim, `within ${DEADLINE_MS / 1000} s`, seen())),
  );
  const leave = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', leave, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([promise, over]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
