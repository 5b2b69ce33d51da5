import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { apiResource, collectionPath, objectPath, subjectOf } from './api-resource.ts';

const deployments = apiResource({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  namespaced: true,
  verbs: [],
});
const nodes = apiResource({ group: '', version: 'v1', kind: 'Node', plural: 'nodes', namespaced: false, verbs: [] });

test('builds the paths of the core group and of others, with and without namespace', () => {
  assert.equal(
    objectPath(deployments, { namespace: 'shop', name: 'api' }),
    '/apis/apps/v1/namespaces/shop/deployments/api',
  );
  assert.equal(objectPath(nodes, { name: 'n1' }), '/api/v1/nodes/n1');
  assert.equal(collectionPath(deployments), '/apis/apps/v1/deployments');
  assert.equal(collectionPath(deployments, 'shop'), '/apis/apps/v1/namespaces/shop/deployments');
  assert.equal(collectionPath(nodes, 'ignored'), '/api/v1/nodes');
});

test('escapes the names that RBAC allows', () => {
  assert.equal(objectPath(nodes, { name: 'system:node?x' }), '/api/v1/nodes/system%3Anode%3Fx');
});

test('lets no name out of its place in the path', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (namespace, name) => {
      let path: string;
      try {
        path = objectPath(deployments, { namespace, name });
      } catch {
        return;
      }
      const { pathname, search, hash } = new URL(path, 'http://server');

      assert.equal(search + hash, '');
      const segments = pathname.split('/').map(decodeURIComponent);
      assert.deepEqual(segments, ['', 'apis', 'apps', 'v1', 'namespaces', namespace, 'deployments', name]);
    }),
  );
  for (const name of ['', '.', '..', 'a/b', 'a%2fb']) {
    assert.throws(() => objectPath(nodes, { name }), { code: 'NameInvalid' });
  }
});

test('refuses the path of a namespaced object without a namespace', () => {
  assert.throws(() => objectPath(deployments, { name: 'api' }), { code: 'ObjectInvalid', field: 'metadata.namespace' });
});

test('names an object as people do', () => {
  assert.equal(subjectOf(deployments, { namespace: 'shop', name: 'api' }), 'Deployment/api in shop');
  assert.equal(subjectOf(nodes, { name: 'n1' }), 'Node/n1');
});
