import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  checkSchema,
  crdSchemas,
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
