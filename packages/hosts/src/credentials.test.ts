import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostCredentialsFromSecret } from './credentials.ts';

function read(data: Readonly<Record<string, string>>) {
  return hostCredentialsFromSecret(
    Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text)])),
  );
}

test('the token of a Repository serves for the API as well', () => {
  assert.deepEqual(read({ token: ' abc\n' }), { token: 'abc' });
  assert.deepEqual(read({ username: 'bot', password: 'abc' }), { token: 'abc', username: 'bot' });
  assert.deepEqual(read({ token: 'abc', 'ca.crt': 'PEM' }), { token: 'abc', caPem: 'PEM' });
});

test('a Secret without a token, or with one that is no token, is refused without its value', () => {
  const cases: readonly Readonly<Record<string, string>>[] = [
    {},
    { identity: 'CANARY' },
    { token: '' },
    { token: 'CANARY\nHost: evil.example' },
    { token: 'CANARY CANARY' },
    { token: 'CANARYé' },
    { token: 'abc', username: 'CANARY:x' },
  ];

  for (const data of cases) {
    assert.throws(
      () => read(data),
      (error) =>
        error instanceof Error && 'code' in error && error.code === 'SecretInvalid' && !/CANARY/.test(error.message),
      JSON.stringify(data),
    );
  }
});
