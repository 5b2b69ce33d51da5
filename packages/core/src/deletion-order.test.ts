import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstToGo } from './deletion-order.ts';
import { objectKey, shortNameOf, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';

function live(kind: string, name: string, more: Partial<LiveObject> = {}): LiveObject {
  const group = { Deployment: 'apps', CustomResourceDefinition: 'apiextensions.k8s.io' }[kind] ?? '';
  return {
    key: keyOf(kind, name, group),
    apiVersion: 'v1',
    uid: name,
    resourceVersion: '1',
    target: undefined,
    fieldsHash: undefined,
    lastEditor: undefined,
    deleting: false,
    health: { status: 'Healthy', message: '' },
    ...more,
  };
}

function keyOf(kind: string, name: string, group = ''): ObjectKey {
  return objectKey({ group, kind, namespace: 'shop', name });
}

/** In which order all of them go, each time the first ones at once. */
function rounds(objects: readonly LiveObject[]): readonly string[] {
  const order: string[] = [];
  for (let left = objects; left.length > 0;) {
    const first = firstToGo(left);
    assert.ok(first.length > 0);
    order.push(first.map(({ key }) => shortNameOf(key)).join(' '));
    left = left.filter((object) => !first.includes(object));
  }
  return order;
}

test('kinds go in the order of applying turned around', () => {
  const order = rounds([live('Namespace', 'shop'), live('ConfigMap', 'env'), live('Deployment', 'web')]);
  assert.deepEqual(order, ['Deployment/web', 'ConfigMap/env', 'Namespace/shop']);
});

test('the last wave goes first, and namespaces and definitions last whatever their waves', () => {
  const order = rounds([
    live('Namespace', 'shop', { wave: 9 }),
    live('CustomResourceDefinition', 'w', { wave: 9 }),
    live('Deployment', 'db', { wave: -1 }),
    live('ConfigMap', 'late', { wave: 2 }),
  ]);
  assert.deepEqual(order, ['ConfigMap/late', 'Deployment/db', 'CustomResourceDefinition/w', 'Namespace/shop']);
});

test('what depends on another goes before it', () => {
  const order = rounds([
    live('Deployment', 'db'),
    live('ConfigMap', 'first', { dependsOn: [keyOf('Deployment', 'db', 'apps')] }),
    live('Deployment', 'web', { dependsOn: [keyOf('Deployment', 'db', 'apps')] }),
  ]);
  assert.deepEqual(order, ['Deployment/web', 'ConfigMap/first', 'Deployment/db']);
});

test('every set comes to its end, also one that depends on itself', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const object = fc.record({ name, wave: fc.integer({ min: -1, max: 1 }), on: fc.array(name, { maxLength: 3 }) });
  fc.assert(
    fc.property(fc.uniqueArray(object, { selector: (item) => item.name }), (items) => {
      const set = items.map((item) =>
        live('ConfigMap', item.name, { wave: item.wave, dependsOn: item.on.map((on) => keyOf('ConfigMap', on)) }),
      );
      const order = rounds(set);
      assert.equal(order.flatMap((round) => round.split(' ')).length, set.length);
    }),
  );
});
