import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeApplication } from '@plumb/api';
import {
  APPLYSET_GROUP_KINDS_ANNOTATION,
  PlumbError,
  withTracking,
  type KubeObject,
  type ObjectRef,
} from '@plumb/core';
import { targetsOf } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { objectOfTarget, shownObject } from './target-object.ts';

const { signal } = new AbortController();
const decoded = decodeApplication({
  apiVersion: 'plumb.dev/v1alpha1',
  kind: 'Application',
  metadata: {
    name: 'shop',
    namespace: 'default',
    annotations: { [APPLYSET_GROUP_KINDS_ANNOTATION]: 'Deployment.apps' },
  },
  spec: { source: { repository: 'shop' }, namespace: 'shop' },
});
assert.ok(decoded.ok);
const application = decoded.value;
const [spec] = targetsOf(application);
assert.ok(spec !== undefined);

const deployment = (namespace: string): KubeObject =>
  withTracking({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', namespace } }, spec.target, 'set');

const kind = (group: string, name: string, plural: string, namespaced = true) => ({
  ...{ group, version: 'v1', apiVersion: group === '' ? 'v1' : `${group}/v1`, root: '' },
  ...{ kind: name, plural, namespaced, verbs: [] },
});
const KINDS = [
  kind('example.com', 'Deployment', 'deployments'),
  kind('apps', 'Deployment', 'deployments'),
  kind('', 'Namespace', 'namespaces', false),
];

function find(
  text: string,
  list: () => readonly KubeObject[],
): Promise<{ ref: ObjectRef; isMember: boolean | undefined }> {
  const client: Pick<KubeClient, 'resource' | 'list' | 'kinds'> = {
    resource: async () => kind('apps', 'Deployment', 'deployments'),
    list: async () => ({ items: list(), resourceVersion: '1' }),
    kinds: async () => KINDS,
  };
  assert.ok(spec !== undefined);
  return objectOfTarget(client, { application, spec }, text, { signal });
}

const API = { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' };

test('a live object of the target is meant, in any spelling of its kind', async () => {
  for (const text of ['Deployment/api', 'deployments.apps/api', 'shop/deployment/api']) {
    assert.deepEqual(await find(text, () => [deployment('shop')]), { ref: API, isMember: true });
  }
});

test('an object that is not live is the one of the built-in kind, in the namespace of the target or the named one', async () => {
  assert.deepEqual(await find('deployment/api', () => []), { ref: API, isMember: false });
  assert.deepEqual((await find('eu/deployment/api', () => [deployment('shop')])).ref, { ...API, namespace: 'eu' });
  assert.deepEqual((await find('namespace/shop', () => [])).ref.namespace, '');
});

test('who may not list the objects names one all the same', async () => {
  const found = await find('deployment/api', () => {
    throw new PlumbError('Forbidden', 'not you');
  });

  assert.deepEqual(found, { ref: API, isMember: undefined });
});

test('of two objects with one name none is guessed, and the namespace is shown where it is another', async () => {
  await assert.rejects(
    find('deployment/api', () => [deployment('shop'), deployment('eu')]),
    (thrown) => thrown instanceof PlumbError && thrown.code === 'Usage' && thrown.fix.includes('eu/Deployment/api'),
  );
  assert.deepEqual(
    [shownObject(API, spec), shownObject({ ...API, namespace: 'eu' }, spec)],
    ['Deployment/api', 'eu/Deployment/api'],
  );
});
