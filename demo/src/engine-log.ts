import type { EngineEvent } from '@plumb/engine';

/** What the engine said so far, and a way to wait for what it says next. */
export class EngineLog {
  readonly events: EngineEvent[] = [];
  readonly #listeners = new Set<(event: EngineEvent) => void>();

  readonly write = (event: EngineEvent): void => {
    this.events.push(event);
    for (const listener of this.#listeners) listener(event);
  };

  /** The first matching event after the first `from` ones. */
  next(from: number, matches: (event: EngineEvent) => boolean): Promise<EngineEvent> {
    const { promise, resolve } = Promise.withResolvers<EngineEvent>();
    const listener = (event: EngineEvent): void => {
      if (!matches(event)) return;
      this.#listeners.delete(listener);
      resolve(event);
    };
    this.#listeners.add(listener);
    this.events.slice(from).forEach(listener);
    return promise;
  }
}
