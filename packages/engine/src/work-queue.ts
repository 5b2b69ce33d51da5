import { isAbort, type Clock } from '@plumb/core';

export interface WorkQueueOptions<K> {
  readonly clock: Clock;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /** Works on one key. It gets no event, only the key, so it has to read the world again. */
  work(key: K, options: { readonly signal: AbortSignal }): Promise<void>;
  /** A throw of `work` that is not an abort: a bug or a lost dependency. The key is tried again after `retryMs`. */
  failed(key: K, thrown: unknown): void;
  /** Default 5,000 ms. */
  readonly retryMs?: number;
  /** How long what runs may go on when the queue is closed; default: it is aborted at once. */
  readonly drainMs?: number;
}

/**
 * A queue of keys. Adding a key that waits already changes nothing; a key that is added while it is worked on is worked
 * on once more afterwards; no key is ever worked on twice at the same time. First in, first out.
 */
export class WorkQueue<K> implements AsyncDisposable {
  readonly #options: WorkQueueOptions<K>;
  readonly #waiting = new Set<K>();
  readonly #running = new Map<K, Promise<void>>();
  readonly #again = new Set<K>();
  readonly #timers = new Map<K, { at: number; timer: Disposable }>();
  readonly #abort = new AbortController();
  #paused = false;
  #closed = false;

  constructor(options: WorkQueueOptions<K>) {
    this.#options = options;
  }

  get depth(): number {
    return this.#waiting.size + this.#running.size;
  }

  /** How many keys are put off until later. */
  get planned(): number {
    return this.#timers.size;
  }

  /** Whether the key waits for its turn or has it. */
  has(key: K): boolean {
    return this.#waiting.has(key) || this.#running.has(key);
  }

  add(key: K): void {
    if (this.#closed) return;
    if (this.#running.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#waiting.add(key);
    this.#pump();
  }

  /** Adds the key at a monotonic time. The earliest wish wins; adding the key now does not cancel it. */
  addAt(key: K, at: number): void {
    if (this.#closed) return;
    const pending = this.#timers.get(key);
    if (pending !== undefined && pending.at <= at) return;
    pending?.timer[Symbol.dispose]();
    const timer = this.#options.clock.timer(Math.max(0, at - this.#options.clock.monotonic()), () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, timer });
  }

  /** Forgets what is planned for a key that is no more. What runs is not stopped. */
  forget(key: K): void {
    this.#waiting.delete(key);
    this.#again.delete(key);
    this.#timers.get(key)?.timer[Symbol.dispose]();
    this.#timers.delete(key);
  }

  /** Keys collect, and nothing new is started. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  #stop(): undefined {
    this.#abort.abort(new DOMException('The queue is closed', 'AbortError'));
  }

  #pump(): void {
    for (const key of this.#waiting) {
      if (this.#paused || this.#running.size >= this.#options.concurrency) return;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key));
    }
  }

  async #run(key: K): Promise<void> {
    const { signal } = this.#abort;
    try {
      await this.#options.work(key, { signal });
    } catch (thrown) {
      if (!isAbort(thrown, signal) && !signal.aborted) {
        this.#options.failed(key, thrown);
        this.addAt(key, this.#options.clock.monotonic() + (this.#options.retryMs ?? 5_000));
      }
    }
    this.#running.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else this.#pump();
  }

  /** Starts nothing more, lets what runs come to its end, and aborts it when that takes longer than `drainMs`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    this.#again.clear();
    for (const { timer } of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    const { drainMs, clock } = this.#options;
    using _patience = drainMs === undefined ? this.#stop() : clock.timer(drainMs, () => this.#stop());
    await Promise.all(this.#running.values());
    this.#stop();
  }
}
