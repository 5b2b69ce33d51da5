import { LuaError, LuaLimit } from './value.ts';

export interface LuaLimits {
  /** Default 1,000 ms, as Argo CD gives a script. */
  readonly timeMs: number;
  /** All that a script makes, also what it let go again; default 64 MiB. */
  readonly memoryBytes: number;
}

/** Calls within calls, as many as gopher-lua has room for. */
const MAX_DEPTH = 200;

/** Steps between two looks at the clock: a step takes well under a microsecond. */
const STEPS_PER_LOOK = 1_000;

/** Counts what a script uses. Every loop, call, match and allocation passes here, so that none can run on unseen. */
export class Meter {
  readonly #limits: LuaLimits;
  readonly #now: () => number;
  readonly #start: number;
  #steps = 0;
  #bytes = 0;
  #depth = 0;

  constructor(limits: LuaLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#start = now();
  }

  step(count = 1): void {
    this.#steps += count;
    if (this.#steps < STEPS_PER_LOOK) return;
    this.#steps = 0;
    if (this.#now() - this.#start <= this.#limits.timeMs) return;
    throw new LuaLimit('time', `the script ran longer than ${this.#limits.timeMs} ms`);
  }

  allocate(bytes: number): void {
    this.#bytes += bytes;
    this.step(bytes / 64);
    if (this.#bytes <= this.#limits.memoryBytes) return;
    throw new LuaLimit('memory', `the script made more than ${Math.floor(this.#limits.memoryBytes / 2 ** 20)} MiB`);
  }

  enter(): void {
    if (++this.#depth > MAX_DEPTH) {
      this.#depth--;
      throw new LuaError('stack overflow');
    }
    this.step();
  }

  leave(): void {
    this.#depth--;
  }
}
