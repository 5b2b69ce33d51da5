import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fieldAt, type Json, type PlumbError, type Rendered } from '@plumb/core';
import { realClock } from '@plumb/test-support';
import cases from '../testdata/cases.json' with { type: 'json' };
import { memoryTree, type MemoryFiles } from '@plumb/test-support';
import { createRenderer, type Renderer } from './renderer.ts';
import type { RenderRequest } from './request.ts';

const TESTDATA = join(import.meta.dirname, '../testdata');

let renderer: Renderer;

before(() => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
});

after(async () => {
  await renderer[Symbol.asyncDispose]();
});

type Files = MemoryFiles;

function renderRequest(files: Files, more: Partial<RenderRequest> = {}): RenderRequest {
  const { signal } = new AbortController();
  return { tree: memoryTree(files), path: 'app', release: 'demo', namespace: 'shop', signal, ...more };
}

async function rendered(files: Files, more: Partial<RenderRequest> = {}): Promise<Rendered> {
  const result = await renderer.render(renderRequest(files, more));
  if (!result.ok) assert.fail(result.error.map((error) => `${error.code} ${error.message}`).join('\n'));
  return result.value;
}

async function errors(files: Files, more: Partial<RenderRequest> = {}): Promise<readonly PlumbError[]> {
  const result = await renderer.render(renderRequest(files, more));
  return result.ok ? assert.fail('it was rendered') : result.error;
}

async function places(files: Files, more: Partial<RenderRequest> = {}): Promise<readonly string[]> {
  return (await errors(files, more)).map(({ code, where }) =>
    `${code} ${[where?.file, where?.line].filter((part) => part !== undefined).join(':')}`.trimEnd(),
  );
}

function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}

function dataOf(result: Rendered): Json | undefined {
  return result.objects[0]?.object['data'] as Json | undefined;
}

// Plain manifests

test('plain files give their objects with file and line, in the order of their names', async () => {
  const result = await rendered({
    'app/b.yaml': `# two\n${configMap('b1')}---\n# nothing\n---\n${configMap('b2')}`,
    'app/a/list.json':
      '{"apiVersion":"v1","kind":"List","items":[\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}]}',
    'app/notes.txt': 'not read',
    'app/.hidden/x.yaml': 'not: read',
    'other/c.yaml': configMap('c'),
  });

  assert.equal(result.renderer, 'plain');
  assert.deepEqual(
    result.objects.map(({ object, origin }) => [object.metadata.name, origin.file, origin.line]),
    [
      ['a', 'app/a/list.json', 1],
      ['b1', 'app/b.yaml', 2],
      ['b2', 'app/b.yaml', 11],
    ],
  );
  assert.deepEqual(result.files, ['app/a/list.json', 'app/b.yaml']);
});

test('the root of the repository may be the folder', async () => {
  const result = await rendered({ 'x.yaml': configMap('x'), '.github/workflows/ci.yaml': 'on: push' }, { path: '' });

  assert.deepEqual(result.files, ['x.yaml']);
});

test('include and exclude choose the files', async () => {
  const files = { 'app/a.yaml': configMap('a'), 'app/t/b.yaml': 'broken: [', 'app/c.json': 'broken' };

  const result = await rendered(files, { include: ['**/*.yaml'], exclude: ['t/**'] });

  assert.deepEqual(result.files, ['app/a.yaml']);
});

test('what is wrong in every file is told together, and nothing is rendered in part', async () => {
  const found = await places({
    'app/a.yaml': 'a: 1\n\tb: 2\n',
    'app/b.yaml': configMap('good'),
    'app/c.yaml': `${configMap('x')}---\n- a list\n---\njust text\n`,
    'app/d.yaml': 'a: 1\na: 2\n',
    'app/e.yaml': configMap('good'),
  });

  assert.deepEqual(found, [
    'YamlSyntax app/a.yaml:2',
    'NotAnObject app/c.yaml:8',
    'NotAnObject app/c.yaml:10',
    'YamlDuplicateKey app/d.yaml:2',
    'DuplicateObject app/e.yaml:1',
  ]);
});

