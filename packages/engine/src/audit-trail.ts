import { objectKey, parseObjectKey, type AuditEvent, type Clock, type GroupKind, type ObjectKey } from '@plumb/core';
import type { ApiResource } from '@plumb/kube';

/** A drift is attributed when it is seen, or a moment later when its event comes in; what is older tells nothing any more. */
const KEPT_MS = 15 * 60_000;
const MAX_EVENTS_OF_OBJECT = 16;
const MAX_OBJECTS = 5_000;

export interface AuditTrailOptions {
  readonly clock: Clock;
  /** How kinds are served, to tell which kind a path is of. It may be cached, and it may fail. */
  kinds(): Promise<readonly Pick<ApiResource, 'group' | 'kind' | 'plural'>[]>;
  /** Whether the object is one that Plumb manages, or did a moment ago. */
  isKnown(key: ObjectKey): boolean;
  /** Whether objects of the kind are managed at all: deletions of a whole collection name no object. */
  isWatched(groupKind: GroupKind): boolean;
  /** Whether it is a write of Plumb itself. */
  isOurs(event: AuditEvent): boolean;
  /**
   * An event was kept: what was said of the object may be said better now. The name in the key is empty where a collection
   * was deleted, and each object of that kind and namespace may be meant.
   */
  arrived(key: ObjectKey): void;
}

interface Kept {
  readonly event: AuditEvent;
  /** Monotonic milliseconds. */
  readonly at: number;
}

/**
 * The last writes of others on the objects that Plumb manages, as the API server's audit events tell them: at most 16 of
 * each of at most 5,000 objects, for 15 minutes. All else is let go of at once, so that a busy cluster costs nothing that
 * stays. Nothing is lost that cannot be done without: what is not here is attributed by a lower tier.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions;
  /** The object written last stands last. */
  readonly #kept = new Map<ObjectKey, readonly Kept[]>();
  #kinds: ReadonlyMap<string, string> = new Map();

  constructor(options: AuditTrailOptions) {
    this.#options = options;
  }

  /** Of how many objects there are events. */
  get size(): number {
    return this.#kept.size;
  }

  /** Takes events in, in any order and also repeatedly; answers how many of them were new and are kept. */
  async add(events: readonly AuditEvent[]): Promise<number> {
    if (events.length === 0) return 0;
    const { clock, isOurs, arrived } = this.#options;
    await this.#readKinds();
    const now = clock.monotonic();
    const changed = new Set<ObjectKey>();
    let count = 0;
    for (const event of events) {
      const key = this.#keyOf(event);
      if (key === undefined || isOurs(event)) continue;
      const before = this.#fresh(key, now);
      if (before.some(({ event: one }) => one.auditId === event.auditId && one.auditId !== '')) continue;
      this.#kept.delete(key);
      this.#kept.set(key, [...before, { event, at: now }].slice(-MAX_EVENTS_OF_OBJECT));
      changed.add(key);
      count += 1;
    }
    this.#shrink(now);
    for (const key of changed) arrived(key);
    return count;
  }

  /**
   * Writes of others on an object that ended at or after `sinceMs` (milliseconds since 1970), deletions of the collection
   * that it was in among them; in the order in which they came in.
   */
  eventsFor(key: ObjectKey, sinceMs = 0): readonly AuditEvent[] {
    const now = this.#options.clock.monotonic();
    const ref = parseObjectKey(key);
    const collection = ref === undefined ? [] : this.#fresh(objectKey({ ...ref, name: '' }), now);
    return [...this.#fresh(key, now), ...collection]
      .map(({ event }) => event)
      .filter(({ completedMs }) => completedMs >= sinceMs);
  }

  #fresh(key: ObjectKey, now: number): readonly Kept[] {
    return (this.#kept.get(key) ?? []).filter(({ at }) => at > now - KEPT_MS);
  }

  /** What was written longest ago goes first. */
  #shrink(now: number): void {
    for (const [key, kept] of this.#kept) {
      const isOver = kept.every(({ at }) => at <= now - KEPT_MS);
      if (!isOver && this.#kept.size <= MAX_OBJECTS) return;
      this.#kept.delete(key);
    }
  }

  async #readKinds(): Promise<void> {
    try {
      const kinds = await this.#options.kinds();
      this.#kinds = new Map(kinds.map(({ group, plural, kind }) => [`${plural}.${group}`, kind]));
    } catch {
      // The kinds of the last time will do: that a group cannot be read is said where it matters.
    }
  }

  /** Undefined where it is about nothing that is managed. */
  #keyOf({ group, resource, namespace, name }: AuditEvent): ObjectKey | undefined {
    const kind = this.#kinds.get(`${resource}.${group}`);
    if (kind === undefined) return undefined;
    const key = objectKey({ group, kind, namespace, name });
    const { isKnown, isWatched } = this.#options;
    return (name === '' ? isWatched({ group, kind }) : isKnown(key)) ? key : undefined;
  }
}
