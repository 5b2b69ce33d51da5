import {
  driftState,
  groupOf,
  isOlderVersion,
  keyOf,
  kindName,
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
import type { HealthAssessor } from '@plumb/health';
import type { KubeClient, Reflector } from '@plumb/kube';
import { backoffMs } from './backoff.ts';

export type WatchState =
  | { readonly state: 'missing' | 'starting' | 'synced' }
  | { readonly state: 'failed'; readonly error: PlumbError };

export interface LiveIndexOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Tells health, also by rules of the user; default without such rules. */
  readonly health?: Pick<HealthAssessor, 'assess' | 'needsStatus'> | undefined;
  /** Whether the object is known not to be as it was applied. */
  isDrifted(key: ObjectKey): boolean;
  /** Something that matters of an object changed: its marks, its fields that we own, its health, or it is gone. */
  changed(key: ObjectKey, targets: readonly TargetKey[]): void;
  /** The watch of a kind has synced or failed. */
  watchChanged(groupKind: GroupKind): void;
  /** The server has an older state than it had. */
  rewound(): void;
}

/** A kind that cannot be watched is asked for again: soon at first, since a definition may just be on its way. */
const RETRY = { firstMs: 500, longestMs: 15_000 };

/** A watch that has been failing for this long is not believed any more: status says so, and nothing is deleted. */
const BLIND_MS = 2 * 60_000;

interface KindWatch {
  readonly groupKind: GroupKind;
  readonly attempts: number;
  reflector: Reflector | undefined;
  /** The newest version that the watch has shown: it has passed everything older. */
  seen: string;
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

  /** How many objects bear marks that name the target. */
  countOf(target: TargetKey): number {
    return this.#members.get(target)?.size ?? 0;
  }

