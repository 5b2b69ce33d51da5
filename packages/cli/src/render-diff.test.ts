import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DocumentAt, JsonObject } from '@plumb/core';
import { diffRenders } from './render-diff.ts';

const IN_SHOP = { namespace: 'shop' };

function at(file: string, value: JsonObject): DocumentAt {
  return { value, origin: { file, line: 1 } };
}

function configMap(name: string, data: JsonObject, metadata: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data };
}

test('what is gone comes first, then what changed, then what is new, each with its place', () => {
  const before = [at('old.yaml', configMap('gone', {})), at('a.yaml', configMap('env', { A: '1' }))];
  const after = [
    at('new.yaml', configMap('added', {})),
    at('moved.yaml', configMap('env', { A: '2' })),
    at('same.yaml', configMap('same', {})),
  ];

  const diff = diffRenders([...before, at('b.yaml', configMap('same', {}))], after, IN_SHOP);

  assert.deepEqual(
    diff.items.map(({ action, ref, origin, changes }) => [action, ref.name, origin.file, changes]),
    [
      ['delete', 'gone', 'old.yaml', []],
      ['change', 'env', 'moved.yaml', [{ path: 'data.A', before: '1', after: '2' }]],
      ['create', 'added', 'new.yaml', []],
    ],
  );
  assert.equal(diff.unchanged, 1);
});

test('an object that names its namespace only at one side is the same object where it goes there anyway', () => {
  const bare = at('a.yaml', configMap('env', {}));
  const named = (namespace: string) => at('a.yaml', configMap('env', {}, { namespace }));

  const same = diffRenders([bare], [named('shop')], IN_SHOP);
  const other = diffRenders([bare], [named('elsewhere')], IN_SHOP);

  assert.deepEqual(
    same.items.map(({ action, changes }) => [action, changes]),
    [['change', [{ path: 'metadata.namespace', after: 'shop' }]]],
  );
  assert.deepEqual(
    other.items.map(({ action, ref }) => [action, ref.namespace]),
    [
      ['delete', ''],
      ['create', 'elsewhere'],
    ],
  );
});

test('another version of a kind is a change, another group another object', () => {
  const workload = (apiVersion: string) => at('a.yaml', { apiVersion, kind: 'Deployment', metadata: { name: 'api' } });

  const version = diffRenders([workload('apps/v1beta1')], [workload('apps/v1')], IN_SHOP);
  const group = diffRenders([workload('extensions/v1')], [workload('apps/v1')], IN_SHOP);

  assert.deepEqual(
    version.items.map(({ action, changes }) => [action, changes]),
    [['change', [{ path: 'apiVersion', before: 'apps/v1beta1', after: 'apps/v1' }]]],
  );
  assert.deepEqual(
    group.items.map(({ action }) => action),
    ['delete', 'create'],
  );
});

test('no value of a Secret is in a difference', () => {
  const secret = (value: string) =>
    at('a.yaml', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's' },
      data: { a: value },
      stringData: { b: value },
    });

  const diff = diffRenders([secret('before-value')], [secret('after-value')], IN_SHOP);

  assert.deepEqual(
    diff.items.flatMap(({ changes }) => changes.map(({ path }) => path)),
    ['data.a', 'stringData.b'],
  );
  assert.doesNotMatch(JSON.stringify(diff), /-value/);
});

test('what a chart renders twice, or without a name, is compared in order', () => {
  const generated = (image: string) =>
    at('a.yaml', { apiVersion: 'batch/v1', kind: 'Job', metadata: { generateName: 'run-' }, spec: { image } });
  const nameless = (data: string) => at('b.yaml', { data });

  const diff = diffRenders(
    [generated('1'), generated('2'), nameless('a')],
    [generated('1'), generated('3'), generated('4'), nameless('b')],
    IN_SHOP,
  );

  assert.deepEqual(
    diff.items.map(({ action, ref, changes }) => [action, ref.kind, ref.name, changes.map(({ path }) => path)]),
    [
      ['change', '', '', ['data']],
      ['change', 'Job', 'run-', ['spec.image']],
      ['create', 'Job', 'run-', []],
    ],
  );
  assert.equal(diff.unchanged, 1);
});
