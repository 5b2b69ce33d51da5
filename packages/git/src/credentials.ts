import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { invalidSecretKey, missingSecretKey, PlumbError, secretText } from '@plumb/core';
import { type GitUrl } from './url.ts';

export type GitCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string; readonly caPem?: string }
  | { readonly kind: 'ssh'; readonly privateKey: string; readonly knownHosts: string }
  | { readonly kind: 'none'; readonly caPem?: string };

/**
 * Reads a Secret's data. HTTPS: `username` (default `git`) with `password`, `token` or `bearer`, and `ca.crt`; all
 * optional together. SSH: `ssh-privatekey` or `identity`, and `known_hosts`.
 *
 * @throws {PlumbError} `SecretInvalid` naming the key, never its value.
 */
export function credentialsFromSecret(url: GitUrl, data: Readonly<Record<string, Uint8Array>>): GitCredentials {
  const text = (...names: readonly string[]): string | undefined => {
    const name = names.find((candidate) => data[candidate] !== undefined);
    return name === undefined ? undefined : secretText(name, data[name]);
  };
  if (url.scheme === 'ssh') {
    const privateKey = text('ssh-privatekey', 'identity');
    const knownHosts = text('known_hosts');
    if (privateKey === undefined) throw missingSecretKey('ssh-privatekey');
    if (knownHosts === undefined) throw missingSecretKey('known_hosts');
    // ssh refuses a key without its last line end, which a Secret written by hand often lacks.
    return { kind: 'ssh', privateKey: `${privateKey.trimEnd()}\n`, knownHosts: `${knownHosts.trimEnd()}\n` };
  }
  const caPem = text('ca.crt');
  const authority = caPem === undefined ? {} : { caPem };
  const username = text('username')?.trim();
  const password = text('password', 'token', 'bearer')?.trim();
  if (password === undefined) {
    if (username !== undefined) throw missingSecretKey('password');
    if (caPem === undefined) throw missingSecretKey('password');
    return { kind: 'none', ...authority };
  }
  if (username?.includes(':')) throw invalidSecretKey('username', 'holds a colon');
  return { kind: 'basic', username: username ?? 'git', password, ...authority };
}

/** What one run of git is given so that it can reach the remote. Disposing removes the files again. */
export interface RemoteAccess extends AsyncDisposable {
  readonly config: readonly (readonly [key: string, value: string])[];
  readonly env: Readonly<Record<string, string>>;
  /** For masking what a server echoes. */
  readonly secrets: readonly string[];
}

/**
 * Credentials as git takes them without an argument, a prompt or a file of its own: a header in the environment (which
 * also saves the round trip of the 401), a key and an authority in a private folder.
 */
export async function openAccess(url: GitUrl, credentials: GitCredentials): Promise<RemoteAccess> {
  await using cleanup = new AsyncDisposableStack();
  const config: (readonly [string, string])[] = [['remote.origin.url', url.remote]];
  const env: Record<string, string> = {
    GIT_ALLOW_PROTOCOL: url.scheme,
    // A delta may be against a file that was not fetched; git then asks this same remote for it.
    GIT_NO_LAZY_FETCH: '0',
  };
  const secrets: string[] = [];
  const write = privateFiles(cleanup);

  if (credentials.kind === 'ssh') {
    secrets.push(credentials.privateKey);
    const key = await write('key', credentials.privateKey);
    const knownHosts = await write('known_hosts', credentials.knownHosts);
    env['GIT_SSH_COMMAND'] = sshCommand(key, knownHosts);
    env['GIT_SSH_VARIANT'] = 'ssh';
  } else if (url.scheme === 'ssh') {
    throw missingSecretKey('ssh-privatekey');
  } else {
    if (credentials.kind === 'basic') {
      const encoded = Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64');
      secrets.push(credentials.password, encoded);
      config.push([`http.${new URL('/', url.remote).href}.extraHeader`, `Authorization: Basic ${encoded}`]);
    }
    if (credentials.caPem !== undefined) env['GIT_SSL_CAINFO'] = await write('ca.crt', credentials.caPem);
  }
  const owned = cleanup.move();
  return { config, env, secrets, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** git runs this line with a shell, so nothing in it comes from outside: the two paths are ours and were checked. */
function sshCommand(key: string, knownHosts: string): string {
  const options = [
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${knownHosts}`,
    'GlobalKnownHostsFile=/dev/null',
    'BatchMode=yes',
    'PasswordAuthentication=no',
    'ForwardAgent=no',
    'ConnectTimeout=15',
    'ServerAliveInterval=15',
  ];
  return ['ssh', '-F', 'none', '-i', key, ...options.flatMap((option) => ['-o', option])].join(' ');
}

function privateFiles(cleanup: AsyncDisposableStack): (name: string, text: string) => Promise<string> {
  let folder: string | undefined;
  return async (name, text) => {
    if (folder === undefined) {
      const made = await mkdtemp(join(tmpdir(), 'plumb-git-'));
      cleanup.defer(() => rm(made, { recursive: true, force: true }));
      if (!/^[A-Za-z0-9/._+-]+$/.test(made)) {
        throw new PlumbError('GitFailed', `the temporary folder ${made} has a character that ssh would read as more`, {
          fix: 'Set TMPDIR to a plain path.',
        });
      }
      folder = made;
    }
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600, flag: 'wx' });
    return path;
  };
}
