import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe, type KubeObject, type LiveObject, type ObjectKey, type TargetKey } from '@plumb/core';
import { connect, loadKubeconfig } from '@plumb/kube';
import { realClock, sharedCluster } from '@plumb/test-support';
import { Diagnosis } from './diagnosis.ts';
import { systemRandom } from './ports/clock.ts';

const signal = new AbortController().signal;

test('with room for one namespace, one whose causes are known gives its place to the next, and keeps what it knows', async () => {
  const cluster = await sharedCluster();
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' });
  const live = new Map<ObjectKey, LiveObject>();
  const all = Promise.withResolvers<void>();
  const told = new Set<TargetKey>();
  await using diagnosis = new Diagnosis({
    client,
    clock: realClock,
    signal,
    maxNamespaces: 1,
    liveOf: (key) => live.get(key),
    changed: (target) => {
      if (told.add(target).size === 2) all.resolve();
    },
    blind: (_namespace, error) => all.reject(error),
  });
  const resource = await client.resource({ group: 'apps', kind: 'ReplicaSet' }, { signal });
  for (const name of ['one', 'two']) {
    const namespace = await cluster.namespace('diagnosis');
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'example.com/app:broken' }] } };
    const object: KubeObject = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name, namespace },
      spec: { replicas: 1, selector: { matchLabels: labels }, template },
    };
    await client.apply(object, { force: true, signal });
    const made = await client.get(resource, { namespace, name }, { signal });
    assert.ok(made !== undefined);
    const seen = observe(made);
    live.set(seen.key, { ...seen, target: `x/${name}` as TargetKey });
    diagnosis.look(seen.key);
  }

  await all.promise;

  const messages = [...live.values()].map((object) => diagnosis.explain(object)?.health.message ?? '');
  assert.equal(messages.filter((message) => message.includes('ImagePullBackOff')).length, 2, messages.join('\n'));
});
