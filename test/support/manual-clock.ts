import type { Clock } from '@plumb/core';

interface Due {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until a test moves it. With `instantSleep`, sleeping takes no real time: the clock jumps, and
 * `sleptMs` says by how much, so that waits can be checked without waiting. Timers fire only when the test says so.
 */
export class ManualClock implements Clock {
  readonly sleptMs: number[] = [];
  readonly #instantSleep: boolean;
  readonly #due = new Set<Due>();
  #elapsed = 0;

  constructor(options: { readonly instantSleep?: boolean } = {}) {
    this.#instantSleep = options.instantSleep === true;
  }

  /** Timers and sleeps that have not fired: none may be left when what used them is disposed of. */
  get pending(): number {
    return this.#due.size;
  }

  now(): number {
    return 1_800_000_000_000 + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  async sleep(ms: number, options: { readonly signal: AbortSignal }): Promise<void> {
    const { signal } = options;
    signal.throwIfAborted();
    this.sleptMs.push(ms);
    if (this.#instantSleep) {
      this.#elapsed += ms;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    using _timer = this.timer(ms, resolve);
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  timer(ms: number, callback: () => void): Disposable {
    const due: Due = { at: this.#elapsed + ms, callback };
    this.#due.add(due);
    return { [Symbol.dispose]: () => this.#due.delete(due) };
  }

  /** Lets time pass: what falls due fires in its order, each at its own time. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#due.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.callback();
    }
    this.#elapsed = end;
  }
}
