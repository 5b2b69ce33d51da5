/** The number of calls in flight that a cluster gets, in the range that reached the ends in measurements. */
export const MIN_IN_FLIGHT = 5;
export const START_IN_FLIGHT = 24;
export const MAX_IN_FLIGHT = 100;

export interface Slot extends Disposable {
  /** The server answered: the limit grows by one each time as many calls as it allows went well while others waited. */
  succeeded(): void;
  /** The server asked to slow down (429, 503 with Retry-After): the limit halves, once for all calls of one burst. */
  overloaded(): void;
}

interface Waiter {
  readonly admit: () => void;
}

/**
 * How many calls one cluster gets at once: additive increase, multiplicative decrease, shared by all who call that
 * cluster. First come, first served.
 */
export class ConcurrencyLimit {
  #limit = START_IN_FLIGHT;
  #inFlight = 0;
  #successes = 0;
  #burst = 0;
  readonly #waiting = new Set<Waiter>();

  get limit(): number {
    return this.#limit;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async acquire(options: { readonly signal: AbortSignal }): Promise<Slot> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#inFlight < this.#limit && this.#waiting.size === 0) {
      this.#inFlight++;
      return this.#slot();
    }
    return new Promise<Slot>((resolve, reject) => {
      const waiter: Waiter = {
        admit: () => {
          signal.removeEventListener('abort', leave);
          resolve(this.#slot());
        },
      };
      const leave = (): void => {
        this.#waiting.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #slot(): Slot {
    const burst = this.#burst;
    let held = true;
    return {
      succeeded: () => this.#grow(),
      overloaded: () => this.#shrink(burst),
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        this.#inFlight--;
        this.#admit();
      },
    };
  }

  #grow(): void {
    if (this.#waiting.size === 0 || ++this.#successes < this.#limit) return;
    this.#successes = 0;
    this.#limit = Math.min(MAX_IN_FLIGHT, this.#limit + 1);
  }

  #shrink(burst: number): void {
    this.#successes = 0;
    // Calls that were admitted before the last halving are answers to the old limit.
    if (burst !== this.#burst) return;
    this.#burst++;
    this.#limit = Math.max(MIN_IN_FLIGHT, Math.floor(this.#limit / 2));
  }

  #admit(): void {
    for (const waiter of this.#waiting) {
      if (this.#inFlight >= this.#limit) return;
      this.#waiting.delete(waiter);
      this.#inFlight++;
      waiter.admit();
    }
  }
}
