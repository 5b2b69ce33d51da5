import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesBetween } from './same-objects.ts';

function configMap(name: string, data: Record<string, string | null> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

test('neither the order of objects or keys, nor nulls, nor Lists make a difference', () => {
  const ours = [{ kind: 'List', apiVersion: 'v1', items: [configMap('b'), configMap('a', { x: '1', y: null })] }];
  const theirs = [
    { data: { x: '1' }, metadata: { name: 'a' }, kind: 'ConfigMap', apiVersion: 'v1' },
    configMap('b'),
    null,
  ];

  assert.deepEqual(differencesBetween(ours, theirs), []);
});

test('objects that only one side has are named, also where the other has fewer of the same', () => {
  const web = { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop', name: 'web' } };

  assert.deepEqual(differencesBetween([configMap('a', { x: '1' }), web, web], [configMap('a', { x: '2' }), web]), [
    'only ours: ConfigMap a',
    'only ours: Service shop web',
    'only theirs: ConfigMap a',
  ]);
});

test('a null in a list counts', () => {
  const of = (...args: readonly (string | null)[]) => ({ kind: 'Pod', metadata: { name: 'p' }, args });

  assert.equal(differencesBetween([of('a', null)], [of('a')]).length, 2);
});
