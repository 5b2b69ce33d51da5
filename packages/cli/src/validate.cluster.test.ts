import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  checkSchema,
  crdSchemas,
  fieldAt,
  formatFieldPath,
  isJsonObject,
  isNamespaced,
  PlumbError,
  type FieldPath,
  type Json,
  type JsonObject,
  type KubeObject,
} from '@plumb/core';
import { connect, loadKubeconfig, type KubeClient } from '@plumb/kube';
import { realClock, sharedCluster, type TestCluster } from '@plumb/test-support';
import { objectsIn } from './objects-file.ts';

// What is told without a server, beside what a real one says to the same object as a dry run.

const { signal } = new AbortController();
let cluster: TestCluster;
let client: KubeClient;
let corpus: string;

before(async () => {
  cluster = await sharedCluster();
  const config = await loadKubeconfig({ path: cluster.kubeconfig, env: {}, signal });
  client = connect(config, { clock: realClock, random: { next: () => 0.5 }, userAgent: 'plumb/test' });
  corpus = await readFile(join(import.meta.dirname, 'testdata/built-in-objects.yaml'), 'utf8');
});
after(() => client[Symbol.asyncDispose]());

/** The code with which the server refuses the object; undefined where it would take it. */
async function refusalOf(object: KubeObject): Promise<string | undefined> {
  try {
    await client.apply(object, { force: true, dryRun: true, signal });
    return undefined;
  } catch (thrown) {
    assert.ok(thrown instanceof PlumbError);
    return thrown.code;
  }
}

interface Variant {
  readonly what: string;
  readonly object: KubeObject;
}

/** The object with one thing changed: a field that no kind has, or a value of another type, at every place in turn. */
function* variantsOf(object: KubeObject): Generator<Variant> {
  for (const field of Object.keys(object)) {
    if (field === 'apiVersion' || field === 'kind') continue;
    const part = object[field] as Json;
    for (const { what, value } of changed(part, [{ field }])) {
      // What names the object would make another one of it.
      if (/^metadata\.(?:name|namespace)\b|^metadata =/.test(what)) continue;
      yield { what: `${object.kind} ${what}`, object: { ...object, [field]: value } };
    }
  }
}

function* changed(part: Json, path: FieldPath): Generator<{ readonly what: string; readonly value: Json }> {
  const other = otherType(part);
  yield { what: `${formatFieldPath(path)} = ${JSON.stringify(other)}`, value: other };
  if (Array.isArray(part)) {
    for (const [index, item] of (part as readonly Json[]).entries()) {
      for (const { what, value } of changed(item, [...path, { index }])) {
        yield { what, value: (part as readonly Json[]).with(index, value) };
      }
    }
  } else if (isJsonObject(part)) {
    yield { what: `${formatFieldPath(path)}.noSuchField`, value: { ...part, noSuchField: 'x' } };
    for (const [field, child] of Object.entries(part)) {
      for (const { what, value } of changed(child, [...path, { field }]))
        yield { what, value: { ...part, [field]: value } };
    }
  }
}

function otherType(value: Json): Json {
  if (typeof value === 'string') return 7;
  if (typeof value === 'number' || typeof value === 'boolean') return 'seven';
  return Array.isArray(value) ? { a: 'b' } : ['a'];
}

/** As a desired object is placed: with a namespace, and a name that is free. */
function placed(object: KubeObject, namespace: string): KubeObject {
  const { name } = object.metadata;
  const place = isNamespaced(object)
    ? { name, namespace }
    : { name: object.kind === 'CustomResourceDefinition' ? name : `${namespace}-${name}` };
  return { ...object, metadata: { ...object.metadata, ...place } };
}

/** Every so many of the variants: all of them would take minutes. */
const STEP = 4;

test('what is told of the fields of built-in kinds is refused by the server as well', async (context) => {
  const namespace = await cluster.namespace('validate');
  const objects = objectsIn(corpus.replaceAll('NAMESPACE', namespace), 'corpus').map((object) =>
    placed(object, namespace),
  );
  const [taken, good]: [string[], string[]] = [[], []];
  let asked = 0;

  for (const object of objects) {
    const { faults } = checkSchema(object, new Map());
    if (faults.length > 0) good.push(`${object.kind}: ${faults[0]?.message ?? ''}`);
    let told = 0;
    for (const variant of variantsOf(object)) {
      if (checkSchema(variant.object, new Map()).faults.length === 0) continue;
      if (told++ % STEP > 0) continue;
      asked++;
      if ((await refusalOf(variant.object)) === undefined) taken.push(variant.what);
    }
  }

  context.diagnostic(`${asked} objects with a fault`);
  assert.deepEqual(good, [], 'an object that the server takes has no fault');
  assert.deepEqual(taken, [], 'the server takes it all the same');
  assert.ok(asked > 200, String(asked));
});

