import { fieldAt, isJsonArray, PlumbError, toPlumbError, type Clock, type GroupKind, type Json } from '@plumb/core';
import { apiResource, type ApiResource } from './api-resource.ts';
import { decodeJson, textOf } from './decode.ts';
import { SingleFlight } from './single-flight.ts';
import type { Transport } from './transport.ts';

/** What a server serves at one moment. */
interface Catalog {
  /** By `group/kind`, in the server's order of preference. */
  readonly served: ReadonlyMap<string, readonly ApiResource[]>;
  /** Group versions that could not be read, by `group/version`: whether they hold a kind is unknown. */
  readonly unread: ReadonlyMap<string, PlumbError>;
  readonly readAt: number;
}

export interface KindQuery extends GroupKind {
  /** Without it: the version that the server prefers. */
  readonly version?: string | undefined;
}

/** A kind that is not found makes the catalogue be read again, but no more often than this. */
const MIN_AGE_MS = 3_000;
const AGGREGATED =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';

/**
 * Which kinds the server knows. Reads them in one go (two requests) where the server can, else group by group. A group
 * that cannot be read is *unknown*, never absent: an aggregated API whose server is down must not look as if its kinds
 * were gone.
 */
export class Discovery {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #flight: SingleFlight<Catalog>;
  #catalog: Catalog | undefined;

  /** `signal` ends the reads that callers share. */
  constructor(transport: Transport, clock: Clock, signal: AbortSignal) {
    this.#transport = transport;
    this.#clock = clock;
    this.#signal = signal;
    this.#flight = this.#newFlight();
  }

  /** Throws `KindMissing` where the server has no such kind, `ServerError` where it could not say. */
  async resource(query: KindQuery, options: { readonly signal: AbortSignal }): Promise<ApiResource> {
    const known = this.#catalog;
    const found = known === undefined ? undefined : find(known, query);
    if (found !== undefined) return found;
    const fresh =
      known !== undefined && this.#clock.monotonic() - known.readAt < MIN_AGE_MS
        ? known
        : await this.#flight.run(options);
    const resource = find(fresh, query);
    if (resource !== undefined) return resource;
    throw missing(fresh, query);
  }

  /** All served API versions, as Helm's `.Capabilities.APIVersions` names them: `apps/v1` and `apps/v1/Deployment`. */
  async apiVersions(options: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    const catalog = this.#catalog ?? (await this.#flight.run(options));
    const names = new Set<string>();
    for (const versions of catalog.served.values()) {
      for (const { apiVersion, kind } of versions) names.add(apiVersion).add(`${apiVersion}/${kind}`);
    }
    return [...names].toSorted();
  }

  /** Every kind in the version that the server prefers; throws where a group could not be read. */
  async kinds(options: { readonly signal: AbortSignal }): Promise<readonly ApiResource[]> {
    const catalog = this.#catalog ?? (await this.#flight.run(options));
    const [unread] = catalog.unread.values();
    if (unread !== undefined) throw unread;
    return [...catalog.served.values()].flatMap(([preferred]) => preferred ?? []);
  }

  /** The next question reads the catalogue anew, for instance because a CustomResourceDefinition has changed. */
  invalidate(): void {
    this.#catalog = undefined;
    this.#flight = this.#newFlight();
  }

  /** Parts of what it reads may be older than what makes it invalid: then it serves those alone who asked before. */
  #newFlight(): SingleFlight<Catalog> {
    const flight = new SingleFlight(async () => {
      const catalog = await this.#read(this.#signal);
      if (flight === this.#flight) this.#catalog = catalog;
      return catalog;
    });
    return flight;
  }

  async #read(signal: AbortSignal): Promise<Catalog> {
    const readAt = this.#clock.monotonic();
    const [core, groups] = await Promise.all([this.#get('/api', signal), this.#get('/apis', signal)]);
    const builder = new CatalogBuilder();
    const legacy: Promise<void>[] = [];
    if (!builder.addAggregated(core)) {
      for (const version of list(fieldAt(core, 'versions'))) {
        if (typeof version === 'string') legacy.push(this.#readLegacy(builder, '', version, `/api/${version}`, signal));
      }
    }
    if (!builder.addAggregated(groups)) {
      for (const group of list(fieldAt(groups, 'groups'))) {
        const name = textOf(group, 'name');
        for (const version of preferredFirst(group)) {
          legacy.push(this.#readLegacy(builder, name, version, `/apis/${name}/${version}`, signal));
        }
      }
    }
    await Promise.all(legacy);
    return { ...builder.finish(), readAt };
  }

  /** One group version in the old form. A failure is noted, not thrown: the other groups still count. */
  async #readLegacy(
    builder: CatalogBuilder,
    group: string,
    version: string,
    path: string,
    signal: AbortSignal,
  ): Promise<void> {
    const slot = builder.reserve();
    try {
      builder.addLegacy(slot, group, version, await this.#get(path, signal));
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      builder.addUnread(group, version, toPlumbError(thrown));
    }
  }

  async #get(path: string, signal: AbortSignal): Promise<unknown> {
    const reply = await this.#transport.send(
      {
        method: 'GET',
        path,
        headers: ['accept', AGGREGATED],
        repeatable: true,
        attempt: { verb: 'discover', subject: path },
      },
      { signal },
    );
    return decodeJson(reply.body, `discover ${path}`);
  }
}

class CatalogBuilder {
  readonly #served = new Map<string, ApiResource[]>();
  readonly #unread = new Map<string, PlumbError>();
  /** The old form arrives in any order; the server's order of preference is kept by where each answer belongs. */
  readonly #slots: ApiResource[][] = [];

