import type { Clock } from '@plumb/core';
import { SharedRuns } from './shared-runs.ts';

/** Which versions there are, as a host said it. */
export interface Kept<T> {
  readonly value: T;
  readonly etag: string | undefined;
  readonly atMs: number;
}

/** More than the repositories that are in use; the least recently asked makes room. */
const MAX_KEPT = 256;

/**
 * Answers of hosts that are asked again and again. Each is kept in memory for as long as the caller lets it grow old, and
 * then asked for anew under the condition that it has changed; callers that ask at the same time share one request.
 */
export class KeptAnswers<T> {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #runs = new SharedRuns<Kept<T>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param ask is given the last ETag; answers undefined where nothing has changed since. */
  async get(
    key: string,
    ask: (
      etag: string | undefined,
      options: { readonly signal: AbortSignal },
    ) => Promise<Omit<Kept<T>, 'atMs'> | undefined>,
    options: { readonly maxAgeMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly value: T; readonly isFresh: boolean }> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#clock.monotonic() - kept.atMs < options.maxAgeMs) {
      this.#keep(key, kept);
      return { value: kept.value, isFresh: false };
    }
    const answer = await this.#runs.run(
      key,
      async (signal) => {
        // What is said now was true when it was asked for, at the latest.
        const atMs = this.#clock.monotonic();
        const changed = await ask(kept?.etag, { signal });
        const last = changed ?? kept;
        if (last === undefined) throw new Error('nothing was known that could have stayed the same');
        const current: Kept<T> = { value: last.value, etag: last.etag, atMs };
        this.#keep(key, current);
        return current;
      },
      options,
    );
    return { value: answer.value, isFresh: true };
  }

  #keep(key: string, kept: Kept<T>): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
