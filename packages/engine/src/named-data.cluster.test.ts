import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, loadKubeconfig } from '@plumb/kube';
import { realClock, sharedCluster } from '@plumb/test-support';
import { keyOf, NamedData, type Data } from './named-data.ts';
import { systemRandom } from './ports/clock.ts';

const { signal } = new AbortController();

async function openWorld() {
  await using opening = new AsyncDisposableStack();
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('data');
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const client = opening.use(connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' }));
  let heard = Promise.withResolvers<void>();
  let changes = 0;
  const data = opening.use(
    new NamedData({
      client,
      signal,
      changed: () => {
        changes += 1;
        heard.resolve();
      },
    }),
  );
  const open = opening.move();
  return {
    data,
    namespace,
    changes: () => changes,
    async untilChanged(act: () => Promise<unknown>): Promise<void> {
      heard = Promise.withResolvers();
      await act();
      await heard.promise;
    },
    send: (method: string, path: string, body?: object) =>
      cluster.request(method, `/api/v1/namespaces/${namespace}/${path}`, {
        ...(body === undefined ? {} : { body }),
        ...(method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {}),
      }),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

function textsOf(data: Data | undefined): unknown {
  if (data === undefined) return undefined;
  return Object.fromEntries(Object.entries(data).map(([key, bytes]) => [key, Buffer.from(bytes).toString()]));
}

test('data is read by name, and whoever read it hears that it changed, came or went', async () => {
  await using world = await openWorld();
  const { data, namespace, send } = world;
  const read = async (): Promise<unknown> => textsOf(await data.read('ConfigMap', namespace, 'vars', { signal }));

  assert.equal(await read(), undefined);
  await world.untilChanged(() => send('POST', 'configmaps', { metadata: { name: 'vars' }, data: { A: '1' } }));
  assert.deepEqual(await read(), { A: '1' });
  await world.untilChanged(() => send('PATCH', 'configmaps/vars', { data: { A: '2' } }));
  assert.deepEqual(await read(), { A: '2' });
  await world.untilChanged(() => send('DELETE', 'configmaps/vars'));
  assert.equal(await read(), undefined);
});

test('a Secret is decoded, and what nobody names any more is watched no more', async () => {
  await using world = await openWorld();
  const { data, namespace, send } = world;
  await send('POST', 'secrets', { metadata: { name: 'token' }, stringData: { T: 'x' } });

  assert.deepEqual(textsOf(await data.read('Secret', namespace, 'token', { signal })), { T: 'x' });
  await data.keepOnly(new Set([keyOf('Secret', namespace, 'other')]));
  await send('PATCH', 'secrets/token', { stringData: { T: 'y' } });

  assert.deepEqual(textsOf(await data.read('Secret', namespace, 'token', { signal })), { T: 'y' });
  assert.equal(world.changes(), 0);
});
