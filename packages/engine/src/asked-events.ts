import {
  isAbort,
  toPlumbError,
  type Clock,
  type KubeObject,
  type PlumbError,
  type Question,
  type Stage,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

export interface AskedEventsOptions {
  readonly client: Pick<KubeClient, 'resource' | 'list'>;
  readonly clock: Clock;
  readonly namespace: string;
  readonly signal: AbortSignal;
  /** Events were read. */
  changed(): void;
  /** They may not be read. */
  blind(error: PlumbError): void;
}

/** Most pods are ready sooner, and need nobody to ask. */
const FIRST_MS = 3_000;
const SECOND_MS = 10_000;
const LONGEST_MS = 5 * 60_000;
/** So many objects are asked about at once, and so long it is until the next ones are. */
const MAX_AT_ONCE = 5;
const PAUSE_MS = 1_000;
/** The server keeps the Events of an object few, since it counts what is said again. */
const MAX_EVENTS = 100;

interface Asked {
  readonly stage: Stage;
  /** Monotonic milliseconds. */
  readonly dueAt: number;
  /** How long it is from the next look to the one after it. */
  readonly thenMs: number;
}

/**
 * The Events of those objects of a namespace that tell by nothing else why they do not get on. Each is asked about when it
 * has been so for three seconds, and again ever more seldom; whoever gets on is forgotten. Events are not watched: a
 * namespace may have thousands of them, and all but a few are about something else.
 */
export class AskedEvents implements Disposable {
  readonly #options: AskedEventsOptions;
  readonly #asked = new Map<string, Asked>();
  readonly #events = new Map<string, readonly KubeObject[]>();
  #timer: Disposable | undefined;
  #isReading = false;
  #isOver = false;

  constructor(options: AskedEventsOptions) {
    this.#options = options;
  }

  /** By the uid of the object that they are about, as far as they were read. */
  get events(): ReadonlyMap<string, readonly KubeObject[]> {
    return this.#events;
  }

  /** All that there is to ask now. */
  ask(questions: readonly Question[]): void {
    const now = this.#options.clock.monotonic();
    const wanted = new Map(questions.map(({ uid, stage }) => [uid, stage]));
    for (const uid of this.#asked.keys()) {
      if (wanted.has(uid)) continue;
      this.#asked.delete(uid);
      this.#events.delete(uid);
    }
    for (const [uid, stage] of wanted) {
      if (this.#asked.get(uid)?.stage === stage) continue;
      this.#asked.set(uid, { stage, dueAt: now + FIRST_MS, thenMs: SECOND_MS });
    }
    this.#arm(0);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #arm(leastMs: number): void {
    const { clock } = this.#options;
    if (this.#isReading || this.#isOver) return;
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    if (this.#asked.size === 0) return;
    const next = Math.min(...[...this.#asked.values()].map(({ dueAt }) => dueAt));
    this.#timer = clock.timer(Math.max(leastMs, next - clock.monotonic()), () => void this.#read());
  }

  async #read(): Promise<void> {
    const { client, clock, namespace, signal, changed, blind } = this.#options;
    const now = clock.monotonic();
    const due = [...this.#asked].filter(([, { dueAt }]) => dueAt <= now).toSorted(([, a], [, b]) => a.dueAt - b.dueAt);
    this.#isReading = true;
    try {
      const resource = await client.resource({ group: '', kind: 'Event' }, { signal });
      for (const [uid, asked] of due.slice(0, MAX_AT_ONCE)) {
        // Before the answer: what fails is tried again as seldom.
        this.#asked.set(uid, { ...asked, dueAt: now + asked.thenMs, thenMs: Math.min(asked.thenMs * 2, LONGEST_MS) });
        const fieldSelector = `involvedObject.uid=${uid}`;
        const { items } = await client.list(resource, { namespace, fieldSelector, signal });
        if (this.#asked.has(uid)) this.#events.set(uid, items.slice(-MAX_EVENTS));
      }
    } catch (thrown) {
      if (isAbort(thrown, signal)) return;
      const error = toPlumbError(thrown);
      if (error.code === 'Forbidden') {
        this[Symbol.dispose]();
        blind(error);
        return;
      }
    } finally {
      this.#isReading = false;
    }
    if (this.#isOver) return;
    this.#arm(PAUSE_MS);
    changed();
  }
}
