import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import { tarArchive } from '../test/tar-archive.ts';
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

function chartFile(name: string, more = ''): string {
  return `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n${more}`;
}

function object(kind: string, name: string): string {
  return `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n`;
}

function hook(name: string, event: string, weight = '0'): string {
  return `${object('ConfigMap', name)}  annotations:\n    helm.sh/hook: ${event}\n    helm.sh/hook-weight: "${weight}"\n`;
}

function crd(plural: string): string {
  return `apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: ${plural}.example.com\nspec: {group: example.com}\n`;
}

const CHART: MemoryFiles = { 'app/Chart.yaml': chartFile('app') };

test('an object has the file of its template, and the line where it begins there', async () => {
  const found = await origins({
    ...CHART,
    'app/values.yaml': 'on: false\nnames: [one, two]\n',
    'app/templates/all.yaml': [
      '{{- if .Values.on }}',
      object('Secret', 'off'),
      '---',
      '{{- end }}',
      '# a comment',
      object('ConfigMap', '{{ .Release.Name }}-a'),
      '---',
      object('Service', 'svc'),
      '---',
      object('ConfigMap', 'b'),
    ].join('\n'),
    'app/templates/sub/loop.yaml': `{{- range .Values.names }}\n---\n${object('Secret', '{{ . }}')}{{- end }}\n`,
  });

  assert.deepEqual(found, {
    'ConfigMap/demo-a': 'app/templates/all.yaml:10',
    'ConfigMap/b': 'app/templates/all.yaml:22',
    'Service/svc': 'app/templates/all.yaml:16',
    'Secret/one': 'app/templates/sub/loop.yaml:3',
    'Secret/two': 'app/templates/sub/loop.yaml:3',
  });
});

test('a template whose last line has no end is read as one that has, also where a key is written twice', async () => {
  const { signal } = new AbortController();
  const template = (more: string): string => `${object('ConfigMap', 'a')}data:\n${more}  k: |\n    text`;
  const dataOf = async (more: string): Promise<unknown> => {
    const tree = memoryTree({ ...CHART, 'app/templates/a.yaml': template(more) });
    const outcome = await renderer.render({ tree, path: 'app', release: 'demo', namespace: 'shop', signal });
    return outcome.ok ? outcome.value.objects[0]?.object['data'] : outcome.error;
  };

  assert.deepEqual(await dataOf(''), { k: 'text\n' });
  assert.deepEqual(await dataOf('  k: first\n'), { k: 'text\n' });
});

test('an object whose kind a template does not write out has its file alone', async () => {
  const found = await origins({
    ...CHART,
    'app/values.yaml': 'kind: Secret\n',
    'app/templates/_all.tpl': `{{ define "all" }}${object('ConfigMap', 'included')}{{ end }}`,
    'app/templates/a.yaml': '{{ include "all" . }}\n',
    'app/templates/b.yaml': object('{{ .Values.kind }}', 'chosen'),
  });

  assert.deepEqual(found, {
    'ConfigMap/included': 'app/templates/a.yaml',
    'Secret/chosen': 'app/templates/b.yaml',
  });
});

test('definitions of kinds have their file and line, and come first', async () => {
  const files = {
    ...CHART,
    'app/crds/one.yaml': `# first\n${crd('as')}---\n${crd('bs')}`,
    'app/crds/sub/two.yaml': crd('cs'),
    'app/templates/a.yaml': object('ConfigMap', 'a'),
  };
  const found = await origins(files);

  assert.deepEqual(found, {
    'CustomResourceDefinition/as.example.com': 'app/crds/one.yaml:2',
    'CustomResourceDefinition/bs.example.com': 'app/crds/one.yaml:8',
    'CustomResourceDefinition/cs.example.com': 'app/crds/sub/two.yaml:1',
    'ConfigMap/a': 'app/templates/a.yaml:1',
  });
  assert.equal(Object.keys(found).at(-1), 'ConfigMap/a');
  assert.deepEqual(await origins(files, { helm: { skipCRDs: true } }), { 'ConfigMap/a': 'app/templates/a.yaml:1' });
});