  reserve(): number {
    return this.#slots.push([]) - 1;
  }

  addAggregated(document: unknown): boolean {
    if (fieldAt(document, 'kind') !== 'APIGroupDiscoveryList') return false;
    const slot: ApiResource[] = [];
    this.#slots.push(slot);
    for (const item of list(fieldAt(document, 'items'))) {
      const group = textOf(fieldAt(item, 'metadata'), 'name');
      for (const entry of list(fieldAt(item, 'versions'))) {
        const version = textOf(entry, 'version');
        const resources = list(fieldAt(entry, 'resources'));
        if (textOf(entry, 'freshness') === 'Stale') {
          this.addUnread(
            group,
            version,
            new PlumbError('ServerError', `the server of ${group}/${version} does not answer`),
          );
        }
        for (const resource of resources) {
          const kind = textOf(fieldAt(resource, 'responseKind'), 'kind');
          const plural = textOf(resource, 'resource');
          if (kind === '' || plural === '') continue;
          const namespaced = textOf(resource, 'scope') === 'Namespaced';
          slot.push(apiResource({ group, version, kind, plural, namespaced, verbs: verbsOf(resource) }));
        }
      }
    }
    return true;
  }

  addLegacy(slot: number, group: string, version: string, document: unknown): void {
    for (const resource of list(fieldAt(document, 'resources'))) {
      const plural = textOf(resource, 'name');
      const kind = textOf(resource, 'kind');
      // `deployments/status` is a subresource, not a kind.
      if (plural === '' || kind === '' || plural.includes('/')) continue;
      const namespaced = fieldAt(resource, 'namespaced') === true;
      this.#slots[slot]?.push(apiResource({ group, version, kind, plural, namespaced, verbs: verbsOf(resource) }));
    }
  }

  addUnread(group: string, version: string, error: PlumbError): void {
    this.#unread.set(`${group}/${version}`, error);
  }

  finish(): Omit<Catalog, 'readAt'> {
    for (const resource of this.#slots.flat()) {
      const key = `${resource.group}/${resource.kind}`;
      const versions = this.#served.get(key);
      if (versions === undefined) this.#served.set(key, [resource]);
      else versions.push(resource);
    }
    return { served: this.#served, unread: this.#unread };
  }
}

function find(catalog: Catalog, query: KindQuery): ApiResource | undefined {
  const versions = catalog.served.get(`${query.group}/${query.kind}`);
  return query.version === undefined ? versions?.[0] : versions?.find(({ version }) => version === query.version);
}

function missing(catalog: Catalog, query: KindQuery): PlumbError {
  const apiVersion = [query.group, query.version].filter((part) => part !== undefined && part !== '').join('/');
  const wanted = `${query.kind}${apiVersion === '' ? '' : ` (${apiVersion})`}`;
  for (const [groupVersion, cause] of catalog.unread) {
    const slash = groupVersion.indexOf('/');
    if (groupVersion.slice(0, slash) !== query.group) continue;
    if (query.version !== undefined && groupVersion.slice(slash + 1) !== query.version) continue;
    return new PlumbError('ServerError', `whether the server has ${wanted} is unknown: ${cause.message}`, { cause });
  }
  const near = didYouMean(catalog, query);
  const hint = near.length === 0 ? '' : `; did you mean ${near.join(' or ')}?`;
  return new PlumbError('KindMissing', `the server has no ${wanted}${hint}`);
}

/** Served kinds that the writer may have meant: another version, another group, or a slip of the pen. */
function didYouMean(catalog: Catalog, query: KindQuery): readonly string[] {
  const name = (resource: ApiResource): string => `${resource.kind} (${resource.apiVersion})`;
  const sameKind = catalog.served.get(`${query.group}/${query.kind}`);
  if (sameKind !== undefined) return sameKind.map(name);
  const all = [...catalog.served.values()].flatMap(([preferred]) => (preferred === undefined ? [] : [preferred]));
  const elsewhere = all.filter(({ kind }) => kind === query.kind);
  if (elsewhere.length > 0) return elsewhere.slice(0, 3).map(name);
  const slips = all.filter(({ kind }) => isSlip(kind.toLowerCase(), query.kind.toLowerCase()));
  return slips.slice(0, 3).map(name);
}

/** At most two letters typed wrong, left out or added; one in short words, which are otherwise all alike. */
function isSlip(a: string, b: string): boolean {
  const allowed = Math.min(a.length, b.length) < 6 ? 1 : 2;
  if (Math.abs(a.length - b.length) > allowed) return false;
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return (row[b.length] ?? Infinity) <= allowed;
}

function preferredFirst(group: Json): readonly string[] {
  const versions = list(fieldAt(group, 'versions')).map((entry) => textOf(entry, 'version'));
  const preferred = textOf(fieldAt(group, 'preferredVersion'), 'version');
  return versions.toSorted((a, b) => Number(b === preferred) - Number(a === preferred));
}

function verbsOf(resource: Json): readonly string[] {
  return list(fieldAt(resource, 'verbs')).filter((verb) => typeof verb === 'string');
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : [];
}
