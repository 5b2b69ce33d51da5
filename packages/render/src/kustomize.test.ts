import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { realClock, type MemoryFiles } from '@plumb/test-support';
import { tellOrigins } from '../test/tell-origins.ts';
import { createRenderer, type Renderer } from './renderer.ts';
import type { RenderRequest } from './request.ts';

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

const origins = (files: MemoryFiles, more: Partial<RenderRequest> = {}) => tellOrigins(renderer, files, more);

function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}

const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';

test('a resource has the file and line of its document', async () => {
  const found = await origins({
    'app/kustomization.yaml': 'resources: [one.yaml, two.yaml, sub/three.json, linked.yaml]\n',
    'app/one.yaml': `# a comment\n\n${configMap('a')}`,
    'app/two.yaml': `---\n# first\n${configMap('b')}---\n---\n# second\n\n${configMap('c')}`,
    'app/sub/three.json': '\n{"apiVersion": "v1",\n"kind": "ConfigMap", "metadata": {"name": "d"}}',
    'app/linked.yaml': { link: '../app/real/e.yaml' },
    'app/real/e.yaml': `\n${configMap('e')}`,
  });

  assert.deepEqual(found, {
    'ConfigMap/a': 'app/one.yaml:3',
    'ConfigMap/b': 'app/two.yaml:3',
    'ConfigMap/c': 'app/two.yaml:13',
    'ConfigMap/d': 'app/sub/three.json:2',
    'ConfigMap/e': 'app/real/e.yaml:2',
  });
});

test('the items of a list have the line of the list, and what follows it its own', async () => {
  const item = (name: string) => `- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: ${name}}\n`;
  const found = await origins({
    'app/kustomization.yaml': 'resources: [list.yaml]\n',
    'app/list.yaml': `${configMap('first')}---\napiVersion: v1\nkind: List\nitems:\n${item('a')}${item('b')}---\n${configMap('last')}`,
  });

  assert.deepEqual(found, {
    'ConfigMap/first': 'app/list.yaml:1',
    'ConfigMap/a': 'app/list.yaml:8',
    'ConfigMap/b': 'app/list.yaml:8',
    'ConfigMap/last': 'app/list.yaml:18',
  });
});

test('bases, prefixes, namespaces and labels change where nothing came from', async () => {
  const found = await origins({
    'app/kustomization.yaml': 'resources: [../mid]\nnamePrefix: app-\nnamespace: prod\nlabels: [{pairs: {l: m}}]\n',
    'mid/kustomization.yml': 'resources: [../base, own.yaml]\nnameSuffix: -mid\ncommonAnnotations: {x: z}\n',
    'mid/own.yaml': `\n${configMap('own')}`,
    'base/Kustomization': 'resources: [all.yaml]\nimages: [{name: x, newTag: z}]\n',
    'base/all.yaml': `${configMap('a')}---\n${configMap('b')}`,
  });

  assert.deepEqual(found, {
    'ConfigMap/app-a-mid': 'base/all.yaml:1',
    'ConfigMap/app-b-mid': 'base/all.yaml:8',
    'ConfigMap/app-own-mid': 'mid/own.yaml:2',
  });
});

test('what a generator makes comes from its kustomization, and what another merges into it is a patch', async () => {
  const found = await origins({
    'app/kustomization.yaml': [
      'resources: [../base]',
      'generatorOptions: {disableNameSuffixHash: true}',
      'configMapGenerator: [{name: mine, literals: [a=b]}, {name: theirs, behavior: merge, literals: [c=d]}]',
      'secretGenerator: [{name: s, files: [f.txt]}]',
      'generators: [g.yaml]',
    ].join('\n'),
    'app/f.txt': 'x',
    'app/g.yaml': 'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: plugged}\nliterals: [a=b]\n',
    'base/kustomization.yaml':
      'generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator: [{name: theirs, literals: [a=b]}]\n',
  });

  assert.deepEqual(found, {
    'ConfigMap/theirs': 'base/kustomization.yaml ← app/kustomization.yaml',
    'ConfigMap/mine': 'app/kustomization.yaml',
    'Secret/s': 'app/kustomization.yaml',
    'ConfigMap/plugged-4h2mbtbbt6': 'app/kustomization.yaml',
  });
});

test('patches are told in the order in which they were laid over, from files and from kustomizations', async () => {
  const found = await origins({
    'app/kustomization.yaml': [
      'resources: [../base]',
      'namePrefix: p-',
      'patches:',
      '- path: patches/file.yaml',
      '- target: {kind: ConfigMap, name: a}',
      '  patch: |',
      '    [{"op": "add", "path": "/data/inline", "value": "x"}]',
      '- target: {name: none}',
      '  path: patches/nobody.yaml',
    ].join('\n'),
    'app/patches/file.yaml': configMap('a', 'file: x'),
    'app/patches/nobody.yaml': '- {op: remove, path: /data}\n',
    'base/kustomization.yaml': 'resources: [all.yaml]\npatches: [{path: b.json, target: {kind: ConfigMap}}]\n',
    'base/b.json': '[{"op": "add", "path": "/data/base", "value": "x"}]',
    'base/all.yaml': `${configMap('a')}---\n${configMap('b')}`,
  });

  assert.deepEqual(found, {
    'ConfigMap/p-a': 'base/all.yaml:1 ← base/b.json ← app/patches/file.yaml ← app/kustomization.yaml',
    'ConfigMap/p-b': 'base/all.yaml:8 ← base/b.json',
  });
});

