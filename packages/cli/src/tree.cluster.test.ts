import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldAt, type GroupKind, type KubeObject } from '@plumb/core';
import { systemRandom } from '@plumb/engine';
import { connect, loadKubeconfig } from '@plumb/kube';
import { realClock } from '@plumb/test-support';
import { openWorld, type World } from '../test/world.ts';

const signal = new AbortController().signal;

/** Its pod is scheduled, and what becomes of it is the test's to say. */
const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {fake-kubelet/phase: pending}}
    spec: {containers: [{name: app, image: "registry.example.com/web:1"}]}
`;

/** The first object of a kind in the world's namespace that satisfies. */
async function until(world: World, kind: GroupKind, satisfies: (object: KubeObject) => boolean): Promise<KubeObject> {
  const config = await loadKubeconfig({ path: world.cluster.kubeconfig, env: {}, signal });
  await using client = connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' });
  const resource = await client.resource(kind, { signal });
  const { promise, resolve, reject } = Promise.withResolvers<KubeObject>();
  await using _watch = client.reflect(resource, {
    namespace: world.namespace,
    signal,
    onChange(event) {
      if (event.type === 'failed') reject(event.error);
      if ('object' in event && satisfies(event.object)) resolve(event.object);
    },
  });
  return await promise;
}

test('a probe that fails is named by tree, why and the status, from the Events of the one pod', async () => {
  await using world = await openWorld({ 'deploy/web.yaml': DEPLOYMENT });
  await world.plumb('sync', 'shop', '--no-wait');
  const isScheduled = (pod: KubeObject): boolean => fieldAt(pod, 'spec', 'nodeName') !== undefined;
  const { metadata } = await until(world, { group: '', kind: 'Pod' }, isScheduled);
  const path = `/api/v1/namespaces/${world.namespace}`;
  const startedAt = new Date(realClock.now()).toISOString();
  const container = { name: 'app', ready: false, started: true, restartCount: 0, state: { running: { startedAt } } };
  const status = { phase: 'Running', containerStatuses: [{ ...container, image: 'x', imageID: 'x' }] };
  const running = await world.cluster.request('PATCH', `${path}/pods/${metadata.name}/status`, {
    body: { status },
    contentType: 'application/strategic-merge-patch+json',
  });
  const said = await world.cluster.request('POST', `${path}/events`, {
    body: {
      metadata: { name: 'web.1', namespace: world.namespace },
      involvedObject: {
        apiVersion: 'v1',
        kind: 'Pod',
        namespace: world.namespace,
        name: metadata.name,
        uid: metadata.uid,
        fieldPath: 'spec.containers{app}',
      },
      type: 'Warning',
      reason: 'Unhealthy',
      message: 'Readiness probe failed: HTTP probe failed with statuscode: 503',
      count: 12,
      lastTimestamp: new Date(realClock.now() + 1_000).toISOString(),
    },
  });
  assert.deepEqual([running.status, said.status], [200, 201]);

  const words = 'Unhealthy, readiness probe failed: HTTP 503, 12 times';

  const tree = await world.plumb('tree', 'shop');
  const application = await until(world, { group: 'plumb.dev', kind: 'Application' }, (object) =>
    String(fieldAt(object, 'status', 'message')).includes(words),
  );
  const why = await world.plumb('why', 'shop');

  assert.equal(tree.code, 1);
  assert.match(tree.stdout, new RegExp(`Pod/${metadata.name} {3}${words}$`, 'm'));
  assert.match(tree.stdout, new RegExp(`Deployment/web {3}0 of 1 pod available; ${metadata.name}: ${words}$`, 'm'));
  assert.match(why.stdout, new RegExp(`^ {2}because {2}0 of 1 pod available; ${metadata.name}: ${words}$`, 'm'));
  assert.equal(fieldAt(application, 'status', 'state'), 'Syncing');
});
