import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sharedCluster } from './cluster.ts';

test('the shared cluster gives each test a namespace of its own', async () => {
  const cluster = await sharedCluster();

  const [one, other] = await Promise.all([cluster.namespace('shop'), cluster.namespace('shop')]);
  const answer = await cluster.request('GET', `/api/v1/namespaces/${one}`);

  assert.notEqual(one, other);
  assert.match(one, /^shop-/);
  assert.equal(answer.status, 200);
});
