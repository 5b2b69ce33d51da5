import type { Clock } from '@plumb/core';
import { ChartCache, type Note } from './cache.ts';
import { Connections } from './connections.ts';
import { accessKey, type ChartCredentials } from './credentials.ts';
import { HelmRepository } from './helm-repository.ts';
import type { ChartRequest } from './locate.ts';
import { OciRegistry } from './oci-registry.ts';
import { SharedRuns } from './shared-runs.ts';
import { parseSource, type ChartSource } from './source.ts';
import { parseVersionRange } from './version-range.ts';

export interface ResolvedChart {
  readonly name: string;
  /** As the host writes it. */
  readonly version: string;
  /** `sha256:…` of the bytes. */
  readonly digest: string;
  /** The .tgz. */
  readonly bytes: Uint8Array;
}

export interface Charts extends AsyncDisposable {
  /**
   * The chart that a version or a range means now. The host's list of versions is kept for `maxAgeMs` (5 min where it is
   * left out) and then asked for anew. A version that was fetched before, with the same credentials, is what it was, and
   * needs no request. Calls for the same at the same time share one run.
   *
   * @throws {PlumbError} with the codes of the group "Charts", or for the source and the Secret.
   */
  resolve(
    source: ChartSource,
    options: { readonly credentials: ChartCredentials; readonly maxAgeMs?: number; readonly signal: AbortSignal },
  ): Promise<ResolvedChart>;
  /**
   * From the cache alone; undefined where it is not there, or was damaged. Asks nobody whether the caller may read it: a
   * digest is to come from {@link resolve}.
   */
  read(digest: string): Promise<Uint8Array | undefined>;
}

const DEFAULT_MAX_AGE_MS = 5 * 60_000;
const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;

/**
 * Opens the way to charts in Helm repositories and OCI registries.
 *
 * @param options.folder a cache, safe to delete, which other processes may use as well
 * @param options.maxBytes of the cache
 */
export function openCharts(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly maxBytes?: number;
}): Charts {
  const { folder, clock, maxBytes = DEFAULT_MAX_BYTES } = options;
  const life = new AbortController();
  const connections = new Connections(clock);
  const registry = new OciRegistry(connections, clock);
  const repository = new HelmRepository(connections, registry, clock);
  const cache = new ChartCache({ folder, clock, maxBytes });
  const runs = new SharedRuns<ResolvedChart>();

  async function recall({ place, credentials }: ChartRequest, version: string): Promise<ResolvedChart | undefined> {
    const note = await cache.recall(place, version, credentials);
    const bytes = note === undefined ? undefined : await cache.read(note.digest);
    return note === undefined || bytes === undefined ? undefined : { name: place.name, ...note, bytes };
  }

  async function resolve(request: ChartRequest, signal: AbortSignal): Promise<ResolvedChart> {
    const { place, range, credentials } = request;
    const known = range.exact === undefined ? undefined : await recall(request, range.exact);
    if (known !== undefined) return known;
    const host = place.kind === 'registry' ? registry : repository;
    const located = await host.locate(request, { signal });
    const kept = await recall(request, located.version);
    // A version that was published once more, with other bytes, is noticed where the host lists digests.
    if (kept !== undefined && (located.digest ?? kept.digest) === kept.digest) return kept;

    const bytes = await located.download({ signal });
    const note: Note = { version: located.version, digest: await cache.write(bytes) };
    for (const version of new Set([note.version, range.exact ?? note.version])) {
      await cache.remember(place, version, credentials, note);
    }
    return { name: place.name, ...note, bytes };
  }

  return {
    async resolve(source, { credentials, maxAgeMs = DEFAULT_MAX_AGE_MS, signal }) {
      const place = parseSource(source, { overTls: credentials.caPem !== undefined });
      const request: ChartRequest = { place, range: parseVersionRange(source.version), credentials, maxAgeMs };
      const key = accessKey(
        credentials,
        place.kind,
        place.origin,
        place.path,
        place.name,
        request.range.text,
        maxAgeMs,
      );
      return runs.run(key, (running) => resolve(request, running), { signal: AbortSignal.any([signal, life.signal]) });
    },
    read: (digest) => cache.read(digest),
    async [Symbol.asyncDispose]() {
      life.abort();
      await connections[Symbol.asyncDispose]();
    },
  };
}
