import assert from 'node:assert/strict';
import { test } from 'node:test';
import { place, type DesiredObject } from './desired.ts';
import type { Json, KubeObject } from './object.ts';

function placed(...objects: readonly object[]): readonly DesiredObject[] {
  const rendered = objects.map((object) => ({ object: object as KubeObject, origin: { file: 'a.yaml', line: 1 } }));
  const { desired, errors } = place(rendered, {
    target: 'default/shop' as never,
    namespace: 'shop',
    applySet: 'x',
    scopeOf: () => 'namespaced',
  });
  assert.deepEqual(errors, []);
  return desired.objects;
}

function secret(fields: Readonly<Record<string, Json>>, apiVersion = 'v1') {
  return { apiVersion, kind: 'Secret', metadata: { name: 'login' }, ...fields };
}

test('a Secret is sent as the server keeps it: stringData goes over data', () => {
  const [one] = placed(
    secret({ type: 'Opaque', data: { both: 'b2xk', coded: 'eA==' }, stringData: { both: 'new', plain: 'ü' } }),
  );

  assert.deepEqual(one?.object['data'], { both: 'bmV3', coded: 'eA==', plain: 'w7w=' });
  assert.equal(one.object['stringData'], undefined);
  assert.equal(one.object['type'], 'Opaque');
  assert.equal(one.object.metadata.namespace, 'shop');
});

test('what people have written of a Secret is known beside what is sent of it', () => {
  const [plain] = placed(secret({ stringData: { a: 'b' } }));
  const [coded] = placed(secret({ data: { a: 'Yg==' } }));

  assert.deepEqual(plain?.written?.['stringData'], { a: 'b' });
  assert.deepEqual(plain.written?.metadata, plain.object.metadata);
  assert.equal(coded?.written, undefined);
  assert.equal(plain.hash, coded?.hash);
});

test('a Secret without anything in plain text, and a Secret of another group, are sent as they are written', () => {
  const other = secret({ stringData: { a: 'b' } }, 'example.com/v1');

  assert.deepEqual(placed(other)[0]?.object['stringData'], { a: 'b' });
  assert.equal(placed(secret({ stringData: {} }))[0]?.object['stringData'], undefined);
});
