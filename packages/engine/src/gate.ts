/**
 * Lets work through only while nobody has a reason against it. Reasons do not undo each other: the gate opens when the
 * last one is gone, whatever the order in which they came and went.
 */
export class Gate<Reason extends string> {
  readonly #reasons = new Map<Reason, string>();
  readonly #turned: (isOpen: boolean) => void;

  /** `turned` is called whenever the gate has opened or closed. It begins open. */
  constructor(turned: (isOpen: boolean) => void) {
    this.#turned = turned;
  }

  get isOpen(): boolean {
    return this.#reasons.size === 0;
  }

  /** Why it is closed, in the words of the oldest reason; undefined while it is open. */
  get closedBecause(): string | undefined {
    return this.#reasons.values().next().value;
  }

  close(reason: Reason, words: string): void {
    const wasOpen = this.isOpen;
    this.#reasons.set(reason, words);
    if (wasOpen) this.#turned(false);
  }

  open(reason: Reason): void {
    if (this.#reasons.delete(reason) && this.isOpen) this.#turned(true);
  }
}
