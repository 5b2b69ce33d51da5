import { PlumbError } from '@plumb/core';
import type { Answer, Connections, Exchange } from './connections.ts';
import { isLoopback, shown } from './source.ts';

const MAX_HOPS = 5;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

export interface Visit extends Exchange {
  /** For the host of `url` and no other. */
  readonly authorization: string | undefined;
}

export interface Arrival extends Answer {
  /** Where the answer came from, after all redirects. */
  readonly url: URL;
  /** It came from the host that was asked, and no other was in between: only then is its word its own. */
  readonly isFirstHost: boolean;
}

/**
 * A GET that follows redirects. The Authorization header is sent while scheme, host and port stay the same; once another
 * host was in between it is gone for good, even if that one leads back.
 *
 * @throws {PlumbError} `RedirectBlocked` where it leads to plain http, to no address or too far.
 */
export async function follow(
  connections: Connections,
  visit: Visit,
  options: { readonly signal: AbortSignal },
): Promise<Arrival> {
  let { url } = visit;
  let isFirstHost = true;
  for (let hops = 0; ; hops++) {
    const authorization =
      isFirstHost && visit.authorization !== undefined ? { authorization: visit.authorization } : {};
    const answer = await connections.get({ ...visit, url, headers: { ...visit.headers, ...authorization } }, options);
    const { location } = answer.headers;
    if (!REDIRECTS.includes(answer.status) || typeof location !== 'string') return { ...answer, url, isFirstHost };
    if (hops === MAX_HOPS) throw blocked(visit.url, `it is redirected more than ${MAX_HOPS} times`);
    const next = URL.parse(location, url.href);
    if (next === null) throw blocked(url, 'it is redirected to what is no address');
    checkTarget(next, url);
    isFirstHost &&= next.origin === url.origin;
    url = next;
  }
}

/**
 * Whether an address that a host named may be asked: by https, or from loopback to loopback.
 *
 * @throws {PlumbError} `RedirectBlocked`
 */
export function checkTarget(target: URL, from: URL): void {
  if (target.username !== '' || target.password !== '')
    throw blocked(from, 'it leads to an address that holds a password');
  if (target.protocol === 'https:') return;
  if (target.protocol === 'http:' && from.protocol === 'http:' && isLoopback(target)) return;
  throw blocked(from, `it leads to ${shown(target)}, which is not https`);
}

function blocked(url: URL, why: string): PlumbError {
  return new PlumbError('RedirectBlocked', `GET ${shown(url)}: ${why}`);
}
