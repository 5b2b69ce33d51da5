import { toPlumbError, type Clock, type ObjectKey, type PlumbError, type Random } from '@plumb/core';
import type { ApiResource } from './api-resource.ts';
import type { ClusterReflector } from './reflector.ts';

export interface CompareOptions {
  /** How often each watch is held against a list. */
  readonly everyMs: number;
  /** The watch has lost events of these objects; everything is being read anew. */
  lost(resource: ApiResource, keys: readonly ObjectKey[]): void;
  /** Nothing was found out; it is tried again when it is due the next time. */
  failed(resource: ApiResource, error: PlumbError): void;
}

/** How far a watch in good order may be behind a list: a server answers from a cache that is at most 3 s old. */
const GRACE_MS = 5_000;

/**
 * Holds each watch against a list, once in every interval, at a time of its own. Never two at once: what falls due
 * meanwhile waits for its turn, and what waits is not due a second time.
 */
export class Comparison implements Disposable {
  readonly #options: CompareOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #life = new AbortController();
  readonly #timers = new Map<ClusterReflector, Disposable>();
  #turn = Promise.resolve();

  constructor(options: CompareOptions, { clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#options = options;
    this.#clock = clock;
    this.#random = random;
  }

  add(reflector: ClusterReflector): void {
    // What was just opened has just read everything; and what was opened together is not compared together.
    this.#wait(reflector, this.#options.everyMs * (0.5 + this.#random.next() / 2));
    void reflector.done.then(() => this.#forget(reflector));
  }

  [Symbol.dispose](): void {
    this.#life.abort();
    for (const reflector of this.#timers.keys()) this.#forget(reflector);
  }

  #wait(reflector: ClusterReflector, ms: number): void {
    if (this.#life.signal.aborted) return;
    const due = (): void => {
      this.#turn = this.#turn.then(() => this.#compare(reflector));
    };
    this.#timers.set(reflector, this.#clock.timer(ms, due));
  }

  async #compare(reflector: ClusterReflector): Promise<void> {
    if (!this.#timers.has(reflector)) return;
    const { signal } = this.#life;
    const { resource } = reflector;
    try {
      const lost = await reflector.compare({ graceMs: GRACE_MS, signal });
      if (lost.length > 0) this.#options.lost(resource, lost);
    } catch (thrown) {
      if (signal.aborted) return;
      this.#options.failed(resource, toPlumbError(thrown));
    }
    if (!this.#timers.has(reflector)) return;
    this.#wait(reflector, this.#options.everyMs * (0.9 + this.#random.next() / 5));
  }

  #forget(reflector: ClusterReflector): void {
    this.#timers.get(reflector)?.[Symbol.dispose]();
    this.#timers.delete(reflector);
  }
}
