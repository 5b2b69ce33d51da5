import { Worker } from 'node:worker_threads';
import { PlumbError, type Clock } from '@plumb/core';
import { FrameWriter } from './frame.ts';
import type { World } from './wasi.ts';
import type { WorkerInput, WorkerReply, WorkerRequest } from './worker.ts';

export interface SandboxOptions {
  readonly clock: Clock;
  readonly loadModule: () => Promise<WebAssembly.Module>;
  /** Threads at most. */
  readonly size: number;
  /** Whether a thread gets ready for its first call when it starts. Default false. */
  readonly isWarmed?: boolean;
  /** How long one call may run. */
  readonly timeoutMs: number;
}

export interface CallOptions {
  readonly world: World;
  readonly isFresh: boolean;
  /** Whose call it is; calls of one owner leave a thread to the others. Default: nobody's, who is never held back. */
  readonly owner?: string | undefined;
  readonly signal: AbortSignal;
}

interface Job {
  readonly owner: string | undefined;
  readonly request: WorkerRequest;
  readonly resolve: (frame: Uint8Array) => void;
  readonly reject: (reason: unknown) => void;
}

interface Slot {
  readonly worker: Worker;
  isReady: boolean;
  job: Job | undefined;
  /** Ends the call that takes too long, or the thread that nobody needs. */
  timer: Disposable | undefined;
}

/** Linear memory never shrinks, so a thread that once rendered something large is replaced. */
const RECYCLE_ABOVE_BYTES = 192 * 1024 * 1024;
const IDLE_MS = 60_000;
const WARM_UP = new FrameWriter().frame({ op: 'warm' });

/**
 * Threads that run the guest. They start with the first call and end when idle for a minute. A call that runs too long,
 * takes too much memory or crashes takes its thread with it, and nothing else; another one is started at once, so that
 * the next call finds it ready. The calls of one owner never hold all threads: one heavy chart in three environments
 * does not keep everybody else waiting.
 */
export class Sandbox implements AsyncDisposable {
  readonly #options: SandboxOptions;
  readonly #slots = new Set<Slot>();
  readonly #queue: Job[] = [];
  #module: WebAssembly.Module | undefined;
  #isClosed = false;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  /** Answers one frame. Throws `RenderTimeout`, `RenderMemory` or `RenderCrash`, or the signal's reason. */
  async call(frame: Uint8Array, { world, isFresh, owner, signal }: CallOptions): Promise<Uint8Array> {
    signal.throwIfAborted();
    this.#module ??= await this.#options.loadModule();
    signal.throwIfAborted();
    if (this.#isClosed) throw new PlumbError('RenderCrash', 'the renderer is closed');
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const job: Job = { owner, request: { frame, world, isFresh }, resolve, reject };
    const onAbort = () => this.#cancel(job, signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#queue.push(job);
    this.#assign();
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const closed = new PlumbError('RenderCrash', 'the renderer was closed');
    for (const job of this.#queue.splice(0)) job.reject(closed);
    await Promise.all([...this.#slots].map((slot) => this.#end(slot, closed)));
  }

  #assign(): void {
    for (;;) {
      const at = this.#queue.findIndex((job) => this.#mayRun(job));
      const slot = at < 0 ? undefined : this.#idleSlot();
      const [job] = slot === undefined ? [] : this.#queue.splice(at, 1);
      if (slot === undefined || job === undefined) return;
      slot.timer?.[Symbol.dispose]();
      slot.timer = undefined;
      slot.job = job;
      slot.worker.ref();
      if (slot.isReady) this.#post(slot, job);
    }
  }

  #mayRun({ owner }: Job): boolean {
    if (owner === undefined || this.#options.size === 1) return true;
    const held = [...this.#slots].filter((slot) => slot.job?.owner === owner).length;
    return held < this.#options.size - 1;
  }

  #idleSlot(): Slot | undefined {
    for (const slot of this.#slots) if (slot.job === undefined) return slot;
    return this.#slots.size < this.#options.size ? this.#start() : undefined;
  }

  #start(): Slot {
    if (this.#module === undefined) throw new Error('the module must be loaded first');
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: {
        module: this.#module,
        warmUp: this.#options.isWarmed === true ? WARM_UP : undefined,
      } satisfies WorkerInput,
      env: {},
      // The guest's stack is the thread's: the default overflows on deep templates before Go's own limit is reached.
      resourceLimits: { stackSizeMb: 4 },
    });
    const slot: Slot = { worker, isReady: false, job: undefined, timer: undefined };
    this.#slots.add(slot);
    worker.on('message', (reply: WorkerReply) => this.#receive(slot, reply));
    worker.on('error', (cause: Error) => {
      void this.#end(slot, new PlumbError('RenderCrash', `the sandbox broke: ${cause.message}`, { cause }));
    });
    // After an end of our own the slot is gone already, and this does nothing.
    worker.on('exit', (code) => void this.#end(slot, new PlumbError('RenderCrash', `the sandbox ended with ${code}`)));
    return slot;
  }

  /** In place of a thread that was lost: it gets ready while nobody waits for it. */
  #startSpare(): void {
    if (this.#isClosed || this.#slots.size >= this.#options.size) return;
    this.#release(this.#start());
  }

  #post(slot: Slot, job: Job): void {
    const { clock, timeoutMs } = this.#options;
    slot.timer = clock.timer(timeoutMs, () => {
      void this.#end(slot, new PlumbError('RenderTimeout', `the render took longer than ${timeoutMs / 1000} s`));
    });
    slot.worker.postMessage(job.request);
  }

  #receive(slot: Slot, reply: WorkerReply): void {
    const { job } = slot;
    if (reply.kind === 'ready') {
      slot.isReady = true;
      if (job !== undefined) this.#post(slot, job);
      return;
    }
    if (reply.kind === 'failed') {
      void this.#end(slot, failureError(reply));
      return;
    }
    this.#release(slot);
    job?.resolve(reply.frame);
    if (reply.memoryBytes > RECYCLE_ABOVE_BYTES) void this.#end(slot, undefined);
    else this.#assign();
  }

  #release(slot: Slot): void {
    slot.job = undefined;
    slot.timer?.[Symbol.dispose]();
    slot.worker.unref();
    slot.timer = this.#options.clock.timer(IDLE_MS, () => void this.#end(slot, undefined));
  }

  /** Ends the thread; its call, if it has one, fails with the reason, and the next in the queue gets a new thread. */
  async #end(slot: Slot, reason: unknown): Promise<void> {
    if (!this.#slots.delete(slot)) return;
    slot.timer?.[Symbol.dispose]();
    slot.job?.reject(reason);
    slot.job = undefined;
    if (!this.#isClosed) this.#assign();
    // One that did not even start would be lost again and again.
    if (reason !== undefined && slot.isReady) this.#startSpare();
    await slot.worker.terminate();
  }

  #cancel(job: Job, reason: unknown): void {
    const at = this.#queue.indexOf(job);
    if (at >= 0) {
      this.#queue.splice(at, 1);
      job.reject(reason);
    }
    for (const slot of this.#slots) if (slot.job === job) void this.#end(slot, reason);
  }
}

function failureError({ reason, message }: WorkerReply & { readonly kind: 'failed' }): PlumbError {
  if (reason === 'memory') return new PlumbError('RenderMemory', 'the render took more than 256 MiB');
  if (reason === 'stack') return new PlumbError('RenderMemory', 'the render nested too deep for its stack');
  return new PlumbError('RenderCrash', `the sandbox broke: ${message}`);
}
