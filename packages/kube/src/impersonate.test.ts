import assert from 'node:assert/strict';
import { test } from 'node:test';
import { impersonationHeaders } from './impersonate.ts';

test('a service account acts with the groups that the server would give it', () => {
  assert.deepEqual(impersonationHeaders('system:serviceaccount:shop:plumb-applier'), [
    'impersonate-user',
    'system:serviceaccount:shop:plumb-applier',
    'impersonate-group',
    'system:serviceaccounts',
    'impersonate-group',
    'system:serviceaccounts:shop',
    'impersonate-group',
    'system:authenticated',
  ]);
});

test('a person acts by name alone', () => {
  assert.deepEqual(impersonationHeaders('alice'), ['impersonate-user', 'alice']);
  assert.deepEqual(impersonationHeaders(undefined), []);
});

test('an empty name never falls back to our own rights', () => {
  assert.throws(() => impersonationHeaders(''), { code: 'Internal' });
});

test('a name cannot begin another header', () => {
  assert.throws(() => impersonationHeaders('a\r\nimpersonate-group: system:masters'), { code: 'Internal' });
});
