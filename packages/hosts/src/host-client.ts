import { PlumbError, type Clock } from '@plumb/core';
import { shown, type Answer, type Connections, type Method } from './connections.ts';
import { decodeJson, type Fields } from './decode.ts';
import { refusal } from './refusal.ts';

const MAX_HOPS = 3;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
/** Far more than any list has that is worth reading; a host that always names a next page is stopped here. */
const MAX_PAGES = 100;

export interface HostClientOptions {
  readonly connections: Connections;
  readonly clock: Clock;
  /** The root of the API, without a slash at the end. */
  readonly api: string;
  /** With the authorization; sent to the origin of `api` and to no other. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Cancellable {
  readonly signal: AbortSignal;
}

export type Query = Readonly<Record<string, string | number>>;

export interface Page {
  readonly items: readonly Fields[];
  /** The host has no more pages. */
  readonly isLast: boolean;
}

/** JSON over HTTP with one host: pages, redirects and refusals, the same for all kinds. */
export class HostClient {
  readonly #options: HostClientOptions;

  constructor(options: HostClientOptions) {
    this.#options = options;
  }

  async get(path: string, options: Cancellable): Promise<Fields> {
    const { answer, url } = await this.#ask('GET', this.#url(path), undefined, options);
    return decodeJson(answer.body, `GET ${shown(url)}`);
  }

  /** As `get`, and undefined where the host says that there is no such thing. */
  async find(path: string, options: Cancellable): Promise<Fields | undefined> {
    try {
      return await this.get(path, options);
    } catch (thrown) {
      if (thrown instanceof PlumbError && thrown.code === 'HostNotFound') return undefined;
      throw thrown;
    }
  }

  async send(method: Exclude<Method, 'GET'>, path: string, body: object, options: Cancellable): Promise<Fields> {
    const { answer, url } = await this.#ask(method, this.#url(path), JSON.stringify(body), options);
    return decodeJson(answer.body, `${method} ${shown(url)}`);
  }

  /**
   * A list, page by page. Where the next one is stands in the `Link` header, or in the field `next` of an answer that has
   * its items under `values`; some lists of Gitea only say how many items there are. Of an address only the query is
   * taken: a host cannot lead the token elsewhere.
   */
  async *pages(path: string, query: Query, options: Cancellable): AsyncGenerator<Page, void> {
    let url = this.#url(path, query);
    let seen = 0;
    for (let count = 1; count <= MAX_PAGES; count++) {
      const reached = await this.#ask('GET', url, undefined, options);
      const where = `GET ${shown(reached.url)}`;
      const body = decodeJson(reached.answer.body, where);
      const isWrapped = body.at('values').isThere;
      const items = isWrapped ? body.at('values').items : body.items;
      seen += items.length;
      const linked = isWrapped ? body.at('next').maybeText : nextLink(reached.answer);
      const next = linked ?? (items.length === 0 ? undefined : nextByCount(reached.url, reached.answer, seen));
      const address = next === undefined ? undefined : URL.parse(next, reached.url.href);
      if (address === null) throw new PlumbError('HostAnswerInvalid', `${where}: the next page is no address`);
      yield { items, isLast: address === undefined };
      if (address === undefined) return;
      url = new URL(reached.url);
      url.search = address.search;
    }
  }

  /** All items of a list. */
  async list(path: string, query: Query, options: Cancellable): Promise<readonly Fields[]> {
    const items: Fields[] = [];
    let isLast = false;
    for await (const page of this.pages(path, query, options)) {
      items.push(...page.items);
      isLast = page.isLast;
    }
    if (isLast) return items;
    throw new PlumbError(
      'HostAnswerInvalid',
      `GET ${shown(this.#url(path))}: the list has more than ${MAX_PAGES} pages`,
    );
  }

  #url(path: string, query: Query = {}): URL {
    const url = new URL(`${this.#options.api}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
    return url;
  }

  async #ask(
    method: Method,
    start: URL,
    body: string | undefined,
    options: Cancellable,
  ): Promise<{ readonly answer: Answer; readonly url: URL }> {
    const { connections, clock, headers } = this.#options;
    const type: Readonly<Record<string, string>> = body === undefined ? {} : { 'content-type': 'application/json' };
    let url = start;
    for (let hops = 0; ; hops++) {
      const answer = await connections.send({ method, url, headers: { ...headers, ...type }, body }, options);
      if (answer.status >= 200 && answer.status < 300) return { answer, url };
      if (!REDIRECTS.includes(answer.status)) throw refusal(`${method} ${shown(url)}`, answer, clock.now());
      url = this.#redirected(method, url, answer, hops);
    }
  }

  /** A repository that was renamed, or a list that lies elsewhere: followed at the same host, without changing the method. */
  #redirected(method: Method, url: URL, answer: Answer, hops: number): URL {
    const { location } = answer.headers;
    const next = typeof location === 'string' ? URL.parse(location, url.href) : null;
    const keepsMethod = method === 'GET' || answer.status === 307 || answer.status === 308;
    if (next !== null && next.origin === url.origin && keepsMethod && hops < MAX_HOPS) return next;
    throw new PlumbError('RedirectBlocked', `${method} ${shown(url)}: it is redirected (${answer.status})`, {
      fix: 'Use the address that the repository has now.',
    });
  }
}

/** RFC 8288: `<https://…?page=2>; rel="next", <…>; rel="last"`. */
function nextLink({ headers }: Answer): string | undefined {
  const { link } = headers;
  if (typeof link !== 'string') return undefined;
  return /<([^<>]*)>;[^<]*\brel="?next"?/.exec(link)?.[1];
}

/** Only where pages were asked for: a list that has none may count more than it shows. */
function nextByCount(url: URL, { headers }: Answer, seen: number): string | undefined {
  const total = headers['x-total-count'];
  const isMore = typeof total === 'string' && /^\d{1,9}$/.test(total) && Number(total) > seen;
  if (!isMore || !url.searchParams.has('limit')) return undefined;
  const next = new URL(url);
  next.searchParams.set('page', String(Number(url.searchParams.get('page') ?? 1) + 1));
  return next.href;
}