test('hooks are told apart, with what Helm says of them, and tests are left out', async () => {
  const { signal } = new AbortController();
  const tree = memoryTree({
    ...CHART,
    'app/templates/a.yaml': object('ConfigMap', 'a'),
    'app/templates/hooks.yaml': `${hook('before', 'pre-install,pre-upgrade', '-5')}    helm.sh/hook-delete-policy: hook-succeeded\n---\n${hook('after', 'post-install')}`,
    'app/templates/tests/t.yaml': hook('test', 'test'),
  });
  const outcome = await renderer.render({ tree, path: 'app', release: 'demo', namespace: 'shop', signal });
  const objects = outcome.ok ? outcome.value.objects : [];

  assert.deepEqual(
    objects.map(({ object: { metadata }, origin, hook: mark }) => [metadata.name, origin, mark]),
    [
      ['a', { file: 'app/templates/a.yaml', line: 1 }, undefined],
      [
        'before',
        { file: 'app/templates/hooks.yaml', line: 1 },
        { events: ['pre-install', 'pre-upgrade'], weight: -5, deletePolicies: ['hook-succeeded'] },
      ],
      [
        'after',
        { file: 'app/templates/hooks.yaml', line: 10 },
        { events: ['post-install'], weight: 0, deletePolicies: [] },
      ],
    ],
  );
});

test('what a subchart in a folder writes is told in that folder, whatever its name or alias', async () => {
  const found = await origins({
    'app/Chart.yaml': chartFile(
      'app',
      'dependencies:\n- {name: db, version: 1.0.0, alias: store}\n- {name: web, version: 1.0.0}\n',
    ),
    'app/templates/a.yaml': object('ConfigMap', 'a'),
    'app/charts/db/Chart.yaml': chartFile('db'),
    'app/charts/db/templates/db.yaml': `\n${object('ConfigMap', '{{ .Chart.Name }}')}`,
    'app/charts/db/crds/c.yaml': crd('ds'),
    'app/charts/db/charts/inner/Chart.yaml': chartFile('inner'),
    'app/charts/db/charts/inner/templates/i.yaml': `\n\n${object('ConfigMap', 'inner')}`,
    'app/charts/folder-of-web/Chart.yaml': chartFile('web'),
    'app/charts/folder-of-web/templates/web.yaml': `{{/* web */}}\n${object('ConfigMap', 'web')}`,
  });

  assert.deepEqual(found, {
    'CustomResourceDefinition/ds.example.com': 'app/charts/db/crds/c.yaml:1',
    'ConfigMap/a': 'app/templates/a.yaml:1',
    'ConfigMap/store': 'app/charts/db/templates/db.yaml:2',
    'ConfigMap/inner': 'app/charts/db/charts/inner/templates/i.yaml:3',
    'ConfigMap/web': 'app/charts/folder-of-web/templates/web.yaml:2',
  });
});

test('what a subchart in an archive writes is told at the archive', async () => {
  const archive = tarArchive([
    { name: 'db/Chart.yaml', data: chartFile('db') },
    { name: 'db/templates/db.yaml', data: object('ConfigMap', 'db') },
    { name: 'db/crds/c.yaml', data: crd('ds') },
    { name: 'db/charts/inner/Chart.yaml', data: chartFile('inner') },
    { name: 'db/charts/inner/templates/i.yaml', data: object('ConfigMap', 'inner') },
  ]);
  const found = await origins({
    ...CHART,
    'app/charts/db-1.0.0.tgz': archive,
    'app/templates/a.yaml': object('ConfigMap', 'a'),
  });

  assert.deepEqual(found, {
    'CustomResourceDefinition/ds.example.com': 'app/charts/db-1.0.0.tgz',
    'ConfigMap/a': 'app/templates/a.yaml:1',
    'ConfigMap/db': 'app/charts/db-1.0.0.tgz',
    'ConfigMap/inner': 'app/charts/db-1.0.0.tgz',
  });
});

