import { Wasi, type World } from './wasi.ts';

/** What `native/renderer/internal/wasmabi` exports. */
interface GuestExports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  alloc(length: number): number;
  run(): number;
  replyPtr(): number;
  release(collect: number): void;
  heap(statistic: number): bigint;
}

export type GuestFailureReason = 'memory' | 'stack' | 'crash';

export class GuestFailure extends Error {
  readonly reason: GuestFailureReason;

  constructor(reason: GuestFailureReason, message: string, cause: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

/**
 * The collector runs between renders, not inside of them: the fastest of the policies measured, and it keeps linear
 * memory, which never shrinks, below 140 MB. Above the soft limit the collector does run inside.
 */
const ENVIRONMENT = { GOGC: 'off', GOMEMLIMIT: '96MiB' };
const COLLECT_ABOVE_BYTES = 48 * 1024 * 1024;

/** One instance of the module: one call at a time, not to be used again after a failure. */
export class Guest {
  readonly #exports: GuestExports;
  readonly #wasi: Wasi;

  constructor(module: WebAssembly.Module, world: World) {
    this.#wasi = new Wasi(world, ENVIRONMENT);
    const host = { reseed: (at: number, length: number) => this.#wasi.reseed(at >>> 0, length) };
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: this.#wasi.imports, host });
    this.#exports = instance.exports as unknown as GuestExports;
    this.#wasi.bind(this.#exports.memory);
    this.#exports._initialize();
  }

  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /** Answers one frame; `release` has to follow. Throws `GuestFailure`. */
  call(frame: Uint8Array, world: World): Uint8Array<ArrayBuffer> {
    this.#wasi.enter(world);
    const { alloc, run, replyPtr, memory } = this.#exports;
    try {
      const input = alloc(frame.length) >>> 0;
      new Uint8Array(memory.buffer).set(frame, input);
      const length = run() >>> 0;
      const output = replyPtr() >>> 0;
      return new Uint8Array(memory.buffer).slice(output, output + length);
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  /** Forgets the last call, and collects what it left where that is much. Throws `GuestFailure`. */
  release(): void {
    const { release, heap } = this.#exports;
    try {
      release(heap(0) > COLLECT_ABOVE_BYTES ? 1 : 0);
    } catch (thrown) {
      throw this.#failure(thrown);
    }
  }

  #failure(thrown: unknown): GuestFailure {
    const stderr = this.#wasi.takeStderr();
    const fatal = /^(?:fatal error|panic|runtime): .*$/m.exec(stderr)?.[0];
    const message = fatal ?? (thrown instanceof Error ? thrown.message : String(thrown));
    if (/out of memory|cannot allocate/.test(stderr)) return new GuestFailure('memory', message, thrown);
    const overflowed = thrown instanceof RangeError || /stack overflow|stack exceeds/.test(stderr);
    return new GuestFailure(overflowed ? 'stack' : 'crash', message, thrown);
  }
}
