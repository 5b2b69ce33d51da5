import assert from 'node:assert/strict';
import { test } from 'node:test';
import { computeHealth, observe, type KubeObject } from '@plumb/core';
import { connect, loadKubeconfig } from '@plumb/kube';
import { realClock, sharedCluster } from '@plumb/test-support';
import { examine } from './examine.ts';
import { systemRandom } from './ports/clock.ts';

const { signal } = new AbortController();

test('objects of a kind that came since the kinds were last read are counted, and keep their namespace', async () => {
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('examine');
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const options = { clock: realClock, random: systemRandom, userAgent: 'plumb-test' };
  await using engine = connect(config, options);
  await using person = connect(config, options);
  // As an engine that has just looked for another kind: it does not look again for a while.
  await engine.kinds({ signal });
  const group = `${namespace}.example.com`;
  const definition = await establish(person, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind: 'Gadget', plural: 'gadgets', singular: 'gadget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  });
  const gadget = { apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'one' } };
  await cluster.request('POST', `/apis/${group}/v1/namespaces/${namespace}/gadgets`, { body: gadget });
  const namespaces = await person.resource({ group: '', kind: 'Namespace' }, { signal });
  const room = await person.get(namespaces, { name: namespace }, { signal });
  assert.ok(room !== undefined);

  const findings = await examine([observe(definition), observe(room)], { client: engine, signal });

  assert.deepEqual([...findings.values()], [{ instances: 1 }, { foreign: ['Gadget/one'] }]);
});

async function establish(client: ReturnType<typeof connect>, definition: KubeObject): Promise<KubeObject> {
  const { object } = await client.apply(definition, { force: true, signal });
  const resource = await client.resource({ group: 'apiextensions.k8s.io', kind: definition.kind }, { signal });
  const { promise, resolve } = Promise.withResolvers<KubeObject>();
  await using _watch = client.reflect(resource, {
    fieldSelector: `metadata.name=${object.metadata.name}`,
    signal,
    onChange: (event) => {
      if ('object' in event && computeHealth(event.object).status === 'Healthy') resolve(event.object);
    },
  });
  return await promise;
}
