import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DesiredObject } from '../desired.ts';
import { objectKey, targetKey } from '../key.ts';
import type { JsonObject, KubeObject, ManagedFieldsEntry } from '../object.ts';
import { TRACKING_ANNOTATION, withTracking } from '../tracking.ts';
import { driftText, isOwnershipOnly } from './drift.ts';
import { findDrift, type DriftEvidence } from './find-drift.ts';

const TARGET = targetKey({ namespace: 'default', application: 'shop' });
const KEY = objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'api' });

function entry(
  manager: string,
  time: string,
  fieldsV1: JsonObject,
  operation: 'Apply' | 'Update' = 'Update',
): ManagedFieldsEntry {
  return { manager, operation, time, apiVersion: 'apps/v1', fieldsType: 'FieldsV1', fieldsV1 };
}

const OURS = entry('plumb', '2026-01-01T00:00:00Z', { 'f:spec': { 'f:paused': {} } }, 'Apply');

function object(spec: JsonObject, entries: readonly ManagedFieldsEntry[] = [OURS]): KubeObject {
  const plain: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'api', namespace: 'shop', uid: 'u-1', resourceVersion: '7', managedFields: entries },
    spec,
  };
  return withTracking(plain, TARGET, 'set');
}

const desired: DesiredObject = {
  key: KEY,
  hash: 'h',
  phase: 0,
  wave: 0,
  origin: { file: 'a.yaml' },
  object: object({ replicas: 3 }),
};

function find(more: Partial<DriftEvidence>): ReturnType<typeof findDrift> {
  return findDrift({
    target: TARGET,
    desired,
    uid: 'u-1',
    live: undefined,
    healed: undefined,
    isNamespaceGone: false,
    mask: () => '(secret)',
    state: 's',
    foundAt: 1,
    isStamped: false,
    events: [],
    ...more,
  });
}

const EDIT = entry('kubectl-edit', '2026-01-02T00:00:00Z', { 'f:spec': { 'f:replicas': {} } });

test('an edit names the field, both values, and who owns it now', () => {
  const found = find({ live: object({ replicas: 9 }, [OURS, EDIT]), healed: object({ replicas: 3 }) });
  assert.equal(found.kind, 'edited');
  assert.equal(driftText(found), 'replicas 3 → 9');
  assert.deepEqual(found.by, { tier: 'manager', manager: 'kubectl-edit', operation: 'Update', time: EDIT.time });
  assert.equal(found.resourceVersion, '7');
});

test('a field that was removed has no owner, and nobody is named for it', () => {
  const found = find({ live: object({}), healed: object({ replicas: 3 }) });
  assert.deepEqual([found.kind, found.fields[0]?.owners, found.by], ['edited', [], { tier: 'none' }]);
});

test('what was put into something of ours is added', () => {
  const found = find({
    live: object({ replicas: 3, selector: { extra: 'x' } }),
    healed: object({ replicas: 3, selector: {} }),
  });
  assert.equal(found.kind, 'added');
});

test('a server-side apply that was told to force has taken the field, whatever its value', () => {
  const editor = find({ live: object({ replicas: 3 }, [OURS, EDIT]), healed: object({ replicas: 3 }) });
  assert.deepEqual([editor.kind, isOwnershipOnly(editor)], ['edited', true]);
  const taker = { ...EDIT, manager: 'other-tool', operation: 'Apply' as const };
  const other = find({ live: object({ replicas: 9 }, [OURS, taker]), healed: object({ replicas: 3 }) });
  const same = find({ live: object({ replicas: 3 }, [OURS, taker]), healed: object({ replicas: 3 }) });
  assert.deepEqual([other.kind, same.kind, same.fields], ['taken', 'taken', []]);
  assert.equal(same.by.manager, 'other-tool');
});

test('an object that is gone, with its namespace or without, and another one of its name are told apart', () => {
  assert.equal(find({}).kind, 'deleted');
  assert.equal(find({ isNamespaceGone: true }).kind, 'namespace-deleted');
  assert.equal(find({ live: object({ replicas: 3 }), healed: object({ replicas: 3 }), uid: 'u-0' }).kind, 'recreated');
});

test('an object without its marks is unmarked, and a writer from before our last write is not blamed for it', () => {
  const marked = object({ replicas: 3 }, [entry('helm', '2025-01-01T00:00:00Z', { 'f:spec': {} }), OURS]);
  const { [TRACKING_ANNOTATION]: _mark, ...annotations } = marked.metadata.annotations ?? {};
  const found = find({
    live: { ...marked, metadata: { ...marked.metadata, annotations } },
    healed: marked,
  });
  assert.deepEqual([found.kind, found.fields, found.by], ['unmarked', [], { tier: 'none' }]);
});

test('of several authors the latest stands for the drift, and each field names its own', () => {
  const later = entry('kubectl-set', '2026-01-03T00:00:00Z', { 'f:spec': { 'f:paused': {} } });
  const found = find({
    live: object({ replicas: 9, paused: true }, [later, EDIT]),
    healed: object({ replicas: 3, paused: false }),
  });
  assert.equal(found.by.manager, 'kubectl-set');
  assert.deepEqual(
    found.fields.map(({ path, by }) => `${path} ${by.manager}`),
    ['spec.replicas kubectl-edit', 'spec.paused kubectl-set'],
  );
});