/** Everything of a structural schema that is held against values. */
const WIDGETS: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.validate.example.org' },
  spec: {
    group: 'validate.example.org',
    names: { kind: 'Widget', plural: 'widgets' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                required: ['size'],
                properties: {
                  size: { type: 'integer', minimum: 1, maximum: 9, exclusiveMaximum: true },
                  step: { type: 'number', multipleOf: 2 },
                  mode: { type: 'string', enum: ['fast', 'slow'] },
                  name: { type: 'string', pattern: '^[a-z]+$', minLength: 2, maxLength: 5 },
                  tags: { type: 'array', maxItems: 2, items: { type: 'string' } },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['id'],
                    items: {
                      type: 'object',
                      required: ['id'],
                      properties: { id: { type: 'string' }, count: { type: 'integer', default: 1 } },
                    },
                  },
                  labels: { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 2 },
                  port: { 'x-kubernetes-int-or-string': true },
                  free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
                  maybe: { type: 'boolean', nullable: true },
                  either: {
                    type: 'object',
                    properties: { a: { type: 'string' }, b: { type: 'string' } },
                    oneOf: [{ required: ['a'] }, { required: ['b'] }],
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};

const WIDGET = {
  size: 3,
  step: 4,
  mode: 'fast',
  name: 'abc',
  tags: ['a'],
  parts: [{ id: 'x', count: 2 }],
  labels: { a: 'b' },
  port: 80,
  free: { any: [1] },
  maybe: true,
  either: { a: 'x' },
};

const EDITS: readonly JsonObject[] = [
  { size: 0 },
  { size: 9 },
  { size: 1.5 },
  { step: 3 },
  { mode: 'medium' },
  { name: 'a' },
  { name: 'abcdef' },
  { name: 'A1' },
  { tags: ['a', 'b', 'c'] },
  { parts: [{ count: 1 }] },
  { labels: { a: '1', b: '2', c: '3' } },
  { port: 'http' },
  { port: 1.5 },
  { free: { more: { and: 'more' } } },
  { maybe: null },
  { either: { a: 'x', b: 'x' } },
  { either: {} },
  { size: null },
];

/** Before, a path of its group is no JSON. */
function isEstablished(definition: unknown): boolean {
  const conditions = (fieldAt(definition, 'status', 'conditions') ?? []) as readonly JsonObject[];
  return conditions.some(({ type, status }) => type === 'Established' && status === 'True');
}

test('what is told of custom resources by their definition is refused by the server as well, and the other way round', async () => {
  const namespace = await cluster.namespace('validate');
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${WIDGETS.metadata.name}`;
  const applied = await cluster.request('PATCH', `${path}?fieldManager=test&force=true`, {
    body: WIDGETS,
    contentType: 'application/apply-patch+yaml',
  });
  assert.ok(applied.status < 300, JSON.stringify(applied.body));
  const items = `/apis/validate.example.org/v1/namespaces/${namespace}/widgets`;
  while (!isEstablished((await cluster.request('GET', path)).body));
  while ((await cluster.request('GET', items)).status !== 200);
  const definitions = crdSchemas([WIDGETS]);
  const widget = (spec: Json): KubeObject => ({
    apiVersion: 'validate.example.org/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace },
    spec,
  });
  const edits = EDITS.map((edit) => ({ what: JSON.stringify(edit), object: widget({ ...WIDGET, ...edit }) }));
  const [taken, missed]: [string[], string[]] = [[], []];

  for (const { what, object } of [
    { what: 'as it is', object: widget(WIDGET) },
    ...edits,
    ...variantsOf(widget(WIDGET)),
  ]) {
    const isTold = checkSchema(object, definitions).faults.length > 0;
    const answer = await cluster.request('POST', `${items}?dryRun=All&fieldValidation=Strict`, { body: object });
    const isTaken = answer.status < 300;
    if (isTold && isTaken) taken.push(what);
    else if (!isTold && !isTaken) missed.push(`${what}: ${String(fieldAt(answer.body, 'message'))}`);
  }

  assert.deepEqual(taken, [], 'the server takes it all the same');
  assert.deepEqual(missed, [], 'the server refuses what is not told');
});
