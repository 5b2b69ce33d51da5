import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keyOf, targetKey, type KubeObject } from '@plumb/core';
import type { ApiResource, KubeClient, ReflectEvent, Reflector } from '@plumb/kube';
import { Catalog } from './catalog.ts';

const targetOf = (environment: string) => targetKey({ namespace: 'default', application: 'shop', environment });

function wish(kind: string, uid: string, spec: object): KubeObject {
  return {
    apiVersion: 'plumb.dev/v1alpha1',
    kind,
    metadata: { name: 'one', namespace: 'default', uid },
    spec: { application: 'shop', by: 'dana', ...spec },
  };
}

async function open() {
  const hear = new Map<string, (event: ReflectEvent) => void>();
  const told: string[] = [];
  const client = {
    resource: async ({ kind }: { readonly kind: string }) => ({ kind }) as ApiResource,
    reflect: ({ kind }: ApiResource, { onChange }: Parameters<KubeClient['reflect']>[1]) => {
      hear.set(kind, onChange);
      return {
        whenSynced: async () => undefined,
        [Symbol.asyncDispose]: async () => undefined,
      } as unknown as Reflector;
    },
  } as Pick<KubeClient, 'resource' | 'reflect'>;
  const ignore = (): void => undefined;
  const catalog = new Catalog({
    client,
    namespace: undefined,
    signal: new AbortController().signal,
    repositoryChanged: ignore,
    repositoryRemoved: ignore,
    applicationChanged: ignore,
    applicationRemoved: ignore,
    wishesChanged: ignore,
    holdChanged: ({ metadata }) => told.push(`changed ${metadata.uid}`),
    holdRemoved: ({ metadata }) => told.push(`removed ${metadata.uid}`),
    invalid: ignore,
  });
  await catalog.start();
  return {
    catalog,
    told,
    add: (object: KubeObject) => hear.get(object.kind)?.({ type: 'added', key: keyOf(object), object }),
    update: (object: KubeObject, previous: KubeObject) =>
      hear.get(object.kind)?.({ type: 'updated', key: keyOf(object), object, previous }),
  };
}

test('a hold that was made anew while nobody looked is another one, and what the first was about is let go', async () => {
  const { catalog, told, add, update } = await open();
  const spec = { allowEdits: true, until: '2030-01-01T00:00:00Z', reason: 'INC-9' };
  const first = wish('Hold', 'a', { ...spec, environment: 'prod' });
  const second = wish('Hold', 'b', { ...spec, environment: 'staging' });
  add(first);
  update(second, first);
  update(second, second);

  assert.deepEqual([catalog.holdsOf(targetOf('prod')).length, catalog.holdsOf(targetOf('staging')).length], [0, 1]);
  assert.deepEqual(told, ['changed a', 'removed a', 'changed b', 'changed b']);
});

test('an approval that was made anew approves nothing more of what the first one did', async () => {
  const { catalog, add, update } = await open();
  const spec = { digest: '0123456789ab' };
  const first = wish('Approval', 'a', { ...spec, environment: 'prod' });
  add(first);
  assert.equal(catalog.approvalsOf(targetOf('prod')).length, 1);
  update(wish('Approval', 'b', { ...spec, environment: 'staging' }), first);

  assert.deepEqual(
    [catalog.approvalsOf(targetOf('prod')).length, catalog.approvalsOf(targetOf('staging')).length],
    [0, 1],
  );
});
