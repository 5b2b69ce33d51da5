import { setImmediate } from 'node:timers/promises';
import {
  isOlderVersion,
  objectKey,
  PlumbError,
  toPlumbError,
  type Clock,
  type KubeObject,
  type ObjectKey,
  type Random,
} from '@plumb/core';
import type { ApiResource } from './api-resource.ts';
import { currentVersion, listPages, type Selection } from './pages.ts';
import { abortable } from './single-flight.ts';
import type { Transport } from './transport.ts';
import { watch, type WatchStart } from './watch.ts';

export interface ReflectOptions extends Selection {
  /** What is kept of an object; runs before it is cached. Default: all of it. Must not change its argument. */
  readonly trim?: ((object: KubeObject) => KubeObject) | undefined;
  /**
   * Hears each change, in order, after the cache has it. What it throws is uncaught, as with any event listener: a change
   * that got lost in a handler must not go unnoticed.
   */
  readonly onChange: (event: ReflectEvent) => void;
  readonly signal: AbortSignal;
}

export type ReflectEvent =
  | {
      readonly type: 'added' | 'updated' | 'deleted';
      readonly key: ObjectKey;
      readonly object: KubeObject;
      /** What the cache held before. Another uid: it was deleted and created anew while nobody looked. */
      readonly previous?: KubeObject;
    }
  /** The cache holds all that the server has: at first, and again after each time it was read anew. */
  | {
      readonly type: 'synced';
      /** The server is at an older state than one that it has shown before: it was restored from a backup. */
      readonly isRewound: boolean;
    }
  /** The cache grows old until this is over; it is tried again by itself. */
  | { readonly type: 'failed'; readonly error: PlumbError };

export interface Reflector extends AsyncDisposable {
  readonly resource: ApiResource;
  readonly synced: boolean;
  /** Resolves at the first sync; rejects when the signal aborts or the reflector is disposed of. Failures do not end it. */
  whenSynced(options: { readonly signal: AbortSignal }): Promise<void>;
  get(key: ObjectKey): KubeObject | undefined;
  values(): IterableIterator<KubeObject>;
  readonly size: number;
  /** Monotonic milliseconds of the last sign of life: an answer, an event, a bookmark. */
  readonly contactAt: number;
  /** Why the cache grows old; undefined while it is fed. */
  readonly error: PlumbError | undefined;
}

/** Whether streaming lists work is a property of the server, so all reflectors of a client share what one found out. */
export interface StreamingList {
  unsupportedUntil: number;
}

/** Bookmarks come about every 60 s; without any sign for this long the connection counts as dead. */
const STALL_MS = 75_000;
const UNSUPPORTED_MS = 600_000;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
/** Changes told in one turn of the event loop. */
const TURN_OBJECTS = 200;

/**
 * A copy of one kind of a cluster's objects that keeps itself up to date.
 *
 *     read everything ──► replace the cache, tell the differences, "synced" ──► watch
 *          ▲                                                                     │ ended, silent 75 s: from where it stood
 *          └──────────────── 410: that state is too old ◄────────────────────────┘
 *
 * An object counts as deleted when the server says so, or when a *complete* reading no longer has it; a reading that
 * breaks off changes nothing.
 */
export class ClusterReflector implements Reflector {
  readonly resource: ApiResource;
  readonly #transport: Transport;
  readonly #options: ReflectOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #streaming: StreamingList;
  readonly #life = new AbortController();
  readonly #firstSync = Promise.withResolvers<void>();
  /** Resolves when it has ended, for whatever reason. */
  readonly done: Promise<void>;
  readonly #stop = (): void => this.#life.abort(this.#options.signal.reason);
  #objects = new Map<ObjectKey, KubeObject>();
  #synced = false;
  #error: PlumbError | undefined;
  #contactAt: number;
  /** Where the watch stands; undefined: everything has to be read. */
  #resourceVersion: string | undefined;
  /** The newest state that the server has shown. */
  #furthest = '';
  /** Somebody has seen that the server is at an older state than before: the next reading is of that. */
  #isRewound = false;
  /** The connection broke or fell silent: who answers next may be another state of the server. */
  #isDoubtful = false;
  #guard: StallGuard | undefined;
  /** What the watch has told to be gone since a comparison began; undefined while there is none. */
  #goneSince: Set<ObjectKey> | undefined;
  /** Complete readings so far. */
  #readings = 0;
  /** Failures since the last event that a watch brought. */
  #failures = 0;

