import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectKey, parseFieldPattern, REVERT_ALL, targetKey, type DriftHold, type DriftWishes } from '@plumb/core';
import type { DriftRecord } from '@plumb/ledger';
import { heldDrifts } from './held-drifts.ts';

const REPLICAS = 'spec.replicas';
const IMAGE = 'spec.template.spec.containers[name="app"].image';
const live = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop' },
  spec: { replicas: 9, template: { spec: { containers: [{ name: 'app', image: 'b' }] } } },
};

function drift(...paths: readonly string[]): DriftRecord {
  const by = { tier: 'none' } as const;
  return {
    id: 1,
    target: targetKey({ namespace: 'default', application: 'shop', environment: 'prod' }),
    object: objectKey({ group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'shop' }),
    kind: paths.length === 0 ? 'deleted' : 'edited',
    fields: paths.map((path) => ({ path, git: 'a', live: 'b', owners: [], by })),
    by,
    release: 1,
    foundAt: 50,
  };
}

function hold(name: string, fields?: readonly string[], more: Partial<DriftHold> = {}): DriftHold {
  return {
    hold: name,
    ...(fields === undefined ? {} : { fields: fields.flatMap((field) => parseFieldPattern(field) ?? []) }),
    since: 0,
    until: 100,
    by: 'dana',
    reason: 'INC-9',
    atEnd: 'pull-request',
    ...more,
  };
}

/** The fields that stand by the first of the holds, at a time. */
function told(
  holds: readonly [DriftHold, ...DriftHold[]],
  record: DriftRecord,
  time = 101,
  wishes: Partial<DriftWishes> = {},
) {
  const isGone = record.fields.length === 0;
  const open = [{ drift: record, live: isGone ? undefined : live }];
  const { held, until, other } = heldDrifts(holds[0], open, { rules: REVERT_ALL, holds, ...wishes }, time);
  return { fields: held.flatMap(({ fields }) => fields.map(({ path }) => path)), objects: held.length, until, other };
}

const NOTHING = { fields: [], objects: 0, until: undefined, other: undefined };

test('of the fields of one object those are held that the hold is about, whatever the others stand by', () => {
  const report = { rules: { policy: 'report', rules: [] } } as const;
  const replicas = hold('a', ['spec.replicas']);

  for (const paths of [
    [IMAGE, REPLICAS],
    [REPLICAS, IMAGE],
  ]) {
    assert.deepEqual(told([replicas], drift(...paths), 101, report), { ...NOTHING, fields: [REPLICAS], objects: 1 });
  }
});

test('each of two holds over fields of one object has its own', () => {
  const [a, b] = [hold('a', [REPLICAS]), hold('b', [IMAGE])];

  assert.deepEqual(told([a, b], drift(REPLICAS, IMAGE)).fields, [REPLICAS]);
  assert.deepEqual(told([b, a], drift(REPLICAS, IMAGE)).fields, [IMAGE]);
});

test('a field is found by its place in a list, and an object that is gone as a whole', () => {
  const byIndex = hold('a', ['/spec/template/spec/containers/0/image']);

  assert.deepEqual(told([byIndex], drift(IMAGE, REPLICAS)).fields, [IMAGE]);
  assert.deepEqual(told([hold('a')], drift()), { ...NOTHING, objects: 1 });
});

test('while another hold lets the same edit stand it is waited for, and one of two that have ended has it', () => {
  const [a, longer, b] = [hold('a'), hold('b', undefined, { until: 200 }), hold('b')];

  assert.deepEqual(told([a, longer], drift(REPLICAS)), { ...NOTHING, until: 200 });
  assert.deepEqual(told([a, b], drift(REPLICAS)).fields, [REPLICAS]);
  const open = [{ drift: drift(REPLICAS), live }];
  const { held, other } = heldDrifts(b, open, { rules: REVERT_ALL, holds: [a, b] }, 101);
  assert.deepEqual([held, other], [[], 'a']);
});

test('what was edited before the hold, or after its end, is none of its own', () => {
  assert.deepEqual(told([hold('a', undefined, { since: 60 })], drift(REPLICAS)), NOTHING);
  assert.deepEqual(told([hold('a', undefined, { until: 40 })], drift(REPLICAS)), NOTHING);
});
