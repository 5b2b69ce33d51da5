import type { ObjectKey } from '@plumb/core';

const FREE_ROUNDS = 3;
const WINDOW_MS = 10 * 60_000;
const PAUSE_MS = 10 * 60_000;

/**
 * How often the same field was healed. Doing it again and again is a fight: after a few free rounds nothing is written for a
 * while, and nothing else of the application waits with it. Times are monotonic milliseconds.
 */
export class Heals {
  readonly #rounds = new Map<string, { readonly times: readonly number[]; readonly after: number }>();

  /** The field is being healed now; an empty path stands for the object as a whole. */
  count(key: ObjectKey, path: string, now: number): void {
    for (const [name, { times, after }] of this.#rounds) {
      if (after <= now && times.every((time) => time <= now - WINDOW_MS)) this.#rounds.delete(name);
    }
    const name = nameOf(key, path);
    const times = [...(this.#rounds.get(name)?.times ?? []).filter((time) => time > now - WINDOW_MS), now];
    this.#rounds.set(name, { times, after: times.length < FREE_ROUNDS ? 0 : now + PAUSE_MS });
  }

  /** When it may be healed again. */
  after(key: ObjectKey, path: string): number {
    return this.#rounds.get(nameOf(key, path))?.after ?? 0;
  }

  /** Somebody asked for another try: it is made at once, and what was counted counts on. */
  excuse(): void {
    for (const [name, { times }] of this.#rounds) this.#rounds.set(name, { times, after: 0 });
  }
}

function nameOf(key: ObjectKey, path: string): string {
  return `${key} ${path}`;
}