test('the older fields of patches are told like the one that replaced them', async () => {
  const found = await origins({
    'app/kustomization.yaml': [
      'resources: [a.yaml]',
      'patchesStrategicMerge:',
      '- merge.yaml',
      '- |',
      ...configMap('a', 'inline: x')
        .trimEnd()
        .split('\n')
        .map((line) => `  ${line}`),
      'patchesJson6902:',
      '- {target: {version: v1, kind: ConfigMap, name: a}, path: sub/operations.yaml}',
    ].join('\n'),
    'app/a.yaml': configMap('a'),
    'app/merge.yaml': configMap('a', 'merge: x'),
    'app/sub/operations.yaml': '- {op: add, path: /data/op, value: x}\n',
  });

  assert.deepEqual(found, {
    'ConfigMap/a': 'app/a.yaml:1 ← app/merge.yaml ← app/kustomization.yaml ← app/sub/operations.yaml',
  });
});

test('a component patches what came before it, and brings its own', async () => {
  const found = await origins({
    'app/kustomization.yaml': 'resources: [a.yaml]\ncomponents: [../parts/c]\npatches: [{path: p.yaml}]\n',
    'app/a.yaml': configMap('a'),
    'app/p.yaml': configMap('a', 'last: x'),
    'parts/c/kustomization.yaml': `${COMPONENT}resources: [extra.yaml]\ncomponents: [../d]\npatches: [{path: c.yaml}]\nnamePrefix: c-\n`,
    'parts/c/extra.yaml': `# extra\n${configMap('extra')}`,
    'parts/c/c.yaml': configMap('a', 'first: x'),
    'parts/d/kustomization.yaml': `${COMPONENT}patches: [{target: {kind: ConfigMap}, patch: '- {op: add, path: /data/d, value: x}'}]\n`,
  });

  assert.deepEqual(found, {
    'ConfigMap/c-a': 'app/a.yaml:1 ← parts/d/kustomization.yaml ← parts/c/c.yaml ← app/p.yaml',
    'ConfigMap/c-extra': 'parts/c/extra.yaml:2 ← parts/d/kustomization.yaml',
  });
});

test('what the spec lays over a kustomization is no file of the repository', async () => {
  const files = { 'app/kustomization.yaml': 'resources: [a.yaml]\n', 'app/a.yaml': configMap('a') };
  const kustomize = { patches: [{ patch: configMap('a', 'over: x') }] };

  assert.deepEqual(await origins(files, { kustomize }), { 'ConfigMap/a': 'app/a.yaml:1' });
});

test('a component of the spec is a folder of the repository', async () => {
  const found = await origins(
    {
      'app/kustomization.yaml': 'resources: [a.yaml]\n',
      'app/a.yaml': configMap('a'),
      'parts/kustomization.yaml': `${COMPONENT}patches: [{path: p.yaml}]\n`,
      'parts/p.yaml': configMap('a', 'p: x'),
    },
    { kustomize: { components: ['../parts'] } },
  );

  assert.deepEqual(found, { 'ConfigMap/a': 'app/a.yaml:1 ← parts/p.yaml' });
});

test('the root of the repository may be the root of the build', async () => {
  const files = {
    'kustomization.yaml': 'resources: [a.yaml]\npatches: [{path: p.yaml}]\n',
    'a.yaml': configMap('a'),
    'p.yaml': configMap('a', 'p: x'),
  };

  assert.deepEqual(await origins(files, { path: '' }), { 'ConfigMap/a': 'a.yaml:1 ← p.yaml' });

  const inline = `resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '- {op: remove, path: /data}'}]\n`;
  const patched = await origins({ ...files, 'kustomization.yaml': inline }, { path: '' });
  assert.deepEqual(patched, { 'ConfigMap/a': 'a.yaml:1 ← kustomization.yaml' });
});

test('one file that several bases use is told each time', async () => {
  const found = await origins({
    'app/kustomization.yaml': 'resources: [../x, ../y]\n',
    'x/kustomization.yaml': 'resources: [../shared]\nnamePrefix: one-\n',
    'y/kustomization.yaml': 'resources: [../shared]\nnamePrefix: two-\npatches: [{path: p.yaml}]\n',
    'y/p.yaml': configMap('a', 'y: x'),
    'shared/kustomization.yaml': 'resources: [a.yaml]\n',
    'shared/a.yaml': `\n\n${configMap('a')}`,
  });

  assert.deepEqual(found, { 'ConfigMap/one-a': 'shared/a.yaml:3', 'ConfigMap/two-a': 'shared/a.yaml:3 ← y/p.yaml' });
});
