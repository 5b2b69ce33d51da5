import type { Clock } from '@plumb/core';

/** A clock that stands still until it is told to go on: tests own time with it. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #due: { at: number; callback: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, { signal }: { readonly signal: AbortSignal }): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = this.timer(ms, resolve);
      signal.addEventListener('abort', () => {
        timer[Symbol.dispose]();
        reject(signal.reason as Error);
      });
    });
  }

  timer(ms: number, callback: () => void): Disposable {
    const entry = { at: this.#now + ms, callback };
    this.#due.push(entry);
    return {
      [Symbol.dispose]: () => {
        const index = this.#due.indexOf(entry);
        if (index >= 0) this.#due.splice(index, 1);
      },
    };
  }

  /** Lets `ms` pass; timers fire in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#due.splice(this.#due.indexOf(next), 1);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}
