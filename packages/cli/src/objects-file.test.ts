import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { objectsIn } from './objects-file.ts';

const A = { apiVersion: 'v1', kind: 'A', metadata: { name: 'a' } };
const B = { apiVersion: 'v1', kind: 'B' };

const inputs: Readonly<Record<string, string>> = {
  'JSON lines': `${JSON.stringify(A)}\n\n${JSON.stringify(B)}\n`,
  'a list within a list': JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [A, { apiVersion: 'v1', kind: 'List', items: [B] }],
  }),
  'documents of YAML': 'apiVersion: v1\nkind: A\nmetadata: {name: a}\n---\n---\napiVersion: v1\nkind: B\n',
};

for (const [says, text] of Object.entries(inputs)) {
  test(`objects are read from ${says}, in order`, () => {
    const objects = objectsIn(text, 'in').map(({ kind, metadata }) => [kind, metadata.name]);

    assert.deepEqual(objects, [
      ['A', 'a'],
      ['B', ''],
    ]);
  });
}

test('items of a typed list get its kind', () => {
  const text = JSON.stringify({ apiVersion: 'apps/v1', kind: 'DeploymentList', items: [{ metadata: { name: 'x' } }] });

  assert.equal(objectsIn(text, 'in')[0]?.kind, 'Deployment');
});

test('a document that is no object is named by its line', () => {
  for (const text of [
    'apiVersion: v1\nkind: A\n---\njust text\n',
    `${JSON.stringify(A)}\n{"kind":\n`,
    `${JSON.stringify(A)}\n{"a":1}`,
  ]) {
    assert.throws(
      () => objectsIn(text, 'in'),
      (thrown) => thrown instanceof PlumbError && (thrown.where?.line ?? 0) >= 2,
    );
  }
});
