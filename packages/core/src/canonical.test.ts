import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, desiredHash, digest, equalJson, parseJson } from './canonical.ts';
import { isJsonObject, type Json } from './object.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => value as Json);

/** The same value with its keys written in another order. */
function turned(value: Json): Json {
  if (Array.isArray(value)) return value.map(turned);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, turned(field)]),
  );
}

test('canonical JSON sorts keys at every level', () => {
  assert.equal(canonicalJson({ b: [{ d: 1, c: null }], a: 'ü' }), '{"a":"ü","b":[{"c":null,"d":1}]}');
});

test('canonical JSON leaves out undefined fields and keeps the places of items', () => {
  assert.equal(canonicalJson({ a: undefined, b: [undefined, 1] }), '{"b":[null,1]}');
});

test('canonical JSON does not depend on the order of keys', () => {
  fc.assert(fc.property(json, (value) => canonicalJson(value) === canonicalJson(turned(value))));
});

test('canonical JSON decodes to the value it came from', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value);

      assert.equal(text, canonicalJson(parseJson(text)));
      assert.ok(equalJson(parseJson(text), parseJson(JSON.stringify(value))));
    }),
  );
});

test('two values have one digest exactly if they are equal', () => {
  fc.assert(fc.property(json, json, (a, b) => (digest(a) === digest(b)) === (canonicalJson(a) === canonicalJson(b))));
});

test('equality follows canonical JSON', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      assert.equal(equalJson(a, turned(a)), true);
      assert.equal(equalJson(a, b), canonicalJson(a) === canonicalJson(b));
    }),
  );
});

test('a key named like a built-in property is a plain key', () => {
  const value = parseJson('{"__proto__":{"a":1},"constructor":2}');

  assert.equal(canonicalJson(value), '{"__proto__":{"a":1},"constructor":2}');
  assert.equal(equalJson(value, {}), false);
});

test('a digest is 64 hex digits', () => {
  assert.match(desiredHash({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env' } }), /^[0-9a-f]{64}$/);
});

test('text that is no JSON decodes to undefined', () => {
  assert.equal(parseJson('{"a":'), undefined);
});
