import type { Clock, Random } from '@plumb/core';

/** A longer one would end at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's clock: the one place that reads it and sets timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep(ms, { signal }) {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      }, ms);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  },
  timer(ms, callback) {
    let timer: NodeJS.Timeout;
    const arm = (rest: number): void => {
      const next = Math.min(rest, LONGEST_TIMEOUT_MS);
      timer = setTimeout(() => (rest > next ? arm(rest - next) : callback()), next);
      timer.unref();
    };
    arm(ms);
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** Jitter only: what must not be guessed comes from `node:crypto`. */
export const systemRandom: Random = { next: () => Math.random() };