  /** Objects whose marks name the target. */
  membersOf(target: TargetKey): readonly LiveObject[] {
    const keys = this.#members.get(target);
    if (keys === undefined) return [];
    return [...keys].flatMap((key) => this.#objects.get(key) ?? []);
  }

  watchOf(groupKind: GroupKind): WatchState {
    const watch = this.#watches.get(kindName(groupKind));
    if (watch === undefined) return { state: 'missing' };
    if (watch.synced && !this.#isBlind(watch)) return { state: 'synced' };
    const error = watch.error ?? watch.reflector?.error;
    return error === undefined ? { state: 'starting' } : { state: 'failed', error };
  }

  /** Starts the watch of a kind, or starts it anew where the last start failed. */
  async watch(groupKind: GroupKind): Promise<void> {
    const name = kindName(groupKind);
    const known = this.#watches.get(name);
    if (known !== undefined && known.error === undefined) return;
    if (known?.reflector !== undefined) await known.reflector[Symbol.asyncDispose]();
    const attempts = (known?.attempts ?? 0) + 1;
    const watch: KindWatch = { groupKind, attempts, reflector: undefined, seen: '', synced: false, error: undefined };
    this.#watches.set(name, watch);
    const { client, signal } = this.#options;
    try {
      const resource = await client.resource(groupKind, { signal });
      watch.reflector = client.reflect(resource, {
        labelSelector: PART_OF_LABEL,
        metadataOnly: !(this.#options.health?.needsStatus ?? needsStatus)(groupKind),
        trim: (object) => this.#summarise(object),
        signal,
        onChange: (event) => {
          if (event.type === 'added' || event.type === 'updated') {
            const version = event.object.metadata.resourceVersion ?? '';
            if (!isOlderVersion(version, watch.seen)) watch.seen = version;
            this.#put(this.#summaries.get(event.object));
          } else if (event.type === 'deleted') this.#remove(event.key, event.object.metadata.uid);
          else {
            if (event.type === 'synced' && event.isRewound) this.#rewind(watch);
            this.#watchTurned(watch, event.type === 'failed' ? event.error : undefined);
          }
        },
      });
    } catch (thrown) {
      if (signal.aborted) return;
      this.#watchTurned(watch, toPlumbError(thrown));
      this.#retry(groupKind, backoffMs(attempts, RETRY));
    }
  }

  /** The answer to a write of ours: mostly newer than what the watch has shown. */
  wrote(object: KubeObject): void {
    const live = this.#observe(object);
    const watch = this.#watches.get(kindName({ group: groupOf(object.apiVersion), kind: object.kind }));
    const hasPassed = watch?.synced === true && isOlderVersion(live.resourceVersion, watch.seen);
    // The watch is past our write and does not have the object: it came and went while our answer was on its way.
    if (hasPassed && watch.reflector?.get(live.key)?.metadata.uid !== live.uid) return;
    this.#put(live);
  }

  /** A deletion of ours that waits for finalizers. */
  leaving(key: ObjectKey, uid: string): void {
    const live = this.#objects.get(key);
    if (live?.uid === uid) this.#objects.set(key, { ...live, deleting: true });
  }

  /** A deletion of ours that is confirmed. */
  removed(key: ObjectKey, uid: string): void {
    this.#remove(key, uid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const retry of this.#retries.values()) retry[Symbol.dispose]();
    await Promise.all([...this.#watches.values()].map(async (watch) => watch.reflector?.[Symbol.asyncDispose]()));
    this.#watches.clear();
  }

  #retry(groupKind: GroupKind, waitMs: number): void {
    const name = kindName(groupKind);
    this.#retries.get(name)?.[Symbol.dispose]();
    const again = (): void => {
      this.#retries.delete(name);
      void this.watch(groupKind);
    };
    this.#retries.set(name, this.#options.clock.timer(waitMs, again));
  }

  /** What is known is of a future that the server has lost: what it has now counts, however old. */
  #rewind(watch: KindWatch): void {
    this.#options.rewound();
    watch.seen = '';
    for (const object of watch.reflector?.values() ?? []) this.#put(this.#summaries.get(object), true);
  }

  /** The reflector reconnects by itself and what we know stays good, but not for ever. */
  #isBlind({ reflector }: KindWatch): boolean {
    if (reflector?.error === undefined) return false;
    return this.#options.clock.monotonic() - reflector.contactAt > BLIND_MS;
  }

  #watchTurned(watch: KindWatch, error: PlumbError | undefined): void {
    const { watchChanged } = this.#options;
    if (error !== undefined && watch.synced) {
      if (error.code === 'KindMissing') this.#drop(watch);
      else this.#lookAgainWhenBlind(watch);
      return;
    }
    watch.error = error;
    watch.synced = error === undefined;
    if (watch.synced) this.#sweep(watch);
    watchChanged(watch.groupKind);
  }

  /** The definition went, or serves another version: whoever needs the kind has it looked up anew. */
  #drop(watch: KindWatch): void {
    this.#watches.delete(kindName(watch.groupKind));
    void watch.reflector?.[Symbol.asyncDispose]();
    watch.reflector = undefined;
    this.#sweep(watch);
    this.#options.watchChanged(watch.groupKind);
  }

  #lookAgainWhenBlind({ groupKind }: KindWatch): void {
    const name = `blind ${kindName(groupKind)}`;
    if (this.#retries.has(name)) return;
    const look = (): void => {
      this.#retries.delete(name);
      this.#options.watchChanged(groupKind);
    };
    this.#retries.set(name, this.#options.clock.timer(BLIND_MS + 1_000, look));
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
    this.#summaries.set(kept, isKnown ? known : this.#observe(object));
    return kept;
  }

  #observe(object: KubeObject): LiveObject {
    return observe(object, this.#options.health?.assess);
  }

  #put(live: LiveObject | undefined, isRewound = false): void {
    if (live === undefined) return;
    const { key } = live;
    const before = this.#objects.get(key);
    if (before !== undefined && before.uid === live.uid && !isRewound) {
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
    const isNews = before === undefined || matters(before, live) || this.#isEditedAgain(before, live);
    if (isNews) this.#options.changed(key, targetsOf(before, live));
  }

  /** What stands as a drift is looked into again with every other edit: whose it is does not tell what it is now. */
  #isEditedAgain(before: LiveObject, live: LiveObject): boolean {
    return driftState(before) !== driftState(live) && this.#options.isDrifted(live.key);
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
    before.rollout?.refused !== after.rollout?.refused ||
    before.keep !== after.keep ||
    before.askFirst !== after.askFirst ||
    before.finalizers?.join() !== after.finalizers?.join() ||
    before.health.status !== after.health.status ||
    before.health.message !== after.health.message
  );
}

function targetsOf(...views: readonly (LiveObject | undefined)[]): readonly TargetKey[] {
  return [...new Set(views.flatMap((live) => live?.target ?? []))];
}
