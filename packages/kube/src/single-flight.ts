/**
 * Callers that ask at the same time share one run. The run belongs to none of them: a caller that aborts leaves, and the
 * others still get the answer.
 */
export class SingleFlight<T> {
  readonly #start: () => Promise<T>;
  #running: Promise<T> | undefined;

  constructor(start: () => Promise<T>) {
    this.#start = start;
  }

  run(options: { readonly signal: AbortSignal }): Promise<T> {
    this.#running ??= this.#start().finally(() => {
      this.#running = undefined;
    });
    return abortable(this.#running, options.signal);
  }
}

/** The promise, or the signal's reason if it aborts first. Leaves no listener on the signal behind. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) {
      // The shared run may still fail, and then nobody may be left to hear it.
      promise.catch(() => undefined);
      reject(signal.reason);
      return;
    }
    const leave = (): void => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
