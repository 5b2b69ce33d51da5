import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { arrange, observe, PlumbError, targetKey, withTracking, type KubeObject, type LiveObject } from '@plumb/core';
import { connect, loadKubeconfig } from '@plumb/kube';
import { openLedger } from '@plumb/ledger';
import { realClock, sharedCluster } from '@plumb/test-support';
import { applyAll, pruneAll, type WriteContext } from './apply.ts';
import { systemRandom } from './ports/clock.ts';
import { whileHeld, type WriteClient } from './write-client.ts';

const { signal } = new AbortController();

/** One object of ours in a namespace of its own, as it was judged. */
async function openWorld({
  wrap = (client) => client,
  ...change
}: Partial<WriteContext> & { readonly wrap?: (client: WriteClient) => WriteClient } = {}) {
  await using opening = new AsyncDisposableStack();
  const cluster = await sharedCluster();
  const namespace = await cluster.namespace('judged');
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  const client = opening.use(connect(config, { clock: realClock, random: systemRandom, userAgent: 'plumb-test' }));
  const folder = opening.adopt(await mkdtemp(join(tmpdir(), 'plumb-prune-')), (path) => rm(path, { recursive: true }));
  const ledger = opening.use(await openLedger({ folder, clock: realClock }));
  const target = targetKey({ namespace, application: 'shop' });
  const manifest: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace } };
  const { object } = await client.apply(withTracking(manifest, target, 'set'), { force: true, signal });
  const judged = observe(object);
  await ledger.saveApplied(
    target,
    [{ key: judged.key, uid: judged.uid, apiVersion: 'v1', desiredHash: 'h', fieldsHash: 'f', release: 1 }],
    [],
  );
  let rewinds = 0;
  const context: WriteContext = {
    isLeft: () => false,
    client: wrap(client),
    ledger,
    target,
    commit: 'c0ffee',
    release: 1,
    writeAs: undefined,
    createNamespace: undefined,
    identity: 'test',
    answered: () => {},
    stillHeld: async () => {},
    rewound: () => (rewinds += 1),
    signal,
    ...change,
  };
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const open = opening.move();
  return {
    judged,
    rewinds: () => rewinds,
    edit: (patch: object) =>
      cluster.request('PATCH', `${path}/one`, { body: patch, contentType: 'application/merge-patch+json' }),
    remakeAsStranger: async () => {
      await cluster.request('DELETE', `${path}/one`);
      await cluster.request('POST', path, { body: { metadata: { name: 'one' } } });
    },
    isThere: async () => (await cluster.request('GET', `${path}/one`)).status === 200,
    version: async () => {
      const { body } = await cluster.request('GET', `${path}/one`);
      return (body as KubeObject).metadata.resourceVersion;
    },
    /** Applies it with other data: `ok`, or the code of the refusal. */
    apply: async (): Promise<string> => {
      const changed = { ...withTracking(manifest, target, 'set'), data: { more: 'of ours' } };
      const [desired] = arrange([{ object: changed, origin: { file: '' } }], []).objects;
      assert.ok(desired !== undefined);
      const write = { action: 'update', key: judged.key, desired, force: true, reason: 'changed' } as const;
      const [result] = await applyAll([write], context);
      return result?.ok === true ? 'ok' : (result?.error.code ?? '');
    },
    isInInventory: async () => (await ledger.applied(target)).length > 0,
    /** `gone`, or the code of the refusal. */
    prune: async (live: LiveObject = judged): Promise<string> => {
      const [result] = await pruneAll([live], context, 'removed');
      assert.ok(result !== undefined);
      return result.ok ? (result.gone ? 'gone' : 'leaving') : result.error.code;
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

test('what others wrote besides does not keep an object from being deleted', async () => {
  await using world = await openWorld();
  await world.edit({ data: { more: 'of somebody else' } });

  assert.equal(await world.prune(), 'gone');
  assert.deepEqual([await world.isThere(), await world.isInInventory()], [false, false]);
});

test('D26: an object that has lost our marks since it was judged is not deleted', async () => {
  await using world = await openWorld();
  await world.edit({ metadata: { annotations: { 'plumb.dev/tracking': null } } });

  assert.equal(await world.prune(), 'Conflict');
  assert.deepEqual([await world.isThere(), await world.isInInventory()], [true, true]);
});

test('D14: of an object that was made anew by somebody else only the entry goes', async () => {
  await using world = await openWorld();
  await world.remakeAsStranger();

  assert.equal(await world.prune(), 'gone');
  assert.deepEqual([await world.isThere(), await world.isInInventory()], [true, false]);
});

test('D26: a cluster that shows an older state than the one that was judged deletes nothing', async () => {
  await using world = await openWorld();
  const resourceVersion = `9${world.judged.resourceVersion}`;

  assert.equal(await world.prune({ ...world.judged, resourceVersion }), 'ClusterRewound');
  assert.deepEqual([await world.isThere(), world.rewinds()], [true, 1]);
});

test('D19: an engine whose lease is lost, or cannot be read, at the moment of a deletion deletes nothing', async () => {
  for (const code of ['EngineBusy', 'ClusterUnreachable'] as const) {
    await using world = await openWorld({ stillHeld: () => Promise.reject(new PlumbError(code, 'no')) });

    assert.equal(await world.prune(), code);
    assert.deepEqual([await world.isThere(), await world.isInInventory()], [true, true]);
  }
});

test('D19: of an engine that loses its lease after the last question no deletion and no write leaves', async () => {
  let isHeld = true;
  await using world = await openWorld({
    stillHeld: async () => {
      isHeld = false;
    },
    wrap: (client) => whileHeld(client, () => isHeld),
  });
  const before = await world.version();

  assert.equal(await world.prune(), 'EngineBusy');
  assert.deepEqual([await world.isThere(), await world.isInInventory()], [true, true]);
  assert.equal(await world.apply(), 'EngineBusy');
  assert.equal(await world.version(), before);
  isHeld = true;
  assert.equal(await world.apply(), 'ok');
  assert.notEqual(await world.version(), before);
});
