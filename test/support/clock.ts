import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '@plumb/core';

/** The machine's clock, for tests that run real processes. What tests time themselves takes a manual clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, { signal }) {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  },
  timer(ms, callback) {
    const timer = setTimeout(callback, ms).unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};
