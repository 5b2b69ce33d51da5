import type { Clock } from '@plumb/core';
import { systemClock } from '@plumb/engine';

export interface JumpClock extends Clock {
  /** Puts it forward: what is due by then is due now. */
  jump(ms: number): void;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
  inner: Disposable;
}

/** The machine's clock, which a test may put forward: for what waits minutes, whatever the machine takes for the rest. */
export function jumpClock(): JumpClock {
  let offset = 0;
  const timers = new Set<Timer>();
  const monotonic = (): number => systemClock.monotonic() + offset;
  const arm = (timer: Omit<Timer, 'inner'>): Disposable =>
    systemClock.timer(Math.max(0, timer.due - monotonic()), () => {
      timers.delete(timer as Timer);
      timer.callback();
    });
  const timer: Clock['timer'] = (ms, callback) => {
    const made = { due: monotonic() + ms, callback } as Timer;
    made.inner = arm(made);
    timers.add(made);
    return {
      [Symbol.dispose]() {
        timers.delete(made);
        made.inner[Symbol.dispose]();
      },
    };
  };
  return {
    now: () => systemClock.now() + offset,
    monotonic,
    timer,
    async sleep(ms, { signal }) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      using _timer = timer(ms, resolve);
      const leave = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', leave, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener('abort', leave);
      }
    },
    jump(ms) {
      offset += ms;
      for (const one of timers) {
        one.inner[Symbol.dispose]();
        one.inner = arm(one);
      }
    },
  };
}
