import {
  isOlderVersion,
  keyOf,
  needsStatus,
  observe,
  toPlumbError,
  PART_OF_LABEL,
  type Clock,
  type GroupKind,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type PlumbError,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient, Reflector } from '@plumb/kube';

export type WatchState =
  | { readonly state: 'missing' | 'starting' | 'synced' }
  | { readonly state: 'failed'; readonly error: PlumbError };

export interface LiveIndexOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Something that matters of an object changed: its marks, its fields that we own, its health, or it is gone. */
  changed(key: ObjectKey, targets: readonly TargetKey[]): void;
  /** The watch of a kind has synced or failed. */
  watchChanged(groupKind: GroupKind): void;
}

/** A kind that cannot be watched is asked for again: soon at first, since a definition may just be on its way. */
const RETRY_MS = { first: 500, longest: 15_000 };

interface KindWatch {
  readonly groupKind: GroupKind;
  readonly attempts: number;
  reflector: Reflector | undefined;
  synced: boolean;
  error: PlumbError | undefined;
}

/**
 * What is in one cluster, as far as it bears our marks: one watch a kind, limited by label, metadata only where there is
 * no health to read. Own writes are put in from their answers, so nobody has to wait for the watch to see them.
 */
export class LiveIndex implements AsyncDisposable {
  readonly #options: LiveIndexOptions;
  readonly #watches = new Map<string, KindWatch>();
  readonly #objects = new Map<ObjectKey, LiveObject>();
  readonly #members = new Map<TargetKey, Set<ObjectKey>>();
  readonly #retries = new Map<string, Disposable>();
  /** Beside each object that a reflector keeps: what we made of it when it was whole. */
  readonly #summaries = new WeakMap<KubeObject, LiveObject>();

  constructor(options: LiveIndexOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#objects.size;
  }

  liveOf(key: ObjectKey): LiveObject | undefined {
    return this.#objects.get(key);
  }

