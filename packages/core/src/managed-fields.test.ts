import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatFieldPath, valueAt } from './field-path.ts';
import { fieldsHash, lostFields, ownedPaths, ownEntry, ownTime } from './managed-fields.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from './object.ts';

const container = (fields: JsonObject): JsonObject => ({
  'f:spec': { 'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"app"}': fields } } } },
});

/** As the API server writes it for an applied Deployment. */
const applied: JsonObject = {
  'f:metadata': { 'f:labels': { 'f:app.kubernetes.io/name': {} }, 'f:finalizers': { 'v:"example.org/x"': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:selector': {},
    'f:template': {
      'f:spec': {
        'f:containers': {
          'k:{"name":"app"}': {
            '.': {},
            'f:args': {},
            'f:env': { 'k:{"name":"LOG_LEVEL"}': { '.': {}, 'f:name': {}, 'f:value': {} } },
            'f:image': {},
            'f:name': {},
            'f:ports': { 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } },
          },
        },
      },
    },
  },
};

function entry(fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  const time = '2026-01-01T00:00:00Z';
  return {
    manager: 'plumb',
    operation: 'Apply',
    apiVersion: 'apps/v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...more,
  };
}

function deployment(...managedFields: readonly ManagedFieldsEntry[]): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', managedFields } };
}

function without(path: readonly string[], tree: JsonObject = applied): JsonObject {
  const [head = '', ...rest] = path;
  const { [head]: child, ...others } = tree;
  return rest.length === 0 ? others : { ...others, [head]: without(rest, child as JsonObject) };
}

const toContainer = ['f:spec', 'f:template', 'f:spec', 'f:containers', 'k:{"name":"app"}'];

function lost(after: KubeObject): readonly (readonly [string, readonly string[]])[] {
  return lostFields(entry(applied), after).map(({ path, managers }) => [
    formatFieldPath(path),
    managers.map(({ manager, operation, time }) => `${manager} ${operation} ${time}`),
  ]);
}

test('our entry is the one that we applied to the object itself', () => {
  const own = entry(applied);
  const object = deployment(
    entry({}, { manager: 'kubectl' }),
    entry({}, { operation: 'Update' }),
    entry({}, { subresource: 'status' }),
    own,
  );

  assert.equal(ownEntry(object), own);
  assert.equal(ownTime(object), '2026-01-01T00:00:00Z');
});

test('an object that we did not apply has no entry and no fingerprint', () => {
  const reset: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env' } };

  assert.equal(ownEntry(reset), undefined);
  assert.equal(fieldsHash(reset), undefined);
  assert.equal(fieldsHash(deployment(entry({}, { manager: 'kubectl' }))), undefined);
});

test('the fingerprint does not change with the time or the order of keys', () => {
  const turned = Object.fromEntries(Object.entries(applied).reverse());

  const hash = fieldsHash(deployment(entry(applied)));

  assert.match(hash ?? '', /^[0-9a-f]{16}$/);
  assert.equal(fieldsHash(deployment(entry(turned, { time: '2027-01-01T00:00:00Z' }))), hash);
});

test('the fingerprint changes with every field that is gained or lost, and with the version', () => {
  const hashes = [
    entry(applied),
    entry(without(['f:spec', 'f:replicas'])),
    entry({ ...applied, 'f:data': {} }),
    entry(applied, { apiVersion: 'apps/v2' }),
  ].map((own) => fieldsHash(deployment(own)));

  assert.equal(new Set(hashes).size, 4);
});

test('the owned paths are the leaves of the set', () => {
  const paths = ownedPaths(entry(applied)).map(formatFieldPath);

  assert.deepEqual(paths, [
    'metadata.labels["app.kubernetes.io/name"]',
    'metadata.finalizers[="example.org/x"]',
    'spec.replicas',
    'spec.selector',
    'spec.template.spec.containers[name="app"].args',
    'spec.template.spec.containers[name="app"].env[name="LOG_LEVEL"].name',
    'spec.template.spec.containers[name="app"].env[name="LOG_LEVEL"].value',
    'spec.template.spec.containers[name="app"].image',
    'spec.template.spec.containers[name="app"].name',
    'spec.template.spec.containers[name="app"].ports[containerPort=80,protocol="TCP"].containerPort',
  ]);
});

test('an owned path leads to its value in the object', () => {
  const object = {
    ...deployment(),
    spec: {
      template: {
        spec: {
          containers: [
            { name: 'side', image: 'b' },
            { name: 'app', image: 'a' },
          ],
        },
      },
    },
  };
  const [path] = ownedPaths(entry(container({ 'f:image': {} })));

  assert.equal(valueAt(object, path ?? []), 'a');
});

test('an entry without fields, with positions or with names of a later format is read as far as it goes', () => {
  const paths = (fieldsV1: JsonObject) => ownedPaths(entry(fieldsV1)).map(formatFieldPath);

  assert.deepEqual(ownedPaths({ manager: 'plumb' }), []);
  assert.deepEqual(paths({ 'f:a': { 'i:2': {} }, 'z:new': {}, 'f:b': 3, 'f:c': { 'k:broken': {} } }), ['a[2]', 'c']);
});

test('a field that somebody changed is lost to its new owner', () => {
  const kubectl = entry(container({ 'f:image': {} }), {
    manager: 'kubectl-edit',
    operation: 'Update',
    time: '2026-02-02T00:00:00Z',
  });
  const after = deployment(entry(without([...toContainer, 'f:image'])), kubectl);

  assert.deepEqual(lost(after), [
    ['spec.template.spec.containers[name="app"].image', ['kubectl-edit Update 2026-02-02T00:00:00Z']],
  ]);
});

test('a field that somebody removed is lost to nobody', () => {
  assert.deepEqual(lost(deployment(entry(without(['f:spec', 'f:replicas'])))), [['spec.replicas', []]]);
});

test('an item that was removed as a whole is one lost field', () => {
  const after = deployment(entry(without([...toContainer, 'f:env', 'k:{"name":"LOG_LEVEL"}'])));

  assert.deepEqual(lost(after), [['spec.template.spec.containers[name="app"].env[name="LOG_LEVEL"]', []]]);
});

test('several owners are named latest first', () => {
  const scale = { 'f:spec': { 'f:replicas': {} } };
  const after = deployment(
    entry(scale, { manager: 'early', operation: 'Update', time: '2026-01-02T00:00:00Z' }),
    entry(without(['f:spec', 'f:replicas'])),
    entry(scale, { manager: 'late', subresource: 'scale', operation: 'Update', time: '2026-01-03T00:00:00Z' }),
  );

  assert.deepEqual(lost(after), [
    ['spec.replicas', ['late Update 2026-01-03T00:00:00Z', 'early Update 2026-01-02T00:00:00Z']],
  ]);
});

test('where all tracking was reset everything that we owned is lost', () => {
  const paths = lost(deployment()).map(([path]) => path);

  assert.deepEqual(paths, [
    'metadata.labels["app.kubernetes.io/name"]',
    'metadata.finalizers[="example.org/x"]',
    'spec.replicas',
    'spec.selector',
    'spec.template.spec.containers[name="app"]',
  ]);
});

test('nothing is lost while our entry stays or grows', () => {
  assert.deepEqual(lost(deployment(entry(applied))), []);
  assert.deepEqual(lost(deployment(entry({ ...applied, 'f:data': {} }))), []);
});
