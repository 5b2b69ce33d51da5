import { invalidSecretKey, missingSecretKey, secretText } from '@plumb/core';

/** What the API of a host is shown. */
export interface HostCredentials {
  readonly token: string;
  /** For Bitbucket's API tokens and app passwords, which belong to a user; other tokens need none. */
  readonly username?: string;
  /** An authority on top of the platform's. */
  readonly caPem?: string;
}

/**
 * Reads a Secret's data: `token` (or `password`), and where they are there `username` and `ca.crt`: the keys of the Secret
 * that a Repository names for https.
 *
 * @throws {PlumbError} `SecretInvalid` naming the key, never its value.
 */
export function hostCredentialsFromSecret(data: Readonly<Record<string, Uint8Array>>): HostCredentials {
  const text = (key: string): string | undefined => (data[key] === undefined ? undefined : secretText(key, data[key]));
  const key = data['token'] === undefined ? 'password' : 'token';
  const token = text(key)?.trim();
  if (token === undefined) throw missingSecretKey('token');
  // It becomes part of a header.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw invalidSecretKey(key, 'is no token: it holds a space or a special character');
  const username = text('username')?.trim();
  if (username?.includes(':')) throw invalidSecretKey('username', 'holds a colon');
  const caPem = text('ca.crt');
  return { token, ...(username === undefined ? {} : { username }), ...(caPem === undefined ? {} : { caPem }) };
}
