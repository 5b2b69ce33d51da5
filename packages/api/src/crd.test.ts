import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isJsonObject } from '@plumb/core';
import { crdFiles } from '../tools/crd-files.ts';
import { CRDS } from './crds.ts';

test('the committed CRDs are what the schemas generate', async () => {
  for (const { path, text } of crdFiles()) {
    const committed = await readFile(new URL(`../${path}`, import.meta.url), 'utf8');

    assert.equal(committed, text, `${path} is out of date: run "node packages/api/tools/generate-crds.ts"`);
  }
});

test('every field of a spec or status has a description for "kubectl explain"', () => {
  const silent: string[] = [];
  function visit(schema: unknown, path: string): void {
    if (!isJsonObject(schema)) return;
    if (schema['description'] === undefined) silent.push(path);
    const { properties, items } = schema;
    if (isJsonObject(properties))
      for (const [name, child] of Object.entries(properties)) visit(child, `${path}.${name}`);
    if (isJsonObject(items) && isJsonObject(items['properties'])) {
      for (const [name, child] of Object.entries(items['properties'])) visit(child, `${path}[].${name}`);
    }
  }

  for (const crd of CRDS) {
    const spec = crd['spec'] as {
      versions: { schema: { openAPIV3Schema: { properties: Record<string, unknown> } } }[];
    };
    const properties = spec.versions[0]?.schema.openAPIV3Schema.properties;
    for (const part of ['spec', 'status']) visit(properties?.[part], `${crd.metadata.name} ${part}`);
  }

  assert.deepEqual(silent, []);
});
