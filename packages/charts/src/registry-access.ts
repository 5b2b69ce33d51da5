import { PlumbError, type Clock } from '@plumb/core';
import type { AnswerHeaders, Connections } from './connections.ts';
import { accessKey, basicAuthorization, type ChartCredentials } from './credentials.ts';
import { decodeToken } from './decode.ts';
import { checkTarget, follow } from './follow.ts';
import { refusal } from './refusal.ts';
import { shown, type ChartPlace } from './source.ts';

/** A repository of a registry, and who wants to read it. */
export interface RegistryAccess {
  readonly place: ChartPlace;
  readonly credentials: ChartCredentials;
}

interface Grant {
  readonly authorization: string;
  readonly untilMs: number;
}

const MAX_TOKEN_BYTES = 1024 * 1024;
/** A token that ends while its request is on its way would cost one more round. */
const MARGIN_MS = 5_000;
const MAX_GRANTS = 1024;

/**
 * How registries are shown who asks. They say it themselves, in the challenge of their first 401: a password (`Basic`), or
 * a token that another server gives out for that password (`Bearer`). Tokens are kept until they end.
 */
export class RegistryLogin {
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #grants = new Map<string, Grant>();

  constructor(connections: Connections, clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
  }

  /** The Authorization header that was good last time. */
  known(access: RegistryAccess): string | undefined {
    const grant = this.#grants.get(keyOf(access));
    return grant !== undefined && this.#clock.monotonic() < grant.untilMs ? grant.authorization : undefined;
  }

  /**
   * The Authorization header that a 401 asks for; undefined where there is none to give.
   *
   * @throws {PlumbError} `RedirectBlocked` where the token server is not one that a password may be sent to,
   *   `ChartRepositoryUnauthorized` where it refuses.
   */
  async answer(
    headers: AnswerHeaders,
    access: RegistryAccess,
    options: { readonly signal: AbortSignal },
  ): Promise<string | undefined> {
    this.#grants.delete(keyOf(access));
    const basic = basicAuthorization(access.credentials);
    const challenge = parseChallenge(headers['www-authenticate']);
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') {
      if (basic !== undefined) this.#grant(access, basic, Infinity);
      return basic;
    }
    const url = tokenUrl(challenge, access.place);
    const askedAtMs = this.#clock.monotonic();
    const answer = await follow(
      this.#connections,
      { url, headers: {}, authorization: basic, caPem: access.credentials.caPem, maxBytes: MAX_TOKEN_BYTES },
      options,
    );
    if (answer.status !== 200) throw refusal(answer);
    const { token, lifetimeMs } = decodeToken(answer.body, `GET ${shown(url)}`);
    this.#grant(access, `Bearer ${token}`, askedAtMs + lifetimeMs - MARGIN_MS);
    return `Bearer ${token}`;
  }

  #grant(access: RegistryAccess, authorization: string, untilMs: number): void {
    this.#grants.set(keyOf(access), { authorization, untilMs });
    const [oldest] = this.#grants.keys();
    if (this.#grants.size > MAX_GRANTS && oldest !== undefined) this.#grants.delete(oldest);
  }
}

/** The name of a chart's repository within its registry. */
export function repositoryOf({ path, name }: ChartPlace): string {
  return path === '' ? name : `${path}/${name}`;
}

type Challenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: string; readonly service: string | undefined };

/** https://www.rfc-editor.org/rfc/rfc9110#name-www-authenticate, as far as registries use it. */
function parseChallenge(header: string | string[] | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : (header?.join(', ') ?? '');
  const [, list = ''] = /\bbearer\s+((?:[\w-]+\s*=\s*(?:"[^"]*"|[^\s,"]+)[\s,]*)+)/i.exec(text) ?? [];
  const fields = new Map(
    Array.from(list.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))/g), ([, name = '', quoted, plain]) => [
      name.toLowerCase(),
      quoted ?? plain,
    ]),
  );
  const realm = fields.get('realm');
  if (realm !== undefined) return { scheme: 'bearer', realm, service: fields.get('service') };
  return /\bbasic\b/i.test(text) ? { scheme: 'basic' } : undefined;
}

/** The scope is ours and not the one of the challenge: to read this chart is all that is ever asked for. */
function tokenUrl({ realm, service }: Challenge & { scheme: 'bearer' }, place: ChartPlace): URL {
  const url = URL.parse(realm);
  if (url === null) {
    throw new PlumbError('ChartRepositoryInvalid', `${place.shown}: the registry names a token server without address`);
  }
  checkTarget(url, new URL(place.origin));
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', `repository:${repositoryOf(place)}:pull`);
  return url;
}

function keyOf({ place, credentials }: RegistryAccess): string {
  return accessKey(credentials, place.origin, repositoryOf(place));
}