test('at most twenty errors are told', async () => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`app/${index}.yaml`, 'a: [']));

  assert.equal((await errors(files)).length, 20);
});

test('empty files, comments and null documents are no objects (B14)', async () => {
  const result = await rendered({
    'app/a.yaml': '',
    'app/b.yaml': '# only a comment\n',
    'app/c.yaml': '---\n'.repeat(1000),
    'app/d.yaml': 'null\n---\n~\n',
  });

  assert.deepEqual(result.objects, []);
});

test('50,000 documents in one file are refused (B13)', async () => {
  assert.deepEqual(await places({ 'app/a.yaml': 'a: b\n---\n'.repeat(50_000) }), ['TooManyDocs app/a.yaml']);
});

test('a path that could leave the repository is refused (B26)', async () => {
  for (const path of ['../x', 'a/../../b', '/etc', 'a\\b', 'a\0b', '.git/config', 'x/.GIT', '..']) {
    assert.deepEqual(await places({ 'app/a.yaml': '' }, { path }), ['PathEscape'], path);
  }
});

test('a chart or a kustomization inside of plain manifests, and a folder that is both, are not guessed about', async () => {
  assert.deepEqual(await places({ 'app/x/Chart.yaml': 'name: x' }), ['RendererUnclear app/x/Chart.yaml']);
  assert.deepEqual(await places({ 'app/x/kustomization.yaml': '' }), ['RendererUnclear app/x/kustomization.yaml']);
  assert.deepEqual(await places({ 'app/Chart.yaml': '', 'app/kustomization.yaml': '' }), [
    'RendererUnclear app/Chart.yaml',
  ]);
});

test('the acceptance cases render to what the upstream tools give', async (t) => {
  for (const { name, dir, set, expected } of cases) {
    await t.test(name, async () => {
      const folder = join(TESTDATA, 'cases', dir);
      const files = readdirSync(folder).map((file) => [`app/${file}`, readFileSync(join(folder, file))] as const);

      const result = await rendered(Object.fromEntries(files), { set });

      const wanted = JSON.parse(readFileSync(join(TESTDATA, expected), 'utf8')) as {
        readonly objects: readonly Json[];
      };
      assert.deepEqual(sorted(result.objects.map(({ object }) => object)), sorted(wanted.objects));
    });
  }
});

