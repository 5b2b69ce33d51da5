import type { ObjectKey } from '@plumb/core';
import { backoffMs } from './backoff.ts';

const FREE_ROUNDS = 3;
const WINDOW_MS = 10 * 60_000;
const PAUSES = { firstMs: 10_000, longestMs: 5 * 60_000 };

/**
 * How often the same object was healed after the same manager. Doing it again and again is a fight: after a few free
 * rounds each next one waits longer, and nothing else of the application waits with it. Times are monotonic milliseconds.
 */
export class Heals {
  readonly #rounds = new Map<string, { readonly times: readonly number[]; readonly after: number }>();

  /** It is being healed now; `manager` is empty where the object does not tell who changed it. */
  count(key: ObjectKey, manager: string, now: number): void {
    for (const [name, { times, after }] of this.#rounds) {
      if (after <= now && times.every((time) => time <= now - WINDOW_MS)) this.#rounds.delete(name);
    }
    const name = nameOf(key, manager);
    const times = [...(this.#rounds.get(name)?.times ?? []).filter((time) => time > now - WINDOW_MS), now];
    const over = times.length - FREE_ROUNDS;
    this.#rounds.set(name, { times, after: over < 0 ? 0 : now + backoffMs(over + 1, PAUSES) });
  }

  /** When it may be healed again. */
  after(key: ObjectKey, manager: string): number {
    return this.#rounds.get(nameOf(key, manager))?.after ?? 0;
  }

  /** Somebody asked for another try: it is made at once, and what was counted counts on. */
  excuse(): void {
    for (const [name, { times }] of this.#rounds) this.#rounds.set(name, { times, after: 0 });
  }
}

function nameOf(key: ObjectKey, manager: string): string {
  return `${key} ${manager}`;
}
