import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basicAuthorization, chartCredentialsFromSecret } from './credentials.ts';

function read(data: Readonly<Record<string, string>>): ReturnType<typeof chartCredentialsFromSecret> {
  return chartCredentialsFromSecret(
    Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)])),
  );
}

test('a Secret holds a user with a password, a token, an authority, or several of them', () => {
  assert.deepEqual(read({ username: 'bot\n', password: 'pw\n' }), { username: 'bot', password: 'pw' });
  assert.deepEqual(read({ token: 't', 'ca.crt': 'PEM' }), { password: 't', caPem: 'PEM' });
  assert.deepEqual(read({ 'ca.crt': 'PEM' }), { caPem: 'PEM' });
  assert.equal(basicAuthorization({ username: 'bot', password: 'pw' }), 'Basic Ym90OnB3');
  assert.equal(basicAuthorization({ caPem: 'PEM' }), undefined);
});

test('a Secret that cannot be used is refused by key, never by value', () => {
  for (const data of [
    {},
    { username: 'bot' },
    { username: 's3:cret', password: 'p' },
    { password: ' ' },
    { token: 's3\0' },
  ]) {
    assert.throws(
      () => read(data),
      (error: Error & { code?: string }) => error.code === 'SecretInvalid' && !error.message.includes('s3'),
    );
  }
  assert.throws(() => chartCredentialsFromSecret({ password: Uint8Array.of(0xff) }), { code: 'SecretInvalid' });
});
