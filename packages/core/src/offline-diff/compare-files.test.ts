import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '../object.ts';
import { compareFiles, type FilesComparison } from './compare-files.ts';
import { secretMask } from '../secret-tag.ts';

const mask = secretMask(Buffer.from('key of the test'));

function config(name: string, namespace?: string, value = '1'): KubeObject {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: value } };
}

function compared(live: readonly KubeObject[], desired: readonly KubeObject[], namespace?: string): FilesComparison {
  return compareFiles(live, desired, { mask, namespace });
}

function actions({ items }: FilesComparison): readonly string[] {
  return items.map(({ action, ref }) => `${action} ${ref.namespace}/${ref.name}`);
}

test('objects are matched by group, kind, namespace and name', () => {
  const live = [config('a', 'x'), config('a', 'y'), config('b', 'x')];
  const desired = [config('a', 'y', '2'), config('b', 'x'), config('c', 'x')];
  const result = compared(live, desired);

  assert.deepEqual(actions(result), ['change y/a', 'create x/c']);
  assert.equal(result.unchanged, 1);
  assert.deepEqual(
    result.liveOnly.map(({ namespace, name }) => `${namespace}/${name}`),
    ['x/a'],
  );
});

test('no namespace stands for the default one, or for the only object of the name', () => {
  const two = [config('a', 'default'), config('a', 'shop')];

  assert.deepEqual(actions(compared(two, [config('a', undefined, '2')])), ['change default/a']);
  assert.deepEqual(actions(compared(two, [config('a', undefined, '2')], 'shop')), ['change shop/a']);
  assert.deepEqual(actions(compared([config('a', 'shop')], [config('a', undefined, '2')])), ['change shop/a']);
  assert.deepEqual(actions(compared([config('a', 'x'), config('a', 'y')], [config('a')])), ['create /a']);
});

test('a namespace on a kind that has none says nothing', () => {
  const role = (namespace?: string): KubeObject => ({
    ...config('reader', namespace),
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', data: undefined, rules: [] },
  });

  assert.deepEqual(actions(compared([role()], [role('shop')])), []);
});

test('the live object of the same version is taken, and one of another where there is none', () => {
  const hpa = (version: string, maxReplicas: number): KubeObject => ({
    apiVersion: `autoscaling/${version}`,
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'a', namespace: 'x' },
    spec: { maxReplicas },
  });

  assert.deepEqual(actions(compared([hpa('v2', 1), hpa('v1', 2)], [hpa('v1', 2)])), []);
  assert.deepEqual(actions(compared([hpa('v2', 1)], [hpa('v1', 2)])), ['change x/a']);
});

test('what gets its name from the server is always new', () => {
  const job: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: '', generateName: 'migrate-' } as KubeObject['metadata'],
    spec: { template: {} },
  };

  assert.deepEqual(actions(compared([], [job, job])), ['create /migrate-', 'create /migrate-']);
});

test('an object that is desired twice is refused', () => {
  assert.throws(() => compared([], [config('a'), config('a')]), { code: 'DuplicateObject' });
});

test('live objects without owners are named', () => {
  assert.deepEqual(
    compared([config('a', 'x')], [config('a', 'x')]).withoutOwners.map(({ name }) => name),
    ['a'],
  );
});
