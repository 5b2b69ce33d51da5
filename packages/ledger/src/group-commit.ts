interface Pending {
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (thrown: unknown) => void;
}

/**
 * Commits together what was asked for in one turn of the event loop: a transaction costs more than the rows in it, and
 * with a thousand applications there are thousands of small ones. Each caller hears after the commit, so that what it
 * recorded is durable before it goes on; one caller's error undoes its own rows only.
 */
export class GroupCommit {
  readonly #transact: <T>(work: () => T) => T;
  #pending: Pending[] = [];

  /** `transact` runs the work in one transaction and undoes all of it when the work throws. */
  constructor(transact: <T>(work: () => T) => T) {
    this.#transact = transact;
  }

  run<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending.push({ work, resolve, reject });
    if (this.#pending.length === 1) setImmediate(() => this.flush());
    return promise as Promise<T>;
  }

  /** Commits what is pending at once. */
  flush(): void {
    const group = this.#pending;
    this.#pending = [];
    if (group.length === 0) return;
    try {
      const values = this.#transact(() => group.map(({ work }) => work()));
      for (const [index, { resolve }] of group.entries()) resolve(values[index]);
    } catch {
      // One of them is at fault: alone, each succeeds or fails for itself.
      for (const { work, resolve, reject } of group) {
        try {
          resolve(this.#transact(work));
        } catch (thrown) {
          reject(thrown);
        }
      }
    }
  }
}
