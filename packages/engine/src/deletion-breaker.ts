import { breakerLimit, BREAKER_WINDOW_MS, type BreakerFacts, type Clock } from '@plumb/core';

/**
 * How much all targets together have deleted lately. Each set counts when it is allowed, before its first deletion, so
 * that two targets cannot both take what is left; after a start the ledger's records of deletions count.
 */
export class DeletionBreaker {
  readonly #clock: Clock;
  /** Epoch milliseconds, oldest first. */
  #times: number[];

  constructor(clock: Clock, times: readonly number[]) {
    this.#clock = clock;
    this.#times = times.toSorted((a, b) => a - b);
  }

  /** `managed`: how many objects of the cluster are managed. */
  facts(managed: number): BreakerFacts {
    const now = this.#clock.now();
    this.#times = this.#times.filter((time) => time > now - BREAKER_WINDOW_MS);
    const limit = breakerLimit(managed);
    return {
      limit,
      used: this.#times.length,
      waitMsFor: (count) => {
        // So many of the oldest have to be forgotten first.
        const excess = this.#times.length + count - limit;
        const last = excess <= 0 ? undefined : this.#times[excess - 1];
        return last === undefined ? undefined : last + BREAKER_WINDOW_MS - now;
      },
    };
  }

  count(deletions: number): void {
    const now = this.#clock.now();
    for (let index = 0; index < deletions; index += 1) this.#times.push(now);
  }
}