function sorted(objects: readonly unknown[]): readonly unknown[] {
  const key = (object: unknown) => JSON.stringify([fieldAt(object, 'kind'), fieldAt(object, 'metadata', 'name')]);
  return objects.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

// Manifests with values

test('values are layered: defaults, environment, files, inline, set', async () => {
  const files = {
    'app/values.yaml': 'a: default\nb: default\nc: default\nd: default\ne: default\nmap: {p: 1, q: 2}\n',
    'app/values-prod.yaml': 'b: env\nc: env\nd: env\ne: env\nmap: {q: 3, p: null}\n',
    'shared/more.yaml': 'c: file\nd: file\ne: file\n',
    'app/values-dev.yaml': 'broken: [',
    'app/cm.yaml': configMap(
      'a',
      'v: "{{ range list "a" "b" "c" "d" "e" }}{{ get $.Values . }} {{ end }}{{ toJson .Values.map | replace "\\"" "" }}"',
    ),
  };
  const layers = {
    environment: 'prod',
    valuesFiles: ['../shared/more.yaml'],
    values: { d: 'inline', e: 'inline' },
    set: ['e=set'],
  };

  const result = await rendered(files, layers);

  assert.equal(result.renderer, 'values');
  assert.deepEqual(dataOf(result), { v: 'default env file inline set {q:3}' });
  assert.deepEqual(result.files, ['app/cm.yaml', 'app/values-prod.yaml', 'app/values.yaml', 'shared/more.yaml']);
});

test('an environment without a file of its own uses the defaults', async () => {
  const files = { 'app/values.yaml': 'a: 1', 'app/cm.yaml': configMap('a', 'v: "{{ .Values.a }}"') };

  assert.deepEqual(dataOf(await rendered(files, { environment: 'staging' })), { v: '1' });
});

test('release, namespace, partials and files are there; a missing value is empty, as in Helm', async () => {
  const result = await rendered({
    'app/values.yaml': '',
    'app/_names.tpl': '{{ define "name" }}{{ .Release.Name }}.{{ .Release.Namespace }}{{ end }}',
    'app/notes.txt': 'hello',
    'app/cm.yaml': configMap('a', 'v: "{{ include "name" . }} {{ .Files.Get "notes.txt" }}[{{ .Values.none }}]"'),
    'app/empty.yaml': '{{ if false }}x{{ end }}',
  });

  assert.deepEqual(dataOf(result), { v: 'demo.shop hello[]' });
});

test('a template error names the file and line that a person has to change', async () => {
  const values = { 'app/values.yaml': 'a: 1' };

  assert.deepEqual(await places({ ...values, 'app/x.yaml': 'a: b\nc: {{ .Values.b.c }}\n' }), [
    'TemplateError app/x.yaml:2',
  ]);
  assert.deepEqual(await places({ ...values, 'app/x.yaml': 'a: b\nc: {{ nope 1 }}\n' }), [
    'TemplateError app/x.yaml:2',
  ]);
  assert.deepEqual(await places({ ...values, 'app/sub/x.yaml': '\n{{ if }}\n{{ end }}' }), [
    'TemplateError app/sub/x.yaml:2',
  ]);
  assert.deepEqual(await places({ ...values, 'app/x.yaml': '\n\n{{ required "a host" .Values.host }}' }), [
    'TemplateError app/x.yaml:3',
  ]);
  const [error] = await errors({ ...values, 'app/x.yaml': '{{ fail "say why" }}' });
  assert.match(error?.message ?? '', /say why/);
});

test('YAML that is wrong only once rendered points at the template', async () => {
  const values = { 'app/values.yaml': 'text: "a: b: c"\nmany: true' };
  const template = `{{- if .Values.many }}\n# more\n{{- end }}\n${configMap('x', 'v: {{ .Values.text }}')}`;

  const found = await errors({ ...values, 'app/x.yaml': template });

  assert.deepEqual([found[0]?.code, found[0]?.where], ['YamlSyntax', { file: 'app/x.yaml', line: 9 }]);
  assert.match(found[0]?.message ?? '', /once rendered/);
});

test('objects keep the line of their document in the template', async () => {
  const result = await rendered({
    'app/values.yaml': 'on: false',
    'app/x.yaml': `{{- if .Values.on }}\n${configMap('off')}---\n{{- end }}\n${configMap('a')}---\n${configMap('b')}`,
  });

  assert.deepEqual(
    result.objects.map(({ object, origin }) => [object.metadata.name, origin.line]),
    [
      ['a', 10],
      ['b', 17],
    ],
  );
});

test('broken values name their file and line', async () => {
  const files = { 'app/values.yaml': 'a: 1\nb: [\n', 'app/x.yaml': '' };

  assert.match((await places(files))[0] ?? '', /^ValuesInvalid app\/values\.yaml:[23]$/);
  assert.deepEqual(await places({ ...files, 'app/values.yaml': '- a\n' }), ['ValuesInvalid app/values.yaml:1']);
  assert.deepEqual(await places({ ...files, 'app/values.yaml': '' }, { set: ['a[99999999]=1'] }), ['ValuesInvalid']);
  assert.deepEqual(await places({ ...files, 'app/values.yaml': '' }, { valuesFiles: ['none.yaml'] }), [
    'PathMissing app/none.yaml',
  ]);
  assert.deepEqual(await places({ ...files, 'app/values.yaml': '' }, { valuesFiles: ['../../x.yaml'] }), [
    'PathEscape',
  ]);
});

test('a schema for the values is held, and reaches nothing outside', async () => {
  const files = { 'app/values.yaml': 'replicas: many', 'app/x.yaml': '' };
  const schema = '{"properties": {"replicas": {"type": "integer"}}}';

  assert.deepEqual(await places({ ...files, 'app/values.schema.json': schema }), ['ValuesInvalid app/values.yaml:1']);
  const [error] = await errors({ ...files, 'app/values.schema.json': '{"$ref": "file:///etc/passwd"}' });
  assert.equal(error?.message.includes('root:'), false);
});

test('functions that draw randomness or read the time answer the same for the same input', async () => {
  const template = configMap(
    'a',
    'v: "{{ randAlphaNum 8 }} {{ shuffle "abcdefgh" }} {{ uuidv4 }} {{ now | unixEpoch }}"',
  );
  const files = { 'app/values.yaml': '', 'app/x.yaml': template };

  const first = dataOf(await rendered(files, { nowMs: 86_400_000 }));
  const again = dataOf(await rendered(files, { nowMs: 86_400_000 }));
  const other = dataOf(await rendered(files, { nowMs: 86_400_000, seed: 'another' }));

  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
  assert.match(JSON.stringify(first), / 86400"/);
});

test('templates see no environment, no network, no cluster and no file outside of the folder (B38)', async () => {
  const template = configMap(
    'a',
    'v: "[{{ lookup "v1" "Secret" "" "" | len }}{{ getHostByName "localhost" }}{{ .Files.Get "../secret.txt" }}{{ .Files.Get "/etc/passwd" }}]"',
  );

  const result = await rendered({ 'app/values.yaml': '', 'app/x.yaml': template, 'secret.txt': 'canary' });

  assert.deepEqual(dataOf(result), { v: '[0]' });
  assert.deepEqual(await places({ 'app/values.yaml': '', 'app/x.yaml': '{{ env "HOME" }}' }), [
    'TemplateError app/x.yaml:1',
  ]);
});

test('templates that call themselves or take all memory are contained, and the next render works (B37)', async () => {
  const values = { 'app/values.yaml': 'a: 1' };
  const recursive = (call: string) => `{{ define "x" }}${call}{{ end }}${call}`;

  assert.deepEqual(await places({ ...values, 'app/x.yaml': recursive('{{ include "x" . }}') }), [
    'TemplateError app/x.yaml:1',
  ]);
  assert.deepEqual(await places({ ...values, 'app/x.yaml': recursive('{{ template "x" . }}') }), [
    'TemplateError app/x.yaml:1',
  ]);
  assert.deepEqual(await places({ ...values, 'app/x.yaml': '{{ repeat 1000000000 "x" }}' }), ['RenderMemory']);
  assert.deepEqual(await places({ ...values, 'app/x.yaml': '{{ range until 1000000000 }}x{{ end }}' }), [
    'RenderMemory',
  ]);
  const result = await rendered({ ...values, 'app/x.yaml': configMap('a', 'v: "{{ .Values.a }}"') });
  assert.deepEqual(dataOf(result), { v: '1' });
});

test('a Secret with a bad value is refused without showing it (B23)', async () => {
  const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {p: "{{ .Values.p }}"}\n';

  const found = await errors({ 'app/values.yaml': 'p: c4n4ry secret!', 'app/s.yaml': secret });

  assert.equal(found[0]?.code, 'ObjectInvalid');
  assert.equal(JSON.stringify(found.map((error) => [error.message, error.toRecord()])).includes('c4n4ry'), false);
});

test('an aborted render ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const loop = '{{ range until 60000 }}{{ range until 60000 }}{{ end }}{{ end }}';
  const request = renderRequest({ 'app/values.yaml': '', 'app/x.yaml': loop }, { signal: controller.signal });

  const rendering = renderer.render(request);
  controller.abort(new Error('no longer wanted'));

  await assert.rejects(rendering, /no longer wanted/);
});
