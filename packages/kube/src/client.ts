import { PlumbError, type Clock, type GroupKind, type JsonObject, type KubeObject, type Random } from '@plumb/core';
import type { ApiResource, ResourceRef } from './api-resource.ts';
import { applyObject, kindOf, patchOwners, type Applied, type ApplyOptions, type PatchOwnersOptions } from './apply.ts';
import { Comparison, type CompareOptions } from './comparison.ts';
import { decodeJson, textOf } from './decode.ts';
import { deleteObject, getObject, type DeleteOptions, type Deletion } from './delete.ts';
import { Discovery } from './discovery.ts';
import { disownObject, type DisownOptions } from './disown.ts';
import type { ClusterConfig } from './kubeconfig.ts';
import { countObjects, listPages, type Selection } from './pages.ts';
import { ClusterReflector, type ReflectOptions, type Reflector } from './reflector.ts';
import { podLogs, type LogOptions } from './logs.ts';
import { Transport } from './transport.ts';
import { whoAmI, type Identity } from './who-am-i.ts';

export interface KubeClient extends AsyncDisposable {
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  version(options: { readonly signal: AbortSignal }): Promise<{ readonly gitVersion: string }>;
  /** Who the server takes us for. */
  whoAmI(options: { readonly signal: AbortSignal }): Promise<Identity>;
  /**
   * How a kind is served; without `version`, as the server prefers. Cached; a kind that is not found is looked for anew at
   * most once in three seconds. Throws `KindMissing` where the server has no such kind, `ServerError` where its group
   * could not be read.
   */
  resource(
    kind: GroupKind & { readonly version?: string | undefined },
    options: { readonly signal: AbortSignal },
  ): Promise<ApiResource>;
  /** All served API versions and kinds, sorted: `apps/v1`, `apps/v1/Deployment`. Cached like `resource`. */
  apiVersions(options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  /** Every kind, as the server prefers it. Throws where a group cannot be read: what it holds is not known then. */
  kinds(options: { readonly signal: AbortSignal }): Promise<readonly ApiResource[]>;
  /** Call it when a CustomResourceDefinition or an APIService has changed. */
  invalidateDiscovery(): void;
  /** The object, or undefined where there is none (404). */
  get(resource: ApiResource, ref: ResourceRef, options: GetOptions): Promise<KubeObject | undefined>;
  /** All objects of one state of the cluster, in pages of `limit` (default 500). */
  list(resource: ApiResource, options: ListOptions): Promise<ObjectList>;
  /** How many objects of a kind there are in the whole cluster. */
  count(resource: ApiResource, options: { readonly signal: AbortSignal }): Promise<number>;
  /** The one function that writes objects: server-side apply. */
  apply(object: KubeObject, options: ApplyOptions): Promise<Applied>;
  /** Changes who is on record as the owner of the object's fields, and nothing that Git may say. */
  patchOwners(object: KubeObject, patch: readonly JsonObject[], options: PatchOwnersOptions): Promise<KubeObject>;
  delete(resource: ApiResource, ref: ResourceRef, options: DeleteOptions): Promise<Deletion>;
  /** What a container of a pod has written; `pods` is how pods are served. */
  logs(pods: ApiResource, ref: ResourceRef, options: LogOptions): Promise<AsyncIterable<Buffer>>;
  /** Takes our marks off an object that was just read; the rest of it stays as it is. */
  disown(resource: ApiResource, live: KubeObject, options: DisownOptions): Promise<void>;
  /** Starts at once; runs until it is disposed of, its signal aborts or the client is disposed of. */
  reflect(resource: ApiResource, options: ReflectOptions): Reflector;
  /** Holds each watch that is or will be against a list from time to time, until it is disposed of. One at a time. */
  compareWatches(options: CompareOptions): Disposable;
  /** The cluster shows an older state than it has shown before: all reflectors read everything anew, and say `isRewound`. */
  rewound(): void;
}

export interface GetOptions {
  readonly signal: AbortSignal;
  readonly impersonate?: string | undefined;
}

export interface ListOptions extends Selection {
  readonly limit?: number | undefined;
  readonly signal: AbortSignal;
}

export interface ObjectList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

/** A client of one cluster. Nothing is sent before it is used. */
export function connect(
  config: ClusterConfig,
  options: { readonly clock: Clock; readonly random: Random; readonly userAgent: string },
): KubeClient {
  return new ClusterClient(config, options);
}

class ClusterClient implements KubeClient {
  readonly server: string;
  readonly context: string;
  readonly namespace: string;
  readonly #transport: Transport;
  readonly #discovery: Discovery;
  readonly #life = new AbortController();
  readonly #reflectors = new Set<ClusterReflector>();
  #comparison: Comparison | undefined;
  readonly #shared: ConstructorParameters<typeof ClusterReflector>[3];

