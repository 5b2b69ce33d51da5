import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { credentialsFromSecret, openAccess } from './credentials.ts';
import { parseGitUrl } from './url.ts';

const HTTPS = parseGitUrl('https://example.com:8443/acme/shop.git');
const SSH = parseGitUrl('git@example.com:acme/shop.git');

function data(values: Record<string, string>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value)]));
}

test('a Secret for HTTPS holds a password or a token, and perhaps an authority', () => {
  assert.deepEqual(credentialsFromSecret(HTTPS, data({ username: 'reader', password: 'p\n' })), {
    kind: 'basic',
    username: 'reader',
    password: 'p',
  });
  assert.deepEqual(credentialsFromSecret(HTTPS, data({ token: 't', 'ca.crt': 'PEM' })), {
    kind: 'basic',
    username: 'git',
    password: 't',
    caPem: 'PEM',
  });
  assert.deepEqual(credentialsFromSecret(HTTPS, data({ 'ca.crt': 'PEM' })), { kind: 'none', caPem: 'PEM' });
});

test('a Secret for SSH holds a key and the known hosts', () => {
  const secret = data({ identity: 'KEY', known_hosts: 'example.com ssh-ed25519 AAAA' });

  const credentials = credentialsFromSecret(SSH, secret);

  assert.deepEqual(credentials, { kind: 'ssh', privateKey: 'KEY\n', knownHosts: 'example.com ssh-ed25519 AAAA\n' });
});

test('a Secret that lacks a key is refused with the name of the key and no value', () => {
  const cases = [
    [HTTPS, { username: 'CANARY' }, 'password'],
    [HTTPS, {}, 'password'],
    [HTTPS, { username: 'CANARY:x', password: 'CANARY' }, 'username'],
    [HTTPS, { password: ' ' }, 'password'],
    [SSH, { known_hosts: 'CANARY' }, 'ssh-privatekey'],
    [SSH, { 'ssh-privatekey': 'CANARY' }, 'known_hosts'],
  ] as const;

  for (const [url, values, key] of cases) {
    assert.throws(
      () => credentialsFromSecret(url, data(values)),
      (error) =>
        error instanceof PlumbError &&
        error.code === 'SecretInvalid' &&
        error.message.includes(`"${key}"`) &&
        !error.message.includes('CANARY'),
    );
  }
});

test('a password is bound to its host and is in no file', async () => {
  await using access = await openAccess(HTTPS, { kind: 'basic', username: 'reader', password: 'CANARY' });

  const header = access.config.find(([key]) => key.endsWith('extraHeader'));

  assert.equal(header?.[0], 'http.https://example.com:8443/.extraHeader');
  assert.deepEqual(Object.keys(access.env).sort(), ['GIT_ALLOW_PROTOCOL', 'GIT_NO_LAZY_FETCH']);
});

test('a key lies in a private folder until the run is over', async () => {
  const access = await openAccess(SSH, { kind: 'ssh', privateKey: 'KEY', knownHosts: 'HOSTS' });
  const key = / -i (\S+) /.exec(access.env['GIT_SSH_COMMAND'] ?? '')?.[1] ?? '';

  const modes = [statSync(key).mode & 0o777, statSync(dirname(key)).mode & 0o777];
  await access[Symbol.asyncDispose]();

  assert.deepEqual(modes, [0o600, 0o700]);
  assert.ok(!existsSync(dirname(key)));
});
