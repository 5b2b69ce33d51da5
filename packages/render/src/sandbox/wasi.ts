import { createHash } from 'node:crypto';

/**
 * All that a guest can see of the world: a WASI preview 1 in which every file, folder and socket call answers "bad file
 * descriptor", time stands still, and randomness is drawn from a seed. Same input, same output; and no way out, because
 * there is nothing behind the calls. (`node:wasi` hands out real descriptors and says itself that it is no sandbox.)
 */
export interface World {
  /** Milliseconds since the epoch that the guest reads as now. */
  readonly nowMs: number;
  readonly seed: string;
}

class GuestExit extends Error {}

const OK = 0;
const EBADF = 8;
const EINVAL = 28;
const ENOSYS = 52;

const STDOUT = 1;
const STDERR = 2;
const REALTIME = 0;
const CHARACTER_DEVICE = 2;
const CLOCK_SUBSCRIPTION = 0;
const ABSOLUTE_TIME = 1;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;
const MAX_STDERR_CHARS = 64 * 1024;
/** How far each reading moves the monotonic clock, so that the guest's scheduler sees time pass. */
const TICK_NS = 1000n;

type HostFunction = (...args: readonly never[]) => number;

export class Wasi {
  readonly imports: Record<string, HostFunction>;
  #memory: WebAssembly.Memory | undefined;
  #world: World;
  #monotonicNs = 0n;
  /** What randomness is for: the template that runs. */
  #part = '';
  #drawn = 0;
  #stderr = '';
  readonly #decoder = new TextDecoder();

  constructor(world: World, environment: Readonly<Record<string, string>>) {
    this.#world = world;
    const known = this.#functions(environment);
    this.imports = new Proxy(known, { get: (functions, name) => functions[String(name)] ?? (() => EBADF) });
  }

  bind(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** A new world for the next call: time and randomness begin anew, and what an earlier call complained of is past. */
  enter(world: World): void {
    this.#world = world;
    this.#part = '';
    this.#drawn = 0;
    this.#stderr = '';
  }

  /** Randomness begins anew for a part of the call, told by the name at this place of memory: see `abi.go`. */
  reseed(at: number, length: number): void {
    this.#part = this.#decoder.decode(this.#bytes.subarray(at, at + length));
    this.#drawn = 0;
  }

  takeStderr(): string {
    const text = this.#stderr;
    this.#stderr = '';
    return text;
  }

  get #view(): DataView {
    return new DataView(this.#buffer);
  }

  get #bytes(): Uint8Array {
    return new Uint8Array(this.#buffer);
  }

  get #buffer(): ArrayBuffer {
    if (this.#memory === undefined) throw new Error('the guest called before its memory was bound');
    return this.#memory.buffer;
  }

  #functions(environment: Readonly<Record<string, string>>): Record<string, HostFunction> {
    // argv must not be empty: the Go runtime reads its first entry.
    const argv = this.#stringList(['render']);
    const env = this.#stringList(Object.entries(environment).map(([name, value]) => `${name}=${value}`));
    return {
      args_sizes_get: argv.sizes,
      args_get: argv.get,
      environ_sizes_get: env.sizes,
      environ_get: env.get,
      clock_time_get: (clock: number, _precision: bigint, out: number) => {
        this.#view.setBigUint64(out, this.#readClock(clock), true);
        return OK;
      },
      random_get: (at: number, length: number) => {
        this.#draw(this.#bytes.subarray(at, at + length));
        return OK;
      },
      sched_yield: () => OK,
      proc_exit: (code: number): number => {
        throw new GuestExit(`the guest ended with code ${code}`);
      },
      fd_write: (fd: number, vectors: number, count: number, written: number) =>
        this.#write(fd, vectors, count, written),
      // Go's os package asks about descriptors 0 to 2 when it starts.
      fd_fdstat_get: (fd: number, out: number) => {
        if (fd > STDERR) return EBADF;
        this.#bytes.fill(0, out, out + 24);
        this.#view.setUint8(out, CHARACTER_DEVICE);
        return OK;
      },
      fd_fdstat_set_flags: (fd: number) => (fd > STDERR ? EBADF : OK),
      poll_oneoff: (subscriptions: number, events: number, count: number, stored: number) =>
        this.#poll(subscriptions, events, count, stored),
    };
  }

  #stringList(texts: readonly string[]): { readonly sizes: HostFunction; readonly get: HostFunction } {
    const items = texts.map((text) => new TextEncoder().encode(`${text}\0`));
    return {
      sizes: (countOut: number, bytesOut: number) => {
        this.#view.setUint32(countOut, items.length, true);
        this.#view.setUint32(
          bytesOut,
          items.reduce((sum, item) => sum + item.length, 0),
          true,
        );
        return OK;
      },
      get: (pointers: number, data: number) => {
        let at = data;
        for (const [index, item] of items.entries()) {
          this.#view.setUint32(pointers + 4 * index, at, true);
          this.#bytes.set(item, at);
          at += item.length;
        }
        return OK;
      },
    };
  }

  #readClock(clock: number): bigint {
    if (clock === REALTIME) return BigInt(Math.round(this.#world.nowMs)) * 1_000_000n;
    this.#monotonicNs += TICK_NS;
    return this.#monotonicNs;
  }

  /** SHA-256 in counter mode over the seed and the part. */
  #draw(into: Uint8Array): void {
    for (let at = 0; at < into.length; this.#drawn++) {
      const block = createHash('sha256')
        .update(JSON.stringify([this.#drawn, this.#part, this.#world.seed]))
        .digest();
      const part = block.subarray(0, into.length - at);
      into.set(part, at);
      at += part.length;
    }
  }

  #write(fd: number, vectors: number, count: number, written: number): number {
    if (fd !== STDOUT && fd !== STDERR) return EBADF;
    let total = 0;
    for (let index = 0; index < count; index++) {
      const at = this.#view.getUint32(vectors + 8 * index, true);
      const length = this.#view.getUint32(vectors + 8 * index + 4, true);
      total += length;
      const room = MAX_STDERR_CHARS - this.#stderr.length;
      if (room > 0) this.#stderr += this.#decoder.decode(this.#bytes.subarray(at, at + Math.min(length, room)));
    }
    this.#view.setUint32(written, total, true);
    return OK;
  }

  /** Waiting only: the Go scheduler parks here when every goroutine waits for a timer. The clock jumps instead. */
  #poll(subscriptions: number, events: number, count: number, stored: number): number {
    if (count === 0) return EINVAL;
    const view = this.#view;
    let soonest: { readonly waitNs: bigint; readonly user: bigint } | undefined;
    for (let index = 0; index < count; index++) {
      const at = subscriptions + SUBSCRIPTION_BYTES * index;
      if (view.getUint8(at + 8) !== CLOCK_SUBSCRIPTION) return ENOSYS;
      let waitNs = view.getBigUint64(at + 24, true);
      if ((view.getUint16(at + 40, true) & ABSOLUTE_TIME) !== 0)
        waitNs -= this.#readClock(view.getUint32(at + 16, true));
      if (soonest === undefined || waitNs < soonest.waitNs) soonest = { waitNs, user: view.getBigUint64(at, true) };
    }
    if (soonest === undefined) return EINVAL;
    if (soonest.waitNs > 0n) this.#monotonicNs += soonest.waitNs;
    this.#bytes.fill(0, events, events + EVENT_BYTES);
    view.setBigUint64(events, soonest.user, true);
    view.setUint32(stored, 1, true);
    return OK;
  }
}
