import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldAt } from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { ManualClock, realClock, sharedCluster } from '@plumb/test-support';
import { holdLease, LEASE_NAME, type LeaseOptions } from './lease.ts';

const { signal } = new AbortController();

test('a real server keeps one holder of two that start at once, and a deleted lease is made again', async (t) => {
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('lease');
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const client = connect(config, { clock: realClock, random: { next: () => 0.5 }, userAgent: 'plumb-test' });
  t.after(() => client[Symbol.asyncDispose]());
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${LEASE_NAME}`;
  const holderNow = async (): Promise<unknown> =>
    fieldAt((await cluster.request('GET', path)).body, 'spec', 'holderIdentity');
  const clock = new ManualClock();
  const lost: string[] = [];
  const options = (holder: string): LeaseOptions => ({
    client: whoReadBoth,
    clock,
    namespace,
    holder,
    signal,
    lost: (error) => lost.push(error.message),
    regained: () => undefined,
    rewound: () => undefined,
  });
  // Both find that there is no lease before either makes it.
  const both = Promise.withResolvers<void>();
  let reads = 0;
  const whoReadBoth: Pick<KubeClient, 'resource' | 'get' | 'apply'> = {
    resource: (kind, o) => client.resource(kind, o),
    apply: (object, o) => client.apply(object, o),
    async get(resource, ref, o) {
      const found = await client.get(resource, ref, o);
      reads += 1;
      if (reads === 2) both.resolve();
      await both.promise;
      return found;
    },
  };

  const outcomes = await Promise.allSettled([holdLease(options('one')), holdLease(options('two'))]);
  const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  for (const lease of held) t.after(() => lease[Symbol.asyncDispose]());
  assert.equal(held.length, 1);
  assert.equal(await holderNow(), held[0]?.holder);

  await cluster.request('DELETE', path);
  clock.advance(15_000);
  while ((await holderNow()) === undefined);

  assert.equal(await holderNow(), held[0]?.holder);
  assert.deepEqual(lost, []);
});