test('what a chart that was fetched writes is told by the chart and its template', async () => {
  const bytes = tarArchive([
    { name: 'web/Chart.yaml', data: chartFile('web') },
    { name: 'web/templates/w.yaml', data: object('ConfigMap', '{{ .Values.name }}') },
    { name: 'web/crds/c.yaml', data: crd('ws') },
  ]);
  const chart = { name: 'web', version: '1.0.0', digest: 'sha256:0', bytes };
  const found = await origins({ 'values/web.yaml': 'name: w\n' }, { path: 'values', valuesFiles: ['web.yaml'], chart });

  assert.deepEqual(found, {
    'CustomResourceDefinition/ws.example.com': 'web: crds/c.yaml',
    'ConfigMap/w': 'web: templates/w.yaml',
  });
});

test('templates through links are told where they lie', async () => {
  const found = await origins({
    ...CHART,
    'app/templates/linked.yaml': { link: '../../shared/x.yaml' },
    'shared/x.yaml': `\n${object('ConfigMap', 'x')}`,
  });

  assert.deepEqual(found, { 'ConfigMap/x': 'shared/x.yaml:2' });
});

test('lookup finds the live objects that were recorded for it, and no other', async () => {
  const text = [
    '{{- $one := lookup "v1" "Secret" "shop" "key" }}',
    '{{- $all := lookup "v1" "Secret" "shop" "" }}',
    object('ConfigMap', 'found') + 'data:',
    '  one: {{ if $one }}{{ $one.data.password }}{{ else }}none{{ end }}',
    '  all: "{{ range $all.items }}{{ .metadata.name }} {{ end }}"',
    '  other: "{{ lookup "v1" "Secret" "elsewhere" "key" | len }}"',
  ].join('\n');
  const secret = (namespace: string, name: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name },
    data: { password: 'cGFzcw==' },
  });
  const request: RenderRequest = {
    tree: memoryTree({ ...CHART, 'app/templates/a.yaml': text }),
    path: 'app',
    release: 'demo',
    namespace: 'shop',
    signal: new AbortController().signal,
  };
  const liveObjects = [secret('shop', 'key'), secret('shop', 'more'), secret('kept', 'key')];
  const dataOf = async (more: Partial<RenderRequest>) => {
    const outcome = await renderer.render({ ...request, ...more });
    if (!outcome.ok) assert.fail(outcome.error.map(({ message }) => message).join());
    return outcome.value.objects[0]?.object['data'];
  };

  assert.deepEqual(await dataOf({ liveObjects }), { one: 'cGFzcw==', all: 'key more ', other: '0' });
  assert.deepEqual(await dataOf({}), { one: 'none', all: '', other: '0' });
});

test('the errors of two subcharts are told in the order of their names', async () => {
  const schema = '{"properties": {"a": {"type": "string"}}}';
  const subchart = (name: string): MemoryFiles => ({
    [`app/charts/${name}/Chart.yaml`]: chartFile(name),
    [`app/charts/${name}/values.schema.json`]: schema,
    [`app/charts/${name}/values.yaml`]: 'a: 1\n',
  });
  const names = ['one', 'two', 'three', 'four', 'five'];
  const tree = memoryTree(Object.assign({}, CHART, ...names.map(subchart)) as MemoryFiles);
  const { signal } = new AbortController();
  const outcome = await renderer.render({ tree, path: 'app', release: 'demo', namespace: 'shop', signal });

  assert.deepEqual(
    outcome.ok ? [] : outcome.error.map(({ where }) => where?.file),
    names.toSorted().map((name) => `app/charts/${name}/values.yaml`),
  );
});

test('a schema that names a urn is warned of for each chart that does', async () => {
  const tree = memoryTree({
    ...CHART,
    'app/values.schema.json': '{"properties": {"a": {"$ref": "urn:example:a"}}}',
    'app/values.yaml': 'a: 1\n',
  });
  const { signal } = new AbortController();
  const warnings = async (release: string) => {
    const outcome = await renderer.render({ tree, path: 'app', release, namespace: 'shop', signal });
    return outcome.ok ? outcome.value.warnings : [];
  };

  const first = await warnings('one');
  assert.match(first.join(), /urn:example:a/);
  assert.deepEqual(await warnings('two'), first);
});
