import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { diffObjects } from './diff.ts';
import { readStamp, TOUCHED_AS_ANNOTATION, TOUCHED_BY_ANNOTATION } from './edit-stamp.ts';
import { targetKey } from './key.ts';
import type { KubeObject, ManagedFieldsEntry } from './object.ts';
import { withTracking } from './tracking.ts';

function stamped(by: string, as: string, managedFields: readonly ManagedFieldsEntry[] = []): KubeObject {
  const annotations = { [TOUCHED_BY_ANNOTATION]: by, [TOUCHED_AS_ANNOTATION]: as };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', annotations, managedFields } };
}

test('a stamp says who wrote, over which version, and as which manager', () => {
  assert.deepEqual(readStamp(stamped('j.doe', '262 261 Update 2026-01-01T00:00:00Z My Tool')), {
    user: 'j.doe',
    over: '262',
    since: '261',
    operation: 'Update',
    time: '2026-01-01T00:00:00Z',
    manager: 'My Tool',
  });
});

test('what a write does not tell is left out: a creation overwrites nothing, a removal leaves no entry', () => {
  assert.deepEqual(readStamp(stamped('ci', '- - Apply - ')), {
    user: 'ci',
    over: undefined,
    since: undefined,
    operation: 'Apply',
    time: undefined,
    manager: '',
  });
});

test('half a stamp and another text are none', () => {
  const without: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };

  assert.equal(readStamp(without), undefined);
  assert.equal(readStamp(stamped('', '1 - Update - x')), undefined);
  assert.equal(readStamp(stamped('j.doe', '1 - Delete - x')), undefined);
  fc.assert(fc.property(fc.string(), fc.string(), (by, as) => void readStamp(stamped(by, as))));
});

test('annotations that somebody wrote through a subresource are no stamp, since the policy does not see that write', () => {
  const byHand: ManagedFieldsEntry = {
    manager: 'sly',
    operation: 'Update',
    subresource: 'status',
    fieldsV1: { 'f:metadata': { 'f:annotations': { [`f:${TOUCHED_BY_ANNOTATION}`]: {} } } },
  };

  assert.equal(readStamp(stamped('j.doe', '1 - Update - x', [byHand])), undefined);
});

test('a stamp is no difference, and one that came into Git with a copy of a live object is not applied', () => {
  const object = stamped('j.doe', '1 - Update - x');
  const target = targetKey({ namespace: 'default', application: 'shop' });

  const ours = withTracking(object, target, 'applyset-1-v1');

  assert.deepEqual(Object.keys(ours.metadata.annotations ?? {}), ['plumb.dev/tracking']);
  assert.deepEqual(diffObjects(object, ours), []);
});
