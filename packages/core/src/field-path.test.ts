import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from './canonical.ts';
import { formatFieldPath, parseFieldPath, valueAt, type FieldPath, type PathElement } from './field-path.ts';
import type { Json } from './object.ts';

const json = fc.jsonValue({ maxDepth: 2 }).map((value) => parsed(value));
const element: fc.Arbitrary<PathElement> = fc.oneof(
  fc.string().map((field) => ({ field })),
  fc.constantFrom('spec', 'containers', 'image').map((field) => ({ field })),
  fc.dictionary(fc.string(), json, { minKeys: 1, maxKeys: 3 }).map((key) => ({ key })),
  json.map((value) => ({ value })),
  fc.nat().map((index) => ({ index })),
);

/** As JSON text keeps it: without -0. */
function parsed(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

const examples: readonly (readonly [string, FieldPath])[] = [
  ['', []],
  ['spec.replicas', [{ field: 'spec' }, { field: 'replicas' }]],
  [
    'spec.containers[name="app"].image',
    [{ field: 'spec' }, { field: 'containers' }, { key: { name: 'app' } }, { field: 'image' }],
  ],
  ['ports[containerPort=80,protocol="TCP"]', [{ field: 'ports' }, { key: { containerPort: 80, protocol: 'TCP' } }]],
  ['labels["app.kubernetes.io/name"]', [{ field: 'labels' }, { field: 'app.kubernetes.io/name' }]],
  ['finalizers[="a/b"]', [{ field: 'finalizers' }, { value: 'a/b' }]],
  ['rules[3].host', [{ field: 'rules' }, { index: 3 }, { field: 'host' }]],
  ['["a b"].c', [{ field: 'a b' }, { field: 'c' }]],
  ['x[="a]\\"[,"]', [{ field: 'x' }, { value: 'a]"[,' }]],
];

for (const [text, path] of examples) {
  test(`the path ${text || '(empty)'} is written and read`, () => {
    assert.equal(formatFieldPath(path), text);
    assert.deepEqual(parseFieldPath(text), path);
  });
}

for (const text of ['.', 'a..b', 'a.', 'a[', 'a[]', 'a[=]', 'a[name=]', 'a[name="x"', 'a["x]', 'a]b', 'a b', 'a[1]b']) {
  test(`the text ${text} is no path`, () => {
    assert.equal(parseFieldPath(text), undefined);
  });
}

test('every path is read back as it was written', () => {
  fc.assert(
    fc.property(fc.array(element), (path) => {
      assert.equal(canonicalJson(parseFieldPath(formatFieldPath(path))), canonicalJson(path));
    }),
  );
});

test('reading any text ends without an error', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '.', '[', ']', '{', '}', '"', '=', ',', '\\', '0') }),
      (text) => {
        const path = parseFieldPath(text);

        if (path !== undefined) assert.deepEqual(parseFieldPath(formatFieldPath(path)), path);
      },
    ),
  );
});

const object = {
  spec: {
    containers: [{ name: 'app', ports: [{ containerPort: 80 }, { containerPort: 80, protocol: 'UDP', name: 'u' }] }],
    finalizers: ['a', 'b'],
    rules: [{ host: 'x' }],
  },
};

const places: readonly (readonly [string, Json | undefined])[] = [
  ['spec.containers[name="app"].name', 'app'],
  ['spec.containers[name="other"].name', undefined],
  ['spec.containers[name="app"].ports[containerPort=80,protocol="TCP"]', { containerPort: 80 }],
  ['spec.containers[name="app"].ports[containerPort=80,protocol="UDP"].name', 'u'],
  ['spec.finalizers[="b"]', 'b'],
  ['spec.finalizers[="c"]', undefined],
  ['spec.rules[0].host', 'x'],
  ['spec.rules[1].host', undefined],
  ['spec.toString', undefined],
  ['spec.finalizers.length', undefined],
];

for (const [text, value] of places) {
  test(`${text} leads to ${JSON.stringify(value) ?? 'nothing'}`, () => {
    assert.deepEqual(valueAt(object, parseFieldPath(text) ?? []), value);
  });
}
