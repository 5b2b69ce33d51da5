import type { Clock, Pause } from '@plumb/core';

export interface DeletionBreakerOptions {
  readonly clock: Clock;
  /** How many objects all targets of the cluster have. */
  objectCount(): number;
  /** Epoch milliseconds of the deletions that are on record. */
  readonly recorded: readonly number[];
  /** Epoch milliseconds until when nothing goes, as `freeze` has said; one that is over counts for nothing. */
  readonly frozenUntil?: number;
}

/** How long a deletion counts. */
export const BREAKER_WINDOW_MS = 10 * 60_000;
/** After a cluster was set back to an older state nothing is deleted for so long. */
const FREEZE_MS = 15 * 60_000;
const MAX_PERCENT = 2;
/** As much as one application may delete by default: small clusters would else stop at every change. */
const ALWAYS_ALLOWED = 25;

/**
 * Of all applications together no more than 2 % of the objects go in ten minutes without being asked (25 always may): what
 * takes a little of each application, and so stays below every budget, is a fault. Then the deletions of all of them wait
 * until the last one is ten minutes old. What a person approved goes all the same, and does not count.
 */
export class DeletionBreaker {
  readonly #clock: Clock;
  readonly #objectCount: () => number;
  /** Epoch milliseconds, oldest first. */
  #deletions: number[];
  /** Monotonic milliseconds. */
  #trippedUntil = -Infinity;
  #frozenUntil = -Infinity;

  constructor({ clock, objectCount, recorded, frozenUntil = 0 }: DeletionBreakerOptions) {
    this.#clock = clock;
    this.#objectCount = objectCount;
    this.#deletions = [...recorded];
    // Should the clock have been set back meanwhile, it is for no longer than a freeze lasts.
    const leftMs = Math.min(FREEZE_MS, frozenUntil - clock.now());
    if (leftMs > 0) this.#frozenUntil = clock.monotonic() + leftMs;
  }

  /** Why so many more deletions have to wait; undefined where they need not. */
  pause(count: number): Pause | undefined {
    const now = this.#clock.monotonic();
    if (now < this.#frozenUntil) {
      const reason = 'the cluster has been set back to an older state, so nothing is deleted for 15 minutes';
      return { reason, until: this.#frozenUntil, isFrozen: true };
    }
    this.#forgetOld();
    const total = this.#objectCount();
    const limit = Math.max(ALWAYS_ALLOWED, Math.floor((total * MAX_PERCENT) / 100));
    const may = `no more than ${limit} of ${total} objects of this cluster may go in 10 minutes without being asked`;
    if (count > limit) return { reason: `${count} objects would go, and ${may}`, until: undefined, isFrozen: false };
    const before = this.#deletions.length;
    const isOver = before + count > limit;
    if (!isOver && now >= this.#trippedUntil) return undefined;
    const newest = this.#deletions.at(-1) ?? this.#clock.now();
    const until = isOver ? now + Math.max(0, newest + BREAKER_WINDOW_MS - this.#clock.now()) : this.#trippedUntil;
    const reason = `the deletions of all applications wait: ${before} objects went lately, and ${may}`;
    return { reason, until: Math.max(until, this.#trippedUntil), isFrozen: false };
  }

  /** A set had to wait: so has everybody else. */
  trip(until: number): void {
    this.#trippedUntil = Math.max(this.#trippedUntil, until);
  }

  /**
   * The cluster has an older state than it had: what was deleted, and what was made, need not be so any more. Answers until
   * when nothing goes, in epoch milliseconds; undefined where that is no news.
   */
  freeze(): number | undefined {
    const isNews = this.#clock.monotonic() >= this.#frozenUntil;
    this.#frozenUntil = this.#clock.monotonic() + FREEZE_MS;
    return isNews ? this.#clock.now() + FREEZE_MS : undefined;
  }

  /** So many are deleted now. */
  took(count: number): void {
    const now = this.#clock.now();
    for (let left = count; left > 0; left -= 1) this.#deletions.push(now);
  }

  #forgetOld(): void {
    const since = this.#clock.now() - BREAKER_WINDOW_MS;
    if ((this.#deletions[0] ?? Infinity) < since) this.#deletions = this.#deletions.filter((at) => at >= since);
  }
}