  constructor(
    transport: Transport,
    resource: ApiResource,
    options: ReflectOptions,
    shared: { readonly clock: Clock; readonly random: Random; readonly streaming: StreamingList },
  ) {
    this.#transport = transport;
    this.resource = resource;
    this.#options = options;
    this.#clock = shared.clock;
    this.#random = shared.random;
    this.#streaming = shared.streaming;
    this.#contactAt = shared.clock.monotonic();
    // Nobody may be waiting when it is disposed of.
    this.#firstSync.promise.catch(() => undefined);
    if (options.signal.aborted) this.#stop();
    else options.signal.addEventListener('abort', this.#stop, { once: true });
    this.done = this.#run();
  }

  get synced(): boolean {
    return this.#synced;
  }

  get size(): number {
    return this.#objects.size;
  }

  get contactAt(): number {
    return this.#contactAt;
  }

  get error(): PlumbError | undefined {
    return this.#error;
  }

  whenSynced(options: { readonly signal: AbortSignal }): Promise<void> {
    return abortable(this.#firstSync.promise, options.signal);
  }

  get(key: ObjectKey): KubeObject | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<KubeObject> {
    return this.#objects.values();
  }

  /** The server is at an older state than before: everything is read anew, and what is there counts, however old. */
  rewound(): void {
    this.#isRewound = true;
    this.#readAnew();
  }

  /**
   * The net under a watch that loses an event without a word: holds the cache against a list. A watch may be a moment
   * behind, so what differs gets `graceMs`; what is still behind then is answered, and everything is read anew. A watch
   * that knows itself that it is behind, and a list that is older than what the watch has shown, say nothing.
   */
  async compare(options: { readonly graceMs: number; readonly signal: AbortSignal }): Promise<readonly ObjectKey[]> {
    if (!this.#isFollowing) return [];
    const signal = AbortSignal.any([options.signal, this.#life.signal]);
    const [readings, furthest] = [this.#readings, this.#furthest];
    const gone = new Set<ObjectKey>();
    this.#goneSince = gone;
    try {
      // Versions are all that is looked at, so that a list of whole objects would be for nothing.
      const selection = { ...this.#options, metadataOnly: true };
      const { items, resourceVersion } = await listPages(this.#transport, this.resource, selection, {
        keep: identityOf,
        signal,
      });
      if (isOlderVersion(resourceVersion, furthest)) return [];
      const listed = new Map(items.map((object) => [this.#keyOf(object), object]));
      const isBehind = (key: ObjectKey): boolean => {
        const [there, cached] = [listed.get(key), this.#objects.get(key)];
        if (cached === undefined) return there !== undefined && !gone.has(key);
        return isOlderVersion(versionOf(cached), there === undefined ? resourceVersion : versionOf(there));
      };
      const suspects = [...new Set([...listed.keys(), ...this.#objects.keys()])].filter(isBehind);
      if (suspects.length === 0) return [];
      await this.#clock.sleep(options.graceMs, { signal });
      if (!this.#isFollowing || this.#readings !== readings) return [];
      const lost = suspects.filter(isBehind);
      if (lost.length > 0) this.#readAnew();
      return lost;
    } catch (error) {
      if (this.#life.signal.aborted) return [];
      throw error;
    } finally {
      this.#goneSince = undefined;
    }
  }

  /** Whether the cache is complete, and a watch keeps it so, as far as anybody can tell. */
  get #isFollowing(): boolean {
    return this.#synced && this.#error === undefined && this.#resourceVersion !== undefined;
  }

  #readAnew(): void {
    this.#resourceVersion = undefined;
    this.#guard?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    await this.done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#life;
    while (!signal.aborted) {
      let askedMs = 0;
      try {
        await this.#follow();
      } catch (thrown) {
        if (signal.aborted) break;
        const error = toPlumbError(thrown);
        this.#isDoubtful = true;
        askedMs = Math.min(MAX_BACKOFF_MS, error.retryAfterMs ?? 0);
        this.#fail(error);
      }
      const delayMs = Math.max(askedMs, this.#backoffMs());
      if (delayMs > 0) await this.#clock.sleep(delayMs, { signal }).catch(() => undefined);
    }
    this.#options.signal.removeEventListener('abort', this.#stop);
    this.#firstSync.reject(signal.reason);
    this.#synced = false;
    this.#objects.clear();
  }

  /** Reads and watches until the server ends it or something fails. */
  async #follow(): Promise<void> {
    if (this.#resourceVersion !== undefined && this.#isDoubtful) await this.#probe();
    if (this.#resourceVersion !== undefined) return this.#watch({ after: this.#resourceVersion });
    if (this.#clock.monotonic() >= this.#streaming.unsupportedUntil) {
      try {
        return await this.#watch('everything');
      } catch (error) {
        // A server without streaming lists calls the parameters invalid.
        if (!(error instanceof PlumbError) || (error.code !== 'FieldInvalid' && error.code !== 'FieldUnknown'))
          throw error;
        this.#streaming.unsupportedUntil = this.#clock.monotonic() + UNSUPPORTED_MS;
      }
    }
    const { items, resourceVersion } = await listPages(this.#transport, this.resource, this.#options, {
      keep: (object) => this.#trimmed(object),
      signal: this.#life.signal,
    });
    this.#alive();
    await this.#replace(new Map(items.map((object) => [this.#keyOf(object), object])), resourceVersion);
    return this.#watch({ after: resourceVersion });
  }

  /**
   * A watch that asks for changes after a state that the server has lost waits in silence until it comes there again. So the
   * state that the server is at is asked for first: one small request, and only where something broke.
   */
  async #probe(): Promise<void> {
    const { signal } = this.#life;
    const version = await currentVersion(this.#transport, this.resource, this.#options, { signal });
    this.#isDoubtful = false;
    if (isOlderVersion(version, this.#furthest)) this.#resourceVersion = undefined;
  }

  async #watch(start: WatchStart): Promise<void> {
    using guard = new StallGuard(this.#clock, this.#life.signal, () => this.#contactAt);
    this.#guard = guard;
    /** What a streaming list has sent so far; undefined once it is complete. */
    let reading = start === 'everything' ? new Map<ObjectKey, KubeObject>() : undefined;
    this.#alive();
    try {
      const events = watch(this.#transport, this.resource, this.#options, start, {
        spread: this.#random.next(),
        signal: guard.signal,
      });
      for await (const event of events) {
        // What had arrived with it does not say where the watch stands any more.
        guard.signal.throwIfAborted();
        this.#alive();
        if (event.type === 'opened') {
          if (reading === undefined) this.#error = undefined;
        } else if (event.type === 'bookmark') {
          if (reading !== undefined && event.complete) {
            await this.#replace(reading, event.resourceVersion);
            reading = undefined;
          } else if (reading === undefined) {
            if (isOlderVersion(event.resourceVersion, this.#furthest)) {
              // It waits for a future that the server has lost: what there is now has to be read.
              this.#resourceVersion = undefined;
              return;
            }
            this.#furthest = event.resourceVersion;
            this.#resourceVersion = event.resourceVersion;
            this.#failures = 0;
          }
        } else if (reading !== undefined) {
          const object = this.#trimmed(event.object);
          if (event.type === 'set') reading.set(this.#keyOf(object), object);
          else reading.delete(this.#keyOf(object));
        } else {
          this.#failures = 0;
          this.#resourceVersion = event.object.metadata.resourceVersion;
          this.#furthest = this.#resourceVersion ?? this.#furthest;
          this.#change(event.type, this.#trimmed(event.object));
        }
      }
      if (reading !== undefined && !this.#life.signal.aborted) {
        throw new PlumbError(
          'ClusterUnreachable',
          `list ${this.resource.plural}: the server broke off before all was sent`,
        );
      }
    } catch (error) {
      // Silence is no failure yet: the next watch finds out.
      if (!guard.hasEnded) throw error;
      this.#isDoubtful = true;
    }
  }

  #change(type: 'set' | 'gone', object: KubeObject): void {
    const key = this.#keyOf(object);
    const previous = this.#objects.get(key);
    if (type === 'gone') {
      this.#objects.delete(key);
      this.#goneSince?.add(key);
      if (previous !== undefined) this.#tell({ type: 'deleted', key, object, previous });
      return;
    }
    this.#objects.set(key, object);
    this.#tell(previous === undefined ? { type: 'added', key, object } : { type: 'updated', key, object, previous });
  }

  /** Puts a complete reading in the place of the cache, at once, and then tells what is different. */
  async #replace(fresh: Map<ObjectKey, KubeObject>, resourceVersion: string): Promise<void> {
    const old = this.#objects;
    const isRewound = this.#isRewound || isOlderVersion(resourceVersion, this.#furthest);
    this.#isRewound = false;
    this.#isDoubtful = false;
    this.#furthest = resourceVersion;
    this.#objects = fresh;
    this.#readings += 1;
    this.#resourceVersion = resourceVersion;
    let looked = 0;
    for (const [key, object] of fresh) {
      if (++looked % TURN_OBJECTS === 0) await setImmediate();
      const previous = old.get(key);
      if (previous !== undefined && sameState(previous, object)) continue;
      this.#tell(previous === undefined ? { type: 'added', key, object } : { type: 'updated', key, object, previous });
    }
    for (const [key, previous] of old) {
      if (++looked % TURN_OBJECTS === 0) await setImmediate();
      if (!fresh.has(key)) this.#tell({ type: 'deleted', key, object: previous, previous });
    }
    this.#synced = true;
    this.#error = undefined;
    this.#tell({ type: 'synced', isRewound });
    this.#firstSync.resolve();
  }

  #fail(error: PlumbError): void {
    if (error.code === 'Expired') {
      this.#resourceVersion = undefined;
      return;
    }
    this.#error = error;
    this.#tell({ type: 'failed', error });
  }

  #tell(event: ReflectEvent): void {
    if (this.#life.signal.aborted) return;
    try {
      this.#options.onChange(event);
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }

  #alive(): void {
    this.#contactAt = this.#clock.monotonic();
  }

  #trimmed(object: KubeObject): KubeObject {
    return this.#options.trim === undefined ? object : this.#options.trim(object);
  }

  #keyOf(object: KubeObject): ObjectKey {
    const { group, kind } = this.resource;
    return objectKey({ group, kind, namespace: object.metadata.namespace ?? '', name: object.metadata.name });
  }

  /** Nothing after a watch that brought something; then longer and longer, each reflector a little differently. */
  #backoffMs(): number {
    const failures = this.#failures++;
    if (failures === 0) return 0;
    return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)) * (0.5 + this.#random.next() / 2);
  }
}

function sameState(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.uid === b.metadata.uid && a.metadata.resourceVersion === b.metadata.resourceVersion;
}

function versionOf({ metadata }: KubeObject): string {
  return metadata.resourceVersion ?? '';
}

function identityOf({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace = '', resourceVersion = '' } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, resourceVersion } };
}

/** Aborts one watch when its reflector ends, or when nothing was heard for too long. */
class StallGuard implements Disposable {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #life: AbortSignal;
  readonly #contactAt: () => number;
  readonly #end = (): void => this.#controller.abort(this.#life.reason);
  #timer: Disposable;
  /** Whether the watch was ended from here. */
  hasEnded = false;

  constructor(clock: Clock, life: AbortSignal, contactAt: () => number) {
    this.#clock = clock;
    this.#life = life;
    this.#contactAt = contactAt;
    this.#timer = clock.timer(STALL_MS, () => this.#check());
    if (life.aborted) this.#end();
    else life.addEventListener('abort', this.#end, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** One timer for many events: it looks at the last contact and sleeps for what is left. */
  #check(): void {
    const leftMs = this.#contactAt() + STALL_MS - this.#clock.monotonic();
    if (leftMs > 0) {
      this.#timer = this.#clock.timer(leftMs, () => this.#check());
      return;
    }
    this.end();
  }

  end(): void {
    this.hasEnded = true;
    this.#controller.abort(new Error('the watch was ended'));
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#life.removeEventListener('abort', this.#end);
    // Ends the connection of a watch that was left in the middle.
    this.#controller.abort();
  }
}
