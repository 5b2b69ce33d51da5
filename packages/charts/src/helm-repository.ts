import { PlumbError, type Clock } from '@plumb/core';
import { checkArchive, MAX_CHART_BYTES, withAlgorithm } from './archive.ts';
import type { Connections } from './connections.ts';
import { accessKey, basicAuthorization, withoutLogin, type ChartCredentials } from './credentials.ts';
import { checkTarget, follow } from './follow.ts';
import type { ChartIndex, IndexEntry } from './index-file.ts';
import { KeptAnswers } from './kept-answers.ts';
import { choose, type ChartRequest, type LocatedChart } from './locate.ts';
import { parseIndex } from './parse-index.ts';
import { refusal } from './refusal.ts';
import type { OciRegistry } from './oci-registry.ts';
import { parseOciReference, shown, type ChartPlace } from './source.ts';

const MAX_INDEX_BYTES = 64 * 1024 * 1024;

/** Helm repositories of the classic kind: an `index.yaml`, and archives that it leads to. */
export class HelmRepository {
  readonly #connections: Connections;
  readonly #registry: OciRegistry;
  readonly #clock: Clock;
  readonly #indexes: KeptAnswers<ChartIndex>;

  /** @param registry for an index whose charts have moved to one */
  constructor(connections: Connections, registry: OciRegistry, clock: Clock) {
    this.#connections = connections;
    this.#registry = registry;
    this.#clock = clock;
    this.#indexes = new KeptAnswers(clock);
  }

  async locate(request: ChartRequest, options: { readonly signal: AbortSignal }): Promise<LocatedChart> {
    const { place } = request;
    const entry = await choose(request, async (maxAgeMs) => {
      const { value, isFresh } = await this.#index(request, { maxAgeMs, ...options });
      const entries = value.get(place.name) ?? [];
      if (entries.length === 0 && isFresh) {
        throw new PlumbError('ChartNotFound', `${place.shown}: the index of the repository has no such chart`);
      }
      return { entries, isFresh };
    });
    return {
      version: entry.version,
      digest: entry.digest === undefined ? undefined : withAlgorithm(entry.digest),
      download: (downloading) => this.#download(request, entry, downloading),
    };
  }

  async #index(
    { place, credentials }: ChartRequest,
    options: { readonly maxAgeMs: number; readonly signal: AbortSignal },
  ): Promise<{ readonly value: ChartIndex; readonly isFresh: boolean }> {
    const url = new URL('index.yaml', folderOf(place));
    return this.#indexes.get(
      accessKey(credentials, url.href),
      async (etag, { signal }) => {
        const answer = await follow(
          this.#connections,
          {
            url,
            headers: etag === undefined ? {} : { 'if-none-match': etag },
            authorization: basicAuthorization(credentials),
            caPem: credentials.caPem,
            maxBytes: MAX_INDEX_BYTES,
          },
          { signal },
        );
        if (answer.status === 304 && etag !== undefined) return undefined;
        if (answer.status === 404) {
          throw new PlumbError('ChartRepositoryInvalid', `GET ${shown(url)}: there is no index (404)`);
        }
        if (answer.status !== 200) throw refusal(answer);
        const job = { text: answer.body.toString('utf8'), where: shown(url) };
        const tag = answer.headers['etag'];
        return {
          value: await parseIndex(job, { clock: this.#clock, signal }),
          etag: typeof tag === 'string' ? tag : undefined,
        };
      },
      options,
    );
  }

  async #download(
    { place, credentials }: ChartRequest,
    entry: IndexEntry,
    options: { readonly signal: AbortSignal },
  ): Promise<Buffer> {
    if (/^oci:/i.test(entry.url)) return this.#downloadFromRegistry(place, credentials, entry, options);
    const folder = folderOf(place);
    const url = URL.parse(entry.url, folder.href);
    if (url === null) {
      throw new PlumbError('ChartRepositoryInvalid', `${place.shown}: the index leads to what is no address`);
    }
    checkTarget(url, folder);
    const answer = await follow(
      this.#connections,
      {
        url,
        headers: {},
        authorization: url.origin === place.origin ? basicAuthorization(credentials) : undefined,
        caPem: credentials.caPem,
        maxBytes: MAX_CHART_BYTES,
      },
      options,
    );
    if (answer.status !== 200) throw refusal(answer);
    checkArchive(answer.body, entry.digest, `GET ${shown(url)}`);
    return answer.body;
  }

  async #downloadFromRegistry(
    place: ChartPlace,
    credentials: ChartCredentials,
    entry: IndexEntry,
    options: { readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const reference = parseOciReference(entry.url);
    if (reference === undefined) {
      throw new PlumbError(
        'ChartRepositoryInvalid',
        `${place.shown}: the index leads to a registry, but names no chart`,
      );
    }
    checkTarget(new URL(reference.place.origin), folderOf(place));
    const isSameHost = reference.place.origin === place.origin;
    const access = {
      place: reference.place,
      credentials: isSameHost ? credentials : withoutLogin(credentials),
    };
    const bytes = await this.#registry.download(access, reference.tag, options);
    checkArchive(bytes, entry.digest, reference.place.shown);
    return bytes;
  }
}

function folderOf({ origin, path }: ChartPlace): URL {
  return new URL(path === '' ? '/' : `/${path}/`, origin);
}
