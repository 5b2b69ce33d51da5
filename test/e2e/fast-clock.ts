import type { Clock } from '@plumb/core';
import { systemClock } from '@plumb/engine';

export interface FastTime {
  /** Epoch milliseconds at which it shows the same as the machine's clock. */
  readonly anchor: number;
  /** How many of its milliseconds pass in one. */
  readonly factor: number;
}

/**
 * The machine's clock, run faster: for what waits by the clocks of several processes, which show the same time where they
 * have the same anchor.
 */
export function fastClock({ anchor, factor }: FastTime): Clock {
  return {
    now: () => anchor + (systemClock.now() - anchor) * factor,
    monotonic: () => systemClock.monotonic() * factor,
    sleep: (ms, options) => systemClock.sleep(ms / factor, options),
    timer: (ms, callback) => systemClock.timer(ms / factor, callback),
  };
}