  /** Objects whose marks name the target. */
  membersOf(target: TargetKey): readonly LiveObject[] {
    const keys = this.#members.get(target);
    if (keys === undefined) return [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  watchOf(groupKind: GroupKind): WatchState {
    const watch = this.#watches.get(nameOf(groupKind));
    if (watch === undefined) return { state: 'missing' };
    if (watch.synced) return { state: 'synced' };
    return watch.error === undefined ? { state: 'starting' } : { state: 'failed', error: watch.error };
  }

  /** Starts the watch of a kind, or starts it anew where the last start failed. */
  async watch(groupKind: GroupKind): Promise<void> {
    const name = nameOf(groupKind);
    const known = this.#watches.get(name);
    if (known !== undefined && known.error === undefined) return;
    if (known?.reflector !== undefined) await known.reflector[Symbol.asyncDispose]();
    const attempts = (known?.attempts ?? 0) + 1;
    const watch: KindWatch = { groupKind, attempts, reflector: undefined, synced: false, error: undefined };
    this.#watches.set(name, watch);
    const { client, clock, signal } = this.#options;
    try {
      const resource = await client.resource(groupKind, { signal });
      watch.reflector = client.reflect(resource, {
        labelSelector: PART_OF_LABEL,
        metadataOnly: !needsStatus(groupKind),
        trim: (object) => this.#summarise(object),
        signal,
        onChange: (event) => {
          if (event.type === 'added' || event.type === 'updated') this.#put(this.#summaries.get(event.object));
          else if (event.type === 'deleted') this.#remove(event.key, event.object.metadata.uid);
          else this.#watchTurned(watch, event.type === 'failed' ? event.error : undefined);
        },
      });
    } catch (thrown) {
      signal.throwIfAborted();
      this.#watchTurned(watch, toPlumbError(thrown));
      const waitMs = Math.min(RETRY_MS.longest, RETRY_MS.first * 2 ** Math.min(attempts - 1, 10));
      this.#retries.set(
        name,
        clock.timer(waitMs, () => void this.watch(groupKind)),
      );
    }
  }

  /** The answer to a write of ours: newer than what the watch has seen. */
  wrote(object: KubeObject): void {
    this.#put(observe(object));
  }

  /** A deletion of ours that is confirmed. */
  removed(key: ObjectKey, uid: string): void {
    this.#remove(key, uid);
  }

  /** Kinds that are watched, with the monotonic time of the last sign of life. */
  *contacts(): IterableIterator<{
    readonly groupKind: GroupKind;
    readonly contactAt: number;
    readonly synced: boolean;
  }> {
    for (const { groupKind, reflector, synced } of this.#watches.values()) {
      if (reflector !== undefined) yield { groupKind, contactAt: reflector.contactAt, synced };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const retry of this.#retries.values()) retry[Symbol.dispose]();
    await Promise.all([...this.#watches.values()].map(async (watch) => watch.reflector?.[Symbol.asyncDispose]()));
    this.#watches.clear();
  }

  #watchTurned(watch: KindWatch, error: PlumbError | undefined): void {
    if (error !== undefined && watch.synced) return; // The reflector reconnects by itself; what we know stays good.
    watch.error = error;
    watch.synced = error === undefined;
    if (watch.synced) this.#sweep(watch);
    this.#options.watchChanged(watch.groupKind);
  }

  /**
   * After a complete list: what we put in ourselves and the list does not have was deleted while no watch was open. Where
   * the list was older than our write the object is applied once more, which changes nothing.
   */
  #sweep(watch: KindWatch): void {
    const { group, kind } = watch.groupKind;
    const prefix = `${group}/${kind}/`;
    for (const [key, live] of this.#objects) {
      if (key.startsWith(prefix) && watch.reflector?.get(key) === undefined) this.#remove(key, live.uid);
    }
  }

  /** The reflector keeps identities only, and we the summary: the object itself is let go. */
  #summarise(object: KubeObject): KubeObject {
    const kept = identityOf(object);
    const { uid, resourceVersion } = object.metadata;
    const known = this.#objects.get(keyOf(object));
    const isKnown = known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion;
    this.#summaries.set(kept, isKnown ? known : observe(object));
    return kept;
  }

  #put(live: LiveObject | undefined): void {
    if (live === undefined) return;
    const { key } = live;
    const before = this.#objects.get(key);
    if (before !== undefined && before.uid === live.uid) {
      const version = live.resourceVersion;
      if (before.resourceVersion === version || isOlderVersion(version, before.resourceVersion)) return;
    }
    this.#objects.set(key, live);
    if (before?.target !== live.target) {
      if (before?.target !== undefined) this.#members.get(before.target)?.delete(key);
      if (live.target !== undefined) {
        const members = this.#members.get(live.target) ?? new Set();
        members.add(key);
        this.#members.set(live.target, members);
      }
    }
    if (before === undefined || matters(before, live)) this.#options.changed(key, targetsOf(before, live));
  }

  #remove(key: ObjectKey, uid: string | undefined): void {
    const before = this.#objects.get(key);
    if (before === undefined || (uid !== undefined && before.uid !== uid)) return;
    this.#objects.delete(key);
    if (before.target !== undefined) this.#members.get(before.target)?.delete(key);
    this.#options.changed(key, targetsOf(before, undefined));
  }
}

/** What a reflector needs to tell, after a new list, what is new, changed or gone. */
function identityOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  };
}

function matters(before: LiveObject, after: LiveObject): boolean {
  return (
    before.uid !== after.uid ||
    before.target !== after.target ||
    before.fieldsHash !== after.fieldsHash ||
    before.deleting !== after.deleting ||
    before.health.status !== after.health.status ||
    before.health.message !== after.health.message
  );
}

function targetsOf(...views: readonly (LiveObject | undefined)[]): readonly TargetKey[] {
  return [...new Set(views.flatMap((live) => live?.target ?? []))];
}

function nameOf({ group, kind }: GroupKind): string {
  return `${kind}.${group}`;
}
