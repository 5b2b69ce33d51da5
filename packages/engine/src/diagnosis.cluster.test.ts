import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe, type KubeObject, type LiveObject, type ObjectKey, type TargetKey } from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { realClock, sharedCluster } from '@plumb/test-support';
import { Diagnosis } from './diagnosis.ts';
import { systemRandom } from './ports/clock.ts';

const signal = new AbortController().signal;

/** A ReplicaSet of one pod that the cluster makes, as it is seen by a target. */
async function replicaSetIn(
  client: KubeClient,
  namespace: string,
  parts: { readonly name: string; readonly image: string; readonly annotations?: Readonly<Record<string, string>> },
): Promise<LiveObject> {
  const { name, image, annotations = {} } = parts;
  const labels = { app: name };
  const template = {
    metadata: { labels, annotations },
    spec: { containers: [{ name: 'app', image }] },
  };
  const object: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, namespace },
    spec: { replicas: 1, selector: { matchLabels: labels }, template },
  };
  const { object: made } = await client.apply(object, { force: true, signal });
  return { ...observe(made), target: `x/${name}` as TargetKey };
}

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
  for (const name of ['one', 'two']) {
    const namespace = await cluster.namespace('diagnosis');
    const seen = await replicaSetIn(client, namespace, { name, image: 'example.com/app:broken' });
    live.set(seen.key, seen);
    diagnosis.look(seen.key);
  }

  await all.promise;

  const messages = [...live.values()].map((object) => diagnosis.explain(object)?.health.message ?? '');
  assert.equal(messages.filter((message) => message.includes('ImagePullBackOff')).length, 2, messages.join('\n'));
});

test('a pod that does not say why it does not start is explained by its Events, and of what works none are read', async () => {
  const cluster = await sharedCluster();
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' });
  const asked: (string | undefined)[] = [];
  const counting: KubeClient = {
    ...client,
    resource: (kind, o) => client.resource(kind, o),
    reflect: (resource, o) => client.reflect(resource, o),
    list: (resource, o) => {
      asked.push(`${resource.kind} ${o.fieldSelector}`);
      return client.list(resource, o);
    },
  };
  const namespace = await cluster.namespace('diagnosis');
  const live = new Map<ObjectKey, LiveObject>();
  for (const parts of [
    { name: 'fine', image: 'example.com/app:1' },
    { name: 'stuck', image: 'example.com/app:1', annotations: { 'fake-kubelet/phase': 'pending' } },
  ]) {
    const seen = await replicaSetIn(client, namespace, parts);
    live.set(seen.key, seen);
  }
  const pods = await client.resource({ group: '', kind: 'Pod' }, { signal });
  const stuck = Promise.withResolvers<KubeObject>();
  await using _pods = client.reflect(pods, {
    namespace,
    signal,
    onChange(event) {
      if (event.type === 'failed') stuck.reject(event.error);
      if ('object' in event && event.object.metadata.labels?.['app'] === 'stuck') stuck.resolve(event.object);
    },
  });
  const pod = await stuck.promise;
  const event = {
    metadata: { name: 'stuck.1', namespace },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    type: 'Warning',
    reason: 'FailedMount',
    message: 'MountVolume.SetUp failed for volume "tls" : secret "web-tls" not found',
    count: 3,
    lastTimestamp: new Date(realClock.now()).toISOString(),
  };
  const written = await cluster.request('POST', `/api/v1/namespaces/${namespace}/events`, { body: event });
  assert.equal(written.status, 201);
  const told = Promise.withResolvers<TargetKey>();
  await using diagnosis = new Diagnosis({
    client: counting,
    clock: realClock,
    signal,
    liveOf: (key) => live.get(key),
    changed: told.resolve,
    blind: (_namespace, error) => told.reject(error),
  });

  for (const key of live.keys()) diagnosis.look(key);
  const target = await told.promise;

  const [fine, broken] = [...live.values()].map((object) => diagnosis.explain(object)?.health);
  assert.equal(target, 'x/stuck');
  assert.deepEqual(broken, {
    status: 'Degraded',
    message: `0 of 1 pod available; ${pod.metadata.name}: FailedMount, volume "tls": secret "web-tls" not found`,
  });
  assert.doesNotMatch(fine?.message ?? '', /;/);
  assert.deepEqual(asked, [`Event involvedObject.uid=${pod.metadata.uid}`]);
});
