import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectKey, TargetKey } from '@plumb/core';
import { Claims } from './claims.ts';

const a = 'shop/a' as TargetKey;
const b = 'shop/b' as TargetKey;
const env = '/ConfigMap/shop/env' as ObjectKey;
const web = 'apps/Deployment/shop/web' as ObjectKey;

test('the first target to claim an object owns it', () => {
  const claims = new Claims();

  claims.claim(a, [env]);
  claims.claim(b, [env, web]);

  assert.equal(claims.ownerOf(env), a);
  assert.equal(claims.ownerOf(web), b);
});

test('claiming again keeps what is still wanted and hands over the rest', () => {
  const claims = new Claims();
  claims.claim(a, [env, web]);
  claims.claim(b, [env, web]);

  const heirs = claims.claim(a, [web]);

  assert.deepEqual(heirs, [b]);
  assert.equal(claims.ownerOf(env), b);
  assert.equal(claims.ownerOf(web), a);
});

test('a target that is gone owns nothing', () => {
  const claims = new Claims();
  claims.claim(a, [env]);

  const heirs = claims.release(a);

  assert.deepEqual(heirs, []);
  assert.equal(claims.ownerOf(env), undefined);
  assert.equal(claims.hasClaimed(a), false);
});
