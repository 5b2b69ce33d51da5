import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canBeReplaced, mayAskForNew } from './immutable-fields.ts';
import type { ObjectKey } from './key.ts';

const FIELDS: readonly [key: string, field: string | undefined, replaceable: boolean][] = [
  ['apps/Deployment/shop/web', 'spec.selector', true],
  ['apps/Deployment/shop/web', 'spec.selector.matchLabels', true],
  ['apps/Deployment/shop/web', 'spec.selectors', false],
  ['apps/Deployment/shop/web', 'spec.template.spec.containers[0].resources', false],
  ['apps/Deployment/shop/web', undefined, false],
  ['apps/StatefulSet/shop/db', 'spec', true],
  ['apps/StatefulSet/shop/db', 'spec.selector', true],
  ['apps/StatefulSet/shop/db', 'spec.volumeClaimTemplates[0].spec', true],
  ['apps/StatefulSet/shop/db', 'spec.serviceNames', false],
  ['apps/StatefulSet/shop/db', 'spec.template.spec.containers[0].image', false],
  ['/Service/shop/web', 'spec.clusterIPs[0]', true],
  ['/PersistentVolumeClaim/shop/data', 'spec', true],
  ['/PersistentVolumeClaim/shop/data', 'spec.resources.requests.storage', false],
  ['/PersistentVolume//data', 'spec', false],
  ['/PersistentVolume//data', 'spec.persistentvolumesource', false],
  ['/Namespace//shop', 'spec', false],
  ['apiextensions.k8s.io/CustomResourceDefinition//w.example.org', 'spec.scope', false],
  ['rbac.authorization.k8s.io/ClusterRoleBinding//web', 'roleRef', true],
  ['batch/Job/shop/once', 'spec.template', true],
  ['example.org/Widget/shop/w', 'spec.size', false],
];

for (const [key, field, replaceable] of FIELDS) {
  test(`D18: ${field} of ${key} ${replaceable ? 'may' : 'must not'} lead to a new object`, () => {
    assert.equal(canBeReplaced(key as ObjectKey, field), replaceable);
  });
}

test('only what holds data and is in the table may be asked for, and never what takes others with it', () => {
  const kinds = ['/PersistentVolumeClaim/a/b', 'apps/StatefulSet/a/b', 'apps/Deployment/a/b', '/PersistentVolume//b'];
  const holders = ['/Namespace//b', 'apiextensions.k8s.io/CustomResourceDefinition//b', 'example.org/StatefulSet/a/b'];

  assert.deepEqual(
    [...kinds, ...holders].map((key) => mayAskForNew(key as ObjectKey)),
    [true, true, false, false, false, false, false],
  );
});
