import { createHash } from 'node:crypto';
import { invalidSecretKey, missingSecretKey, secretText } from '@plumb/core';

/** What a chart host is shown. `caPem` comes on top of the platform's authorities: charts may lie on a public host. */
export interface ChartCredentials {
  readonly username?: string;
  readonly password?: string;
  readonly caPem?: string;
}

/** For tokens, which hosts take with any user name, but not with an empty one. */
const ANY_USER = 'plumb';

/**
 * Reads a Secret's data: `username` with `password` or `token`, and `ca.crt`. The user name may be left out; so may
 * everything but the authority.
 *
 * @throws {PlumbError} `SecretInvalid` naming the key, never its value.
 */
export function chartCredentialsFromSecret(data: Readonly<Record<string, Uint8Array>>): ChartCredentials {
  const text = (...names: readonly string[]): string | undefined => {
    const name = names.find((candidate) => data[candidate] !== undefined);
    return name === undefined ? undefined : secretText(name, data[name]);
  };
  const caPem = text('ca.crt');
  const username = text('username')?.trim();
  const password = text('password', 'token')?.trim();
  if (password === undefined && (username !== undefined || caPem === undefined)) {
    throw missingSecretKey('password');
  }
  if (username?.includes(':')) throw invalidSecretKey('username', 'holds a colon');
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(caPem === undefined ? {} : { caPem }),
  };
}

/** The Authorization header for the host that the credentials belong to; undefined where there is nothing to show. */
export function basicAuthorization(credentials: ChartCredentials): string | undefined {
  const { username = ANY_USER, password } = credentials;
  return password === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** What may be used towards another host than the one the credentials are for. */
export function withoutLogin(credentials: ChartCredentials): ChartCredentials {
  return credentials.caPem === undefined ? {} : { caPem: credentials.caPem };
}

/**
 * A key for what was learned with these credentials, so that nobody is told what only others may read. For memory alone:
 * written down, a plain hash would confirm a guess of the password.
 */
export function accessKey(credentials: ChartCredentials, ...about: readonly (string | number)[]): string {
  const { username, password, caPem } = credentials;
  return createHash('sha256')
    .update(JSON.stringify([username ?? null, password ?? null, caPem ?? null, ...about]))
    .digest('hex');
}