  constructor(config: ClusterConfig, options: Parameters<typeof connect>[1]) {
    this.server = config.server;
    this.context = config.context;
    this.namespace = config.namespace;
    this.#transport = new Transport(config, options);
    this.#discovery = new Discovery(this.#transport, options.clock, this.#life.signal);
    this.#shared = { clock: options.clock, random: options.random, streaming: { unsupportedUntil: -Infinity } };
  }

  async version(options: { readonly signal: AbortSignal }): Promise<{ readonly gitVersion: string }> {
    const reply = await this.#transport.send(
      {
        method: 'GET',
        path: '/version',
        headers: ['accept', 'application/json'],
        repeatable: true,
        attempt: { verb: 'ask', subject: `${this.server} for its version` },
      },
      options,
    );
    return { gitVersion: textOf(decodeJson(reply.body, `ask ${this.server} for its version`), 'gitVersion') };
  }

  whoAmI(options: { readonly signal: AbortSignal }): Promise<Identity> {
    return whoAmI(this.#transport, options);
  }

  resource(
    kind: GroupKind & { readonly version?: string | undefined },
    options: { readonly signal: AbortSignal },
  ): Promise<ApiResource> {
    return this.#discovery.resource(kind, options);
  }

  apiVersions(options: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    return this.#discovery.apiVersions(options);
  }

  kinds(options: { readonly signal: AbortSignal }): Promise<readonly ApiResource[]> {
    return this.#discovery.kinds(options);
  }

  invalidateDiscovery(): void {
    this.#discovery.invalidate();
  }

  get(resource: ApiResource, ref: ResourceRef, options: GetOptions): Promise<KubeObject | undefined> {
    return getObject(this.#transport, resource, ref, options);
  }

  list(resource: ApiResource, options: ListOptions): Promise<ObjectList> {
    return listPages(this.#transport, resource, options, { keep: (object) => object, signal: options.signal });
  }

  count(resource: ApiResource, options: { readonly signal: AbortSignal }): Promise<number> {
    return countObjects(this.#transport, resource, options);
  }

  async apply(object: KubeObject, options: ApplyOptions): Promise<Applied> {
    const resource = await this.#discovery.resource(kindOf(object), options);
    try {
      return await applyObject(this.#transport, resource, object, options);
    } catch (error) {
      if (error instanceof PlumbError && error.code === 'KindMissing') this.#discovery.invalidate();
      throw error;
    }
  }

  async patchOwners(
    object: KubeObject,
    patch: readonly JsonObject[],
    options: PatchOwnersOptions,
  ): Promise<KubeObject> {
    const resource = await this.#discovery.resource(kindOf(object), options);
    return patchOwners(this.#transport, resource, object.metadata, patch, options);
  }

  delete(resource: ApiResource, ref: ResourceRef, options: DeleteOptions): Promise<Deletion> {
    return deleteObject(this.#transport, resource, ref, options);
  }

  logs(pods: ApiResource, ref: ResourceRef, options: LogOptions): Promise<AsyncIterable<Buffer>> {
    return podLogs(this.#transport, pods, ref, options);
  }

  disown(resource: ApiResource, live: KubeObject, options: DisownOptions): Promise<void> {
    return disownObject(this.#transport, resource, live, options);
  }

  reflect(resource: ApiResource, options: ReflectOptions): Reflector {
    const reflector = new ClusterReflector(this.#transport, resource, options, this.#shared);
    this.#reflectors.add(reflector);
    this.#comparison?.add(reflector);
    // Otherwise a client that lives long would keep every reflector that ever was.
    void reflector.done.then(() => this.#reflectors.delete(reflector));
    return reflector;
  }

  compareWatches(options: CompareOptions): Disposable {
    const comparison = new Comparison(options, this.#shared);
    for (const reflector of this.#reflectors) comparison.add(reflector);
    this.#comparison = comparison;
    return comparison;
  }

  rewound(): void {
    for (const reflector of this.#reflectors) reflector.rewound();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    this.#comparison?.[Symbol.dispose]();
    await Promise.all([...this.#reflectors].map((reflector) => reflector[Symbol.asyncDispose]()));
    await this.#transport[Symbol.asyncDispose]();
  }
}
