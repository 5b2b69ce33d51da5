import { PlumbError, type Clock } from '@plumb/core';
import { checkArchive, MAX_CHART_BYTES } from './archive.ts';
import type { Connections } from './connections.ts';
import { accessKey } from './credentials.ts';
import { decodeManifest, decodeTags, type ChartLayer } from './decode.ts';
import { follow, type Arrival } from './follow.ts';
import { KeptAnswers } from './kept-answers.ts';
import { choose, type ChartRequest, type LocatedChart } from './locate.ts';
import { refusal } from './refusal.ts';
import { RegistryLogin, repositoryOf, type RegistryAccess } from './registry-access.ts';
import { shown } from './source.ts';
import { isVersion } from './version-range.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const PAGE_TAGS = 1000;
const MAX_PAGES = 100;
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** Charts in OCI registries: https://github.com/opencontainers/distribution-spec/blob/main/spec.md. */
export class OciRegistry {
  readonly #connections: Connections;
  readonly #login: RegistryLogin;
  readonly #versions: KeptAnswers<readonly string[]>;

  constructor(connections: Connections, clock: Clock) {
    this.#connections = connections;
    this.#login = new RegistryLogin(connections, clock);
    this.#versions = new KeptAnswers(clock);
  }

  async locate(request: ChartRequest, options: { readonly signal: AbortSignal }): Promise<LocatedChart> {
    const { exact } = request.range;
    if (exact !== undefined) {
      // Most often the tag is written like the version, and no list is needed.
      const layer = await this.#layer(request, tagOf(exact), options);
      if (layer !== undefined) {
        return {
          version: exact,
          digest: layer.digest,
          download: (downloading) => this.#blob(request, layer, downloading),
        };
      }
    }
    const { version } = await choose(request, async (maxAgeMs) => {
      const { value, isFresh } = await this.#versions.get(
        accessKey(request.credentials, request.place.origin, repositoryOf(request.place)),
        async (_etag, asking) => ({ value: await this.#list(request, asking), etag: undefined }),
        { maxAgeMs, ...options },
      );
      return { entries: value.map((listed) => ({ version: listed })), isFresh };
    });
    return {
      version,
      digest: undefined,
      download: (downloading) => this.download(request, tagOf(version), downloading),
    };
  }

  /** @throws {PlumbError} `ChartNotFound` where there is no such tag. */
  async download(access: RegistryAccess, tag: string, options: { readonly signal: AbortSignal }): Promise<Buffer> {
    const layer = await this.#layer(access, tag, options);
    if (layer === undefined) {
      throw new PlumbError('ChartNotFound', `${access.place.shown}: the registry has no tag "${tag}"`);
    }
    return this.#blob(access, layer, options);
  }

  async #layer(
    access: RegistryAccess,
    tag: string,
    options: { readonly signal: AbortSignal },
  ): Promise<ChartLayer | undefined> {
    const url = addressOf(access, `manifests/${tag}`);
    const answer = await this.#get(access, url, { accept: MANIFEST_TYPE }, MAX_MANIFEST_BYTES, options);
    if (answer.status === 404) return undefined;
    if (answer.status !== 200) throw refusal(answer);
    return decodeManifest(answer.body, `GET ${shown(url)}`);
  }

  async #blob(
    access: RegistryAccess,
    { digest }: ChartLayer,
    options: { readonly signal: AbortSignal },
  ): Promise<Buffer> {
    const url = addressOf(access, `blobs/${digest}`);
    const answer = await this.#get(access, url, {}, MAX_CHART_BYTES, options);
    if (answer.status !== 200) throw refusal(answer);
    checkArchive(answer.body, digest, `GET ${shown(url)}`);
    return answer.body;
  }

  /** All versions, page by page. */
  async #list(access: RegistryAccess, options: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    const versions: string[] = [];
    let url = addressOf(access, `tags/list?n=${PAGE_TAGS}`);
    for (let page = 1; page <= MAX_PAGES; page++) {
      const answer = await this.#get(access, url, {}, MAX_PAGE_BYTES, options);
      if (answer.status !== 200) throw refusal(answer);
      const tags = decodeTags(answer.body, `GET ${shown(url)}`);
      // Helm writes "+" as "_", which a tag may hold and a version may not.
      versions.push(...tags.map((tag) => tag.replaceAll('_', '+')).filter(isVersion));
      const next = nextPage(answer, url);
      if (next === undefined) return versions;
      url = next;
    }
    throw new PlumbError(
      'ChartRepositoryInvalid',
      `${access.place.shown}: the list of tags has more than ${MAX_PAGES} pages`,
    );
  }

  /** A GET that says who asks once the registry wants to know. */
  async #get(
    access: RegistryAccess,
    url: URL,
    headers: Readonly<Record<string, string>>,
    maxBytes: number,
    options: { readonly signal: AbortSignal },
  ): Promise<Arrival> {
    const visit = { url, headers, maxBytes, caPem: access.credentials.caPem };
    const first = await follow(this.#connections, { ...visit, authorization: this.#login.known(access) }, options);
    if (first.status !== 401 || !first.isFirstHost) return first;
    const authorization = await this.#login.answer(first.headers, access, options);
    return authorization === undefined ? first : follow(this.#connections, { ...visit, authorization }, options);
  }
}

function tagOf(version: string): string {
  return version.replaceAll('+', '_');
}

function addressOf({ place }: RegistryAccess, rest: string): URL {
  return new URL(`/v2/${repositoryOf(place)}/${rest}`, place.origin);
}

/** The link of RFC 8288. It has to stay with the host, which is what the token is for. */
function nextPage({ headers }: Arrival, url: URL): URL | undefined {
  const { link } = headers;
  const [, target] = /<([^>]*)>\s*;[^<]*\brel="?next"?/i.exec(typeof link === 'string' ? link : '') ?? [];
  if (target === undefined) return undefined;
  const next = URL.parse(target, url.href);
  if (next?.origin === url.origin) return next;
  throw new PlumbError('ChartRepositoryInvalid', `GET ${shown(url)}: the next page of tags lies on another host`);
}
