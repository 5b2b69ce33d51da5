import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Origin, Rendered } from '@plumb/core';
import { memoryTree, type MemoryFiles } from '@plumb/test-support';
import { FieldPlaces } from './field-places.ts';

const { signal } = new AbortController();

async function place(
  files: MemoryFiles,
  rendered: Pick<Rendered, 'renderer' | 'valuesFiles'>,
  origin: Origin,
  [path, after]: readonly [path: string, after: string | number | undefined],
): Promise<string | undefined> {
  const places = new FieldPlaces(memoryTree(files), { objects: [], files: [], warnings: [], ...rendered });
  const change = { path, before: 'something else', ...(after === undefined ? {} : { after }) };
  const found = await places.placeOf(origin, change, { signal });
  return found === undefined ? undefined : `${found.file}:${found.line}`;
}

const DEPLOYMENT = `kind: Service
metadata: {name: web}
---
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: side
          image: side:1
        - name: app
          image: shop:2
`;

test('of a plain manifest it is the line of the field, list items found by their keys', async () => {
  const at = (path: string, after: string | number) =>
    place({ 'a.yaml': DEPLOYMENT }, { renderer: 'plain' }, { file: 'a.yaml', line: 4 }, [path, after]);

  assert.equal(await at('spec.replicas', 3), 'a.yaml:7');
  assert.equal(await at('spec.template.spec.containers[name="app"].image', 'shop:2'), 'a.yaml:14');
  assert.equal(await at('spec.paused', 1), undefined);
});

test('the data of a Secret is found where it is written in plain text, and is never read from what is hidden', async () => {
  const secret = `kind: Secret
metadata: {name: login}
data:
  both: b2xk
  coded: eA==
stringData:
  both: new
  plain: open
`;
  const files = {
    'a.yaml': secret,
    'p.yaml': 'kind: Secret\nmetadata: {name: login}\nstringData:\n  plain: patched\n',
  };
  const at = (path: string, after: string) =>
    place(files, { renderer: 'plain' }, { file: 'a.yaml', line: 1 }, [path, after]);
  const patched = (path: string, after: string) =>
    place(files, { renderer: 'kustomize' }, { file: 'a.yaml', line: 1, patches: ['p.yaml'] }, [path, after]);

  assert.equal(await at('data.plain', '(secret)'), 'a.yaml:8');
  assert.equal(await at('data.both', '(secret 0a1b2c3d)'), 'a.yaml:7');
  assert.equal(await at('data.coded', '(secret)'), 'a.yaml:5');
  assert.equal(await at('data.none', '(secret)'), undefined);
  assert.equal(await patched('data.plain', '(secret)'), 'p.yaml:4');
  assert.equal(await patched('data.plain', 'b3Blbg=='), 'a.yaml:8');
  assert.equal(await patched('data.coded', '(secret)'), 'a.yaml:5');
});

test('a field that is gone has no place', async () => {
  assert.equal(
    await place({ 'a.yaml': DEPLOYMENT }, { renderer: 'plain' }, { file: 'a.yaml', line: 4 }, ['spec.x', undefined]),
    undefined,
  );
});

test('of a kustomization it is the patch that set it, else an image of it, else the resource', async () => {
  const files = {
    'base/a.yaml': DEPLOYMENT,
    'prod/patch.yaml': 'kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 9\n',
    'prod/json.yaml': '- op: add\n  path: /metadata/labels/tier\n  value: gold\n',
    'prod/kustomization.yaml': 'resources: [../base]\nimages:\n- name: shop\n  newTag: "7"\n',
  };
  const patches = ['prod/patch.yaml', 'prod/json.yaml', 'prod/kustomization.yaml'];
  const at = (path: string, after: string | number) =>
    place(files, { renderer: 'kustomize' }, { file: 'base/a.yaml', line: 4, patches }, [path, after]);

  assert.equal(await at('spec.replicas', 9), 'prod/patch.yaml:4');
  assert.equal(await at('metadata.labels.tier', 'gold'), 'prod/json.yaml:3');
  assert.equal(await at('spec.template.spec.containers[name="app"].image', 'shop:7'), 'prod/kustomization.yaml:4');
  assert.equal(await at('spec.replicas', 3), 'base/a.yaml:7');
  assert.equal(await at('spec.replicas', 5), undefined);
});

test('of a chart it is the line of the values file that wins, by a name like the field or a value that is nowhere else', async () => {
  const files = {
    'chart/values.yaml':
      'replicaCount: 2\nimage:\n  repository: shop\n  tag: "1.4"\nlevel: info\nother: info\nonly: here\n',
    'chart/values-prod.yaml': '# prod\nreplicaCount: 4\n',
  };
  const valuesFiles = ['chart/values.yaml', 'chart/values-prod.yaml'];
  const at = (path: string, after: string | number) =>
    place(files, { renderer: 'helm', valuesFiles }, { file: 'chart/templates/web.yaml', line: 1 }, [path, after]);

  assert.equal(await at('spec.replicas', 4), 'chart/values-prod.yaml:2');
  assert.equal(await at('spec.replicas', 2), 'chart/values.yaml:1');
  assert.equal(await at('spec.template.spec.containers[name="app"].image', 'shop:1.4'), 'chart/values.yaml:4');
  assert.equal(await at('data.mode', 'info'), undefined);
  assert.equal(await at('data.level', 'info'), 'chart/values.yaml:5');
  assert.equal(await at('data.mode', 'here'), 'chart/values.yaml:7');
});
