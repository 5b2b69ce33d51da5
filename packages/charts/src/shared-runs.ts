interface Run<T> {
  readonly answer: Promise<T>;
  readonly stop: AbortController;
  waiting: number;
}

/**
 * Callers that ask for the same thing at the same time share one run. It belongs to none of them: a caller that aborts
 * leaves and the others still get the answer; when the last one has left, the run is aborted.
 */
export class SharedRuns<T> {
  readonly #runs = new Map<string, Run<T>>();

  async run(
    key: string,
    start: (signal: AbortSignal) => Promise<T>,
    options: { readonly signal: AbortSignal },
  ): Promise<T> {
    const { signal } = options;
    signal.throwIfAborted();
    const run = this.#runs.get(key) ?? this.#start(key, start);
    run.waiting++;
    const left = Promise.withResolvers<never>();
    const leave = (): void => {
      left.reject(signal.reason);
      if (--run.waiting > 0) return;
      this.#forget(key, run);
      run.stop.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([run.answer, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): Run<T> {
    const stop = new AbortController();
    const run: Run<T> = { answer: start(stop.signal), stop, waiting: 0 };
    this.#runs.set(key, run);
    // It may fail when nobody is left to hear it.
    const forget = (): void => this.#forget(key, run);
    run.answer.then(forget, forget);
    return run;
  }

  /** Unless another run has taken its place. */
  #forget(key: string, run: Run<T>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key);
  }
}
