import { PlumbError, type Clock } from '@plumb/core';
import { openBitbucket } from './bitbucket.ts';
import { Connections } from './connections.ts';
import type { HostCredentials } from './credentials.ts';
import { openGitea } from './gitea.ts';
import { openGitHub } from './github.ts';
import { openGitLab } from './gitlab.ts';
import { HostClient } from './host-client.ts';
import type { HostAddress } from './host-of.ts';
import type { GitHost, HostKind } from './host.ts';
import type { HostParts } from './host-parts.ts';
import type { Fields } from './decode.ts';

const OPENERS: Readonly<Record<HostKind, (parts: HostParts) => GitHost>> = {
  github: openGitHub,
  gitlab: openGitLab,
  gitea: openGitea,
  bitbucket: openBitbucket,
};

/** What {@link HostUser.id} is on each kind of host. */
const ACCOUNT_IDS: Readonly<Record<HostKind, (user: Fields) => string | undefined>> = {
  github: (user) => user.at('login').maybeText,
  gitlab: (user) => user.at('id').maybeInteger?.toString(),
  gitea: (user) => user.at('login').maybeText,
  bitbucket: (user) => user.at('uuid').maybeText,
};

/**
 * Opens the way to the pull requests of one repository. Sends nothing yet.
 *
 * @param options.address as `hostOf` finds it
 * @param options.account who we are, where the token may not ask: the id of {@link HostUser}, such as `plumb[bot]`
 * @throws {PlumbError} `SecretInvalid` where the authority is no certificate.
 */
export function openHost(options: {
  readonly address: HostAddress;
  readonly credentials: HostCredentials;
  readonly clock: Clock;
  readonly account?: string;
}): GitHost {
  const { address, credentials, clock } = options;
  const { kind, api, project } = address;
  const connections = new Connections(clock, credentials.caPem);
  const client = new HostClient({ connections, clock, api, headers: headersFor(kind, credentials) });
  let known = options.account;

  async function account({ signal }: { readonly signal: AbortSignal }): Promise<string | undefined> {
    if (known !== undefined) return known;
    try {
      known = ACCOUNT_IDS[kind](await client.get('/user', { signal }));
      return known;
    } catch (thrown) {
      // Tokens of apps and of repositories belong to nobody, or may not ask.
      const isUntold = ['HostUnauthorized', 'HostNotFound', 'HostRefused'].includes(codeOf(thrown));
      if (isUntold) return undefined;
      throw thrown;
    }
  }

  return OPENERS[kind]({ client, project, account, close: () => connections[Symbol.asyncDispose]() });
}

function headersFor(kind: HostKind, { token, username }: HostCredentials): Readonly<Record<string, string>> {
  switch (kind) {
    case 'github':
      return {
        authorization: `Bearer ${token}`,
        accept: 'application/vnd.github+json',
        'x-github-api-version': '2022-11-28',
      };
    case 'gitlab':
      return { 'private-token': token, accept: 'application/json' };
    case 'gitea':
      return { authorization: `token ${token}`, accept: 'application/json' };
    case 'bitbucket': {
      const basic = Buffer.from(`${username}:${token}`).toString('base64');
      return {
        authorization: username === undefined ? `Bearer ${token}` : `Basic ${basic}`,
        accept: 'application/json',
      };
    }
  }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof PlumbError ? thrown.code : '';
}
