import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { listDocuments, type PlumbError } from '@plumb/core';
import { memoryTree, realClock, type MemoryFiles } from '@plumb/test-support';
import { tarArchive, type Member } from '../test/tar-archive.ts';
import { createRenderer, type Renderer, type RenderOutcome } from './renderer.ts';
import type { RenderRequest } from './request.ts';

/**
 * What a repository may hold to make a renderer fetch, run, read or leak what it must not, or to make it work for ever.
 * Row numbers are those of the reliability spec.
 */

/** Never to be seen: it stands in a file outside of the repository, beside a root that may not read it, and in Secrets. */
const CANARY = 'c4n4ry-7f3a';
const TIMEOUT_MS = 2000;

let renderer: Renderer;
/** Gives a render little time: for what never ends by itself. */
let hurried: Renderer;
/** A folder on the disk with the canary, and a script that leaves a mark if it is ever run. */
let outside: string;
/** A listener that nobody may ever reach. */
let listener: Server;
let connections = 0;

before(async () => {
  renderer = createRenderer({ clock: realClock, workers: 1 });
  hurried = createRenderer({ clock: realClock, workers: 1, timeoutMs: TIMEOUT_MS });
  outside = await mkdtemp(join(tmpdir(), 'plumb-hostile-'));
  await writeFile(join(outside, 'canary'), CANARY);
  await writeFile(join(outside, 'canary.yaml'), configMap(CANARY));
  await writeFile(join(outside, 'run.sh'), `#!/bin/sh\ntouch ${join(outside, 'ran')}\n`, { mode: 0o755 });
  listener = createServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await Promise.all([renderer[Symbol.asyncDispose](), hurried[Symbol.asyncDispose]()]);
  await new Promise((resolve) => listener.close(resolve));
  await rm(outside, { recursive: true, force: true });
});

function port(): number {
  const address = listener.address();
  return typeof address === 'object' && address !== null ? address.port : assert.fail('it does not listen');
}

function configMap(name: string, data = 'a: b'): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
}

const CHART = 'apiVersion: v2\nname: app\nversion: 1.0.0\n';

/** A chart with one template, and a canary beside it. */
function chart(template: string, more: MemoryFiles = {}): MemoryFiles {
  return {
    'app/Chart.yaml': CHART,
    'app/values.yaml': 'a: 1\n',
    'app/templates/x.yaml': template,
    'secret.txt': CANARY,
    ...more,
  };
}

/** A Kustomize root with one resource, and a canary beside it. */
function root(kustomization: string, more: MemoryFiles = {}): MemoryFiles {
  return {
    'app/kustomization.yaml': kustomization,
    'app/a.yaml': configMap('a'),
    'secret.txt': CANARY,
    'secret.yaml': configMap(CANARY),
    ...more,
  };
}

type More = Partial<RenderRequest> & { readonly by?: Renderer };

async function render(files: MemoryFiles, { by = renderer, ...more }: More = {}): Promise<RenderOutcome> {
  const { signal } = new AbortController();
  const request = { path: 'app', release: 'demo', namespace: 'shop', signal, ...more };
  const outcome = await by.render({ tree: memoryTree(files), ...request });
  assertSafe(outcome);
  await assertWorks(by);
  return outcome;
}

/** Whatever came of it, nothing says what nobody should know, nor how the guest sees the world. */
function assertSafe(outcome: RenderOutcome): void {
  const errors = outcome.ok ? [] : outcome.error;
  const said = JSON.stringify([errors.map((error) => error.toRecord()), outcome.ok ? outcome.value.warnings : []]);
  assert.equal(said.includes(CANARY), false, said);
  assert.equal(/(?<![\w.])\/(?:repo|over)\/|0x[0-9a-f]{5}|&\{/.test(said), false, said);
  assert.equal(connections, 0, 'something was fetched');
}

/** A renderer that survived something still renders. */
async function assertWorks(by: Renderer): Promise<void> {
  const { signal } = new AbortController();
  const tree = memoryTree({ 'Chart.yaml': CHART, 'templates/a.yaml': configMap('{{ .Release.Name }}') });
  const outcome = await by.render({ tree, path: '', release: 'still-fine', namespace: 'x', signal });
  assert.deepEqual(
    listDocuments(outcome.documents).map(({ value }) => value),
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'still-fine' }, data: { a: 'b' } }],
  );
}

/** Each error as `Code file:line`, or `rendered`. */
async function told(files: MemoryFiles, more: More = {}): Promise<readonly string[]> {
  const outcome = await render(files, more);
  return outcome.ok ? ['rendered'] : outcome.error.map(tellError);
}

function tellError({ code, where }: PlumbError): string {
  return `${code} ${[where?.file, where?.line].filter((part) => part !== undefined).join(':')}`.trimEnd();
}

/** The data of the one ConfigMap that was rendered. */
async function data(files: MemoryFiles, more: More = {}): Promise<unknown> {
  const outcome = await render(files, more);
  if (!outcome.ok) assert.fail(outcome.error.map(({ code, message }) => `${code} ${message}`).join('\n'));
  return outcome.value.objects[0]?.object['data'];
}

/** What is rendered, and what is to be told of it. */
type Row = readonly [files: MemoryFiles, is: string, more?: More];

/** Renders each row by itself, so that a failure names it. */
async function eachTold(t: TestContext, rows: Readonly<Record<string, Row>>): Promise<void> {
  for (const [name, [files, is, more]] of Object.entries(rows)) {
    await t.test(name, async () => {
      assert.deepEqual(await told(files, more), [is]);
    });
  }
}

// Links, paths and names (B24 to B28)

test('links that lead out of the repository are refused wherever they stand (B24)', async (t) => {
  const targets = ['/etc/passwd', '../../../outside', '../../../../etc/passwd', '/dev/zero', '/proc/self/environ'];
  for (const link of [...targets, join(outside, 'canary.yaml')]) {
    const out = { link };
    await eachTold(t, {
      [`a plain file to ${link}`]: [{ 'app/x.yaml': out }, 'SymlinkEscape app/x.yaml'],
      [`a template to ${link}`]: [chart('', { 'app/templates/y.yaml': out }), 'SymlinkEscape app/templates/y.yaml'],
      [`a chart's file to ${link}`]: [chart('', { 'app/f': out }), 'SymlinkEscape app/f'],
      [`a subchart to ${link}`]: [chart('', { 'app/charts/d': out }), 'SymlinkEscape app/charts/d'],
      [`a values file to ${link}`]: [
        chart('', { 'app/../v.yaml': '', 'v.yaml': out }),
        'SymlinkEscape v.yaml',
        { valuesFiles: ['../v.yaml'] },
      ],
      [`a kustomization to ${link}`]: [{ 'app/kustomization.yaml': out }, 'SymlinkEscape app/kustomization.yaml'],
      [`a base to ${link}`]: [root('resources: [b]\n', { 'app/b': out }), 'SymlinkEscape app/b'],
      [`a resource to ${link}`]: [root('resources: [b.yaml]\n', { 'app/b.yaml': out }), 'SymlinkEscape app/b.yaml'],
      [`a patch to ${link}`]: [
        root('resources: [a.yaml]\npatches: [{path: p.yaml}]\n', { 'app/p.yaml': out }),
        'SymlinkEscape app/p.yaml',
      ],
      [`a generator's file to ${link}`]: [
        root('configMapGenerator: [{name: c, files: [f]}]\n', { 'app/f': out }),
        'SymlinkEscape app/f',
      ],
      [`a link to a link to ${link}`]: [{ 'app/x.yaml': { link: '../l' }, l: out }, 'SymlinkEscape l'],
      [`the folder itself to ${link}`]: [{ app: out }, 'SymlinkEscape app'],
    });
  }
});

test('links in circles and chains that are too long are refused; forty are followed (B25)', async (t) => {
  const chain = (length: number): MemoryFiles => ({
    ...Object.fromEntries(Array.from({ length }, (_, at) => [`l${at}`, { link: at === 0 ? 'real' : `l${at - 1}` }])),
    real: configMap('a'),
    'app/x.yaml': { link: `../l${length - 1}` },
  });
  await eachTold(t, {
    'a link to itself': [{ 'app/x.yaml': { link: 'x.yaml' } }, 'SymlinkLoop app/x.yaml'],
    'two links to each other': [
      chart('', { 'app/templates/y.yaml': { link: 'z.yaml' }, 'app/templates/z.yaml': { link: 'y.yaml' } }),
      'SymlinkLoop app/templates/y.yaml',
    ],
    'a folder to the one it is in': [{ 'app/b': { link: '..' } }, 'SymlinkLoop app/b'],
    'a resource in a folder that is a link to itself': [
      root('resources:\n- b/x.yaml\n', { 'app/b': { link: 'b' } }),
      'SymlinkLoop app/kustomization.yaml:2',
    ],
    'a chain of forty': [chain(39), 'rendered'],
    'a chain of forty-one': [chain(40), 'SymlinkLoop l0'],
  });
});

test('a path out of the repository is refused, and one that only looks like it leads nowhere (B26)', async (t) => {
  const files = { ...chart(''), '.git/config': CANARY };
  for (const path of ['../x', 'a/../../b', '/etc', 'a\\b', 'a\0b', '.git/config', 'x/.GIT', '..', `${outside}/x`]) {
    await eachTold(t, { [`path ${JSON.stringify(path)}`]: [files, 'PathEscape', { path }] });
  }
  for (const path of ['..%2f..', 'app%2f..', '~', '$HOME', '...', '-x']) {
    await eachTold(t, { [`path ${path}`]: [files, 'PathMissing', { path }] });
  }
  for (const name of ['../../x', '/etc/passwd', '..\\..\\x', 'a\0b', '../../../../etc/passwd']) {
    await eachTold(t, {
      [`values file ${JSON.stringify(name)}`]: [files, 'PathEscape', { valuesFiles: [name] }],
    });
  }
});

test('odd names of files are names (B27)', async () => {
  const names = [
    '-x.yaml',
    "q'uote.yaml",
    'dou"ble.yaml',
    'new\nline.yaml',
    'tab\t.yaml',
    ' .yaml',
    `${'x'.repeat(250)}.yaml`,
  ];
  const templates = names.map((name, at) => [`app/templates/${name}`, configMap(`n${at}`)]);
  const resources = names.map((name, at) => [`app/${name}`, configMap(`n${at}`)]);
  const kustomization = `resources: ${JSON.stringify(names)}\n`;

  const helm = await render({ 'app/Chart.yaml': CHART, ...Object.fromEntries(templates) });
  const plain = await render(Object.fromEntries(resources));
  const kustomize = await render({ 'app/kustomization.yaml': kustomization, ...Object.fromEntries(resources) });

  for (const outcome of [helm, plain, kustomize]) {
    assert.equal(outcome.documents.length, names.length);
    assert.deepEqual(
      new Set(outcome.documents.map(({ origin }) => origin.file.replace('/templates', ''))),
      new Set(resources.map(([path]) => path)),
    );
  }
});

// Charts (B37 to B42)

test('templates that work for ever are stopped (B37)', async (t) => {
  const endless = (template: string): Row => [chart(template), 'RenderTimeout', { by: hurried }];
  await eachTold(t, {
    'nested loops': endless('{{ range until 60000 }}{{ range until 60000 }}{{ end }}{{ end }}'),
    'keys without end': endless('{{ range until 10000 }}{{ genPrivateKey "rsa" }}{{ end }}'),
    'passwords without end': endless('{{ range until 100000 }}{{ bcrypt "x" }}{{ end }}'),
    'a copy of what contains itself': endless('{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ deepCopy $d }}'),
  });
});

test('templates that take all memory or all of the stack are stopped (B37)', async (t) => {
  const greedy = (template: string): Row => [chart(template), 'RenderMemory'];
  await eachTold(t, {
    'a billion items': greedy('{{ range until 1000000000 }}x{{ end }}'),
    'a billion characters': greedy('{{ repeat 1000000000 "x" }}'),
    'a billion random characters': greedy('{{ randAlphaNum 1000000000 }}'),
    'an endless sequence': greedy('{{ seq 1 1000000000 }}'),
    'two billion spaces': greedy('{{ "x" | indent 2000000000 }}'),
    'templates that include each other': greedy(
      '{{ define "x" }}{{ include "y" . }}{{ end }}{{ define "y" }}{{ include "x" . }}{{ end }}{{ include "x" . }}',
    ),
    'what contains itself, printed': greedy('{{ $d := dict }}{{ $_ := set $d "a" $d }}{{ $d }}'),
    'conditions in one another': greedy('{{ if 1 }}'.repeat(100_000) + '{{ end }}'.repeat(100_000)),
  });
});

test('templates that Helm refuses name the line that does it (B37)', async (t) => {
  const refused = (template: string): Row => [chart(`\n${template}`), 'TemplateError app/templates/x.yaml:2'];
  await eachTold(t, {
    'a template that includes itself': refused('{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}'),
    'a template that is itself': refused('{{ define "x" }}{{ template "x" . }}{{ end }}{{ template "x" . }}'),
    'fewer than no characters': refused('{{ repeat -1 "x" }}'),
    'more characters than there are numbers': refused('{{ repeat 9223372036854775807 "xx" }}'),
    'parentheses without end': refused(`{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`),
    'a random number between 5 and 1': refused('{{ randInt 5 1 }}'),
    'a text cut backwards': refused('{{ substr 5 1 "abc" }}'),
    'the environment': refused('a: {{ env "HOME" }}'),
    'a text of the environment': refused('a: {{ expandenv "$HOME" }}'),
    'nothing, indexed': refused('{{ index nil 1 }}'),
  });
});

test('a template in values that calls itself is stopped, and what is wrong in one is told where it is used (B37)', async () => {
  const recursive = chart('{{ tpl .Values.t . }}', { 'app/values.yaml': 't: "{{ tpl .Values.t . }}"\n' });
  const wrong = chart('\n{{ tpl .Values.t . }}', { 'app/values.yaml': 't: "{{ .Values.x.y }}"\n' });
  const broken = chart('\n{{ tpl .Values.t . }}', { 'app/values.yaml': 't: "{{ if }}"\n' });

  const around = chart('{{ define "x" }}{{ tpl .Values.t . }}{{ end }}{{ include "x" . }}', {
    'app/values.yaml': `t: '{{ include "x" . }}'\n`,
  });

  for (const files of [recursive, around]) {
    assert.match((await told(files, { by: hurried }))[0] ?? '', /^Render(?:Timeout|Memory)$/);
  }
  assert.deepEqual(await told(wrong), ['TemplateError app/templates/x.yaml:2']);
  assert.deepEqual(await told(broken), ['TemplateError app/templates/x.yaml:2']);
});

test('more text than fits is refused as such', async () => {
  const [code] = await told(chart('{{ range until 70000 }}{{ repeat 1000 "x" }}\n{{ end }}'));

  // Whether it still fits into the memory depends on what that held before.
  assert.match(code ?? '', /^(?:TooLarge|RenderMemory)$/);
});

test('templates see no file outside of the chart, no cluster, no network and no environment (B38)', async () => {
  const paths = [
    '../secret.txt',
    '../../secret.txt',
    '/etc/passwd',
    `${outside}/canary`,
    'templates/x.yaml',
    'Chart.yaml/../../secret.txt',
  ];
  const globs = ['../**', '/**', '../../*', `${outside}/*`, '{..,../..}/*'];
  const calls = [
    ...paths.flatMap((path) => [`.Files.Get "${path}"`, `.Files.Lines "${path}" | join ""`]),
    ...globs.map((glob) => `(.Files.Glob "${glob}").AsConfig | replace "{}" ""`),
    'getHostByName "localhost"',
    'lookup "v1" "Secret" "" "" | toJson | replace "{}" ""',
  ];
  const template = configMap('a', `v: '[${calls.map((call) => `{{ ${call} }}`).join('')}]'`);

  assert.deepEqual(await data(chart(template, { 'app/notes.txt': 'mine' })), { v: '[]' });
});

test('what a template says of live objects is a warning: there are none (B38)', async () => {
  const outcome = await render(chart(configMap('a', 'v: "{{ len (lookup "v1" "Secret" "" "") }}"')));

  assert.match(outcome.ok ? outcome.value.warnings.join() : '', /without a cluster/);
});

test('a schema reaches nothing outside of itself (B39)', async (t) => {
  const schema = (ref: object, line = 2): Row => [
    chart('', { 'app/values.schema.json': JSON.stringify(ref, null, 1), 'app/other.json': '{}' }),
    `SchemaLimit app/values.schema.json:${line}`,
  ];
  const host = `127.0.0.1:${port()}`;
  await eachTold(t, {
    'a file': schema({ $ref: 'file:///etc/passwd' }),
    'the file with the canary': schema({ $ref: `file://${outside}/canary` }),
    'a file beside it': schema({ $ref: 'other.json' }),
    'a file above it': schema({ $ref: '../../secret.txt' }),
    'a host': schema({ $ref: `http://${host}/x.json` }),
    'a host that is to be trusted': schema({ $ref: `https://${host}/x.json` }),
    'a host of the metaschema': schema({ $schema: `http://${host}/x.json` }),
    'a host by its id': schema({ $id: `http://${host}/x.json`, $ref: 'y.json' }, 3),
    'another protocol': schema({ $ref: `ftp://${host}/x.json` }),
    'itself, without end': schema({ $ref: '#' }),
    'itself, by way of another': schema({
      $ref: '#/definitions/a',
      definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } },
    }),
  });
});

test('a schema cannot work for ever (B39)', async (t) => {
  const doubled = Object.fromEntries(
    Array.from({ length: 26 }, (_, at) => {
      const inner = { $ref: `#/definitions/d${at - 1}` };
      return [`d${at}`, at === 0 ? { type: 'object' } : { allOf: [inner, inner] }];
    }),
  );
  const pattern = (text: string) => JSON.stringify({ properties: { a: { pattern: text } } });
  const schema = (text: string, values: string) =>
    chart('', { 'app/values.schema.json': text, 'app/values.yaml': values });
  await eachTold(t, {
    'what doubles at every level': [
      schema(JSON.stringify({ $ref: '#/definitions/d25', definitions: doubled }), 'a: 1\n'),
      'RenderTimeout',
      { by: hurried },
    ],
    'a pattern that backtracks elsewhere': [
      schema(pattern('^(a+)+$'), `a: ${'a'.repeat(50_000)}!\n`),
      'ValuesInvalid app/values.yaml:1',
    ],
    'a pattern that repeats repetitions': [
      schema(pattern('((a{1000}){1000}){1000}'), 'a: b\n'),
      'SchemaLimit app/values.schema.json:1',
    ],
    'a schema nested without end': [
      schema(`${'{"not":'.repeat(100_000)}{}${'}'.repeat(100_000)}`, 'a: 1\n'),
      'SchemaLimit app/values.schema.json',
    ],
    'values nested deep': [
      schema(JSON.stringify({ properties: { a: { $ref: '#' } } }), `a: ${'{a: '.repeat(90)}1${'}'.repeat(90)}\n`),
      'rendered',
    ],
  });
});

test('a value that a schema refuses is told without being shown', async () => {
  const schema = { properties: { password: { pattern: '^x' }, mail: { enum: ['a@b'] }, size: { type: 'integer' } } };
  const files = chart('', {
    'app/values.schema.json': JSON.stringify(schema),
    'app/values.yaml': `mail: ${CANARY}\nsize: ${CANARY}\npassword: ${CANARY}\n`,
  });

  assert.deepEqual((await told(files)).toSorted(), [
    'ValuesInvalid app/values.yaml:1',
    'ValuesInvalid app/values.yaml:2',
    'ValuesInvalid app/values.yaml:3',
  ]);
});

test('a chart whose names lead elsewhere is refused at the line that does it (B40)', async (t) => {
  const meta = (text: string, more: MemoryFiles = {}) => chart('', { 'app/Chart.yaml': text, ...more });
  const named = (name: string): Row => [
    meta(`apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: 1.0.0\n`),
    'ChartInvalid app/Chart.yaml:2',
  ];
  const sub = { 'app/charts/d/Chart.yaml': 'apiVersion: v2\nname: d\nversion: 1.0.0\n' };
  const depends = (dependency: string) => `${CHART}dependencies:\n- ${dependency}\n`;
  await eachTold(t, {
    'a name that is the folder above': named('..'),
    'a name that is a folder': named('.'),
    'a name that leads up': named('../../x'),
    'a name that is a path': named('/etc/x'),
    'a version that leads up': [meta('apiVersion: v2\nname: x\nversion: ../..\n'), 'ChartInvalid app/Chart.yaml:3'],
    'a dependency in a folder above': [
      meta(depends('{name: d, version: "1", repository: "file://../.."}')),
      'ChartInvalid app/Chart.yaml:5',
    ],
    'a dependency in a folder of the repository': [
      meta(depends('{name: d, version: "1", repository: "file://../d"}'), { 'd/Chart.yaml': CHART }),
      'ChartInvalid app/Chart.yaml:5',
    ],
    'a dependency on a host': [
      meta(depends(`{name: d, version: "1", repository: "http://127.0.0.1:${port()}"}`)),
      'ChartInvalid app/Chart.yaml:5',
    ],
    'a dependency whose name leads up': [
      meta(depends('{name: "../d", version: "1.0.0"}'), sub),
      'ChartInvalid app/Chart.yaml:5',
    ],
    'an alias that leads up': [
      meta(depends('{name: d, version: "1.0.0", alias: "../../x"}'), sub),
      'ChartInvalid app/Chart.yaml:4',
    ],
    'a subchart whose name leads up': [
      meta(CHART, { 'app/charts/d/Chart.yaml': 'apiVersion: v2\nname: ..\nversion: 1.0.0\n' }),
      'ChartInvalid app/charts/d/Chart.yaml:2',
    ],
    'a condition that leads up': [
      meta(depends('{name: d, version: "1.0.0", condition: "../../x,a..b"}'), sub),
      'rendered',
    ],
    'a release whose name leads up': [chart(''), 'NameInvalid', { release: '../x' }],
    'a version of Kubernetes that is none': [
      chart('', { 'app/Chart.yaml': `${CHART}kubeVersion: ">1"\n` }),
      'SpecInvalid',
      { capabilities: { kubeVersion: '../x', apiVersions: [] } },
    ],
  });
});

test('a chart that cannot be read names its file and line', async (t) => {
  const sub = { 'app/charts/d/Chart.yaml': 'apiVersion: v2\nname: d\nversion: 1.0.0\n' };
  const broken = (path: string, is: string, text = 'a: 1\nb: [\n'): Row => [chart('', { ...sub, [path]: text }), is];
  await eachTold(t, {
    'its metadata': broken('app/Chart.yaml', 'ChartInvalid app/Chart.yaml:3'),
    'its metadata is a list': broken('app/Chart.yaml', 'ChartInvalid app/Chart.yaml:1', '- a\n'),
    'its values': broken('app/values.yaml', 'ValuesInvalid app/values.yaml:3'),
    'its lock': broken('app/Chart.lock', 'ChartInvalid app/Chart.lock:3'),
    "a subchart's metadata": broken('app/charts/d/Chart.yaml', 'ChartInvalid app/charts/d/Chart.yaml:3'),
    "a subchart's values": broken('app/charts/d/values.yaml', 'ValuesInvalid app/charts/d/values.yaml:3'),
    "a subchart's subchart": broken(
      'app/charts/d/charts/e/Chart.yaml',
      'ChartInvalid app/charts/d/charts/e/Chart.yaml:3',
    ),
    'a subchart without metadata': broken('app/charts/e/values.yaml', 'ChartInvalid app/charts/e/Chart.yaml', 'a: 1\n'),
    'a file that is no chart': broken('app/charts/README.md', 'ChartInvalid app/charts/README.md'),
    'patterns that Helm does not know': broken('app/.helmignore', 'ChartInvalid app/.helmignore:2', 'a\n**/b\n'),
    'patterns that leave out the chart': broken('app/.helmignore', 'ChartInvalid app/.helmignore', '*\n'),
    'a schema that is no JSON': broken('app/values.schema.json', 'ChartInvalid app/values.schema.json:2', '{"a": 1,\n'),
    'a hundred charts in one another': [
      chart(
        configMap('a'),
        Object.fromEntries(
          Array.from({ length: 100 }, (_, at) => [
            `app/${'charts/d/'.repeat(at + 1)}Chart.yaml`,
            sub['app/charts/d/Chart.yaml'],
          ]),
        ),
      ),
      'rendered',
    ],
  });
});

test('values have limits (B41)', async (t) => {
  const five = 5 * 1024 * 1024;
  const levels = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((key, at) => `${key}: &${key} [${`*${'abcdefgh'[at]},`.repeat(9)}]`),
  ];
  await eachTold(t, {
    'eleven MiB in a file': [
      chart('', { 'app/v.yaml': `x: ${'a'.repeat(11 * 1024 * 1024)}\n` }),
      'FileTooLarge app/v.yaml',
      { valuesFiles: ['v.yaml'] },
    ],
    'a billion laughs': [chart('', { 'app/values.yaml': `${levels.join('\n')}\n` }), 'ValuesInvalid app/values.yaml:6'],
    'lists in lists without end': [
      chart('', { 'app/values.yaml': `a: ${'['.repeat(100_000)}${']'.repeat(100_000)}\n` }),
      'ValuesInvalid app/values.yaml:1',
    ],
    'an index beyond reason': [chart(''), 'ValuesInvalid', { set: ['a[99999999]=x'] }],
    'an index beyond reason, as a text': [chart(''), 'ValuesInvalid', { setString: ['a[99999999]=x'] }],
    'an index below nothing': [chart(''), 'ValuesInvalid', { set: ['a[-1]=x'] }],
    'a name beyond reason': [chart(''), 'ValuesInvalid', { set: [`a${'.b'.repeat(100)}=1`] }],
    'a text where a subchart has its values': [
      chart('', {
        'app/values.yaml': `a: 1\nd: ${CANARY}\n`,
        'app/charts/d/Chart.yaml': 'apiVersion: v2\nname: d\nversion: 1.0.0\n',
      }),
      'ValuesInvalid app/values.yaml:2',
    ],
    'a list where values are': [
      chart(''),
      'ValuesInvalid mine.yaml:1',
      { layers: [{ path: 'mine.yaml', text: '- a\n' }] },
    ],
  });

  const big = chart(configMap('a', 'v: "{{ len .Values.x }}"'), { 'app/values.yaml': `x: ${'a'.repeat(five)}\n` });
  assert.deepEqual(await data(big), { v: String(five) });
});

test('null removes a default, a map replaces it, and neither breaks a table (B41)', async () => {
  const template = configMap('a', 'v: {{ toJson .Values | quote }}');
  const files = chart(template, { 'app/values.yaml': 't: {a: 1}\nu: null\n' });

  assert.deepEqual(await data(files, { values: { t: null } }), { v: '{}' });
  assert.deepEqual(await data(files, { values: { t: 5 } }), { v: '{"t":5}' });
  assert.deepEqual(await data(files, { values: { u: { b: 1 } } }), { v: '{"t":{"a":1},"u":{"b":1}}' });
});

test('random functions answer the same for the same input, in archives too (B42)', async () => {
  const template = configMap('a', 'v: "{{ randAlphaNum 8 }}{{ uuidv4 }}{{ now | unixEpoch }}"');
  const packed = tarArchive([
    { name: 'd/Chart.yaml', data: 'apiVersion: v2\nname: d\nversion: 1.0.0\n' },
    { name: 'd/templates/x.yaml', data: template },
  ]);

  for (const files of [chart(template), chart('', { 'app/charts/d-1.0.0.tgz': packed })]) {
    const first = await data(files);
    assert.deepEqual(await data(files), first);
    assert.notDeepEqual(await data(files, { seed: 'another' }), first);
  }
});

// Archives (B28, B29)

const SUBCHART: readonly Member[] = [
  { name: 'd/Chart.yaml', data: 'apiVersion: v2\nname: d\nversion: 1.0.0\n' },
  { name: 'd/templates/b.yaml', data: configMap('b') },
];

function packed(...members: readonly Member[]): MemoryFiles {
  return chart(configMap('a'), { 'app/charts/d-1.0.0.tgz': tarArchive([...SUBCHART, ...members]) });
}

test('members of an archive that lead out of it make it invalid (B29)', async (t) => {
  const names = [
    'd/../../x',
    'd/..',
    'd//etc/passwd',
    'd/templates/../../../x.yaml',
    'd\\..\\..\\x',
    'd/c:/x',
    'Chart.yaml',
    'd',
  ];
  for (const name of names) {
    await eachTold(t, {
      [name]: [packed({ name, data: 'x: 1\n' }), 'ChartInvalid app/charts/d-1.0.0.tgz'],
    });
  }
});

test("an archive's first folder is taken off whatever it is called, as Helm does, and what is left stays inside (B29)", async () => {
  for (const name of ['../x.txt', '/x.txt', '..\\x.txt', 'c:/x.txt']) {
    const template = { name: 'd/templates/c.yaml', data: configMap('c', `v: '{{ .Files.Get "x.txt" }}'`) };
    const outcome = await render(packed(template, { name, data: 'mine' }));
    const objects = outcome.ok ? outcome.value.objects.map(({ object }) => object) : [];

    assert.deepEqual(objects.find(({ metadata }) => metadata.name === 'c')?.['data'], { v: 'mine' }, name);
  }
});

test('links, devices and pipes in an archive are empty files (B28)', async () => {
  for (const type of ['1', '2', '3', '4', '6', '7']) {
    const template = { name: 'd/templates/c.yaml', data: configMap('c', `v: '[{{ .Files.Get "l" }}]'`) };
    const outcome = await render(packed(template, { name: 'd/l', type, link: join(outside, 'canary') }));
    const objects = outcome.ok ? outcome.value.objects.map(({ object }) => object) : [];

    assert.deepEqual(objects.find(({ metadata }) => metadata.name === 'c')?.['data'], { v: '[]' }, type);
  }
});

test('archives that are broken, or more than they seem, are refused (B29)', async (t) => {
  const archive = (bytes: Uint8Array | string, is = 'ChartInvalid app/charts/d-1.0.0.tgz'): Row => [
    chart(configMap('a'), { 'app/charts/d-1.0.0.tgz': bytes }),
    is,
  ];
  const nested = tarArchive([{ name: 'e/Chart.yaml', data: 'apiVersion: v2\nname: ..\nversion: 1.0.0\n' }]);
  await eachTold(t, {
    'a text': archive('hello'),
    nothing: archive(''),
    'no tar': archive(gzipSync('hello')),
    'half of one': archive(tarArchive(SUBCHART).subarray(0, 60)),
    'no chart': archive(tarArchive([{ name: 'd/x', data: '1' }])),
    'a link for its metadata': archive(
      tarArchive([{ name: 'd/Chart.yaml', type: '2', link: join(outside, 'canary') }]),
    ),
    'more than 100 MiB of zeros': archive(
      tarArchive([...SUBCHART, { name: 'd/x', data: new Uint8Array(101 * 1024 * 1024) }]),
    ),
    'more zeros than fit': archive(
      tarArchive([...SUBCHART, { name: 'd/x', data: new Uint8Array(90 * 1024 * 1024) }]),
      'RenderMemory',
    ),
    'a size that is a lie': archive(tarArchive([...SUBCHART, { name: 'd/x', data: 'x', sizeBytes: 2 ** 33 - 1 }])),
    'a chart in a chart whose name leads up': archive(
      tarArchive([...SUBCHART, { name: 'd/charts/e-1.tgz', data: nested }]),
    ),
    'a template that fails': archive(
      tarArchive([...SUBCHART, { name: 'd/templates/c.yaml', data: '{{ fail "x" }}' }]),
      'TemplateError app/charts/d-1.0.0.tgz',
    ),
    'a template that is no YAML': archive(
      tarArchive([...SUBCHART, { name: 'd/templates/c.yaml', data: 'a: [' }]),
      'YamlSyntax app/charts/d-1.0.0.tgz',
    ),
  });
});

test('an archive of more members than anybody needs is stopped (B29)', async () => {
  const many = SUBCHART.concat(Array.from({ length: 300_000 }, () => ({ name: 'd/x' })));
  const files = chart(configMap('a'), { 'app/charts/d-1.0.0.tgz': tarArchive(many) });

  assert.match((await told(files, { by: hurried }))[0] ?? '', /^Render(?:Timeout|Memory)$/);
});

// Kustomizations (B43, B44)

test('bases in circles are refused where the circle closes (B43)', async (t) => {
  const component = (inner: string) =>
    `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncomponents:\n- ${inner}\n`;
  await eachTold(t, {
    'two bases': [
      root('resources:\n- ../b\n', { 'b/kustomization.yaml': 'resources:\n# back\n- ../app\n' }),
      'KustomizeCycle b/kustomization.yaml:3',
    ],
    'a base that is itself': [root('resources:\n- .\n'), 'KustomizeCycle app/kustomization.yaml:2'],
    'a base above': [
      root('resources:\n- ..\n', { 'kustomization.yaml': 'resources: [app]\n' }),
      'KustomizeCycle app/kustomization.yaml:2',
    ],
    'a base through a link': [
      root('resources:\n- b\n', { 'app/b': { link: '../app' } }),
      'KustomizeCycle app/kustomization.yaml:2',
    ],
    components: [
      root('components: [../c]\n', {
        'c/kustomization.yaml': component('../d'),
        'd/kustomization.yaml': component('../c'),
      }),
      'KustomizeCycle d/kustomization.yaml:4',
    ],
  });
});

test('nothing is fetched for a build, whatever the address (B43)', async (t) => {
  const host = `127.0.0.1:${port()}`;
  const urls = [
    `http://${host}/x.yaml`,
    `https://${host}/x`,
    `https://user:${CANARY}@${host}/x.git`,
    `git::https://${host}/x.git`,
    `git::http://${host}/x//deploy?ref=v1`,
    `git://${host}/x`,
    `ssh://git@${host}/x`,
    `git@${host}:o/r.git`,
    'github.com/o/r//deploy?ref=v1',
    'https://github.com/o/r',
    `file://${outside}/canary.yaml`,
    'file:///etc',
    `s3::https://${host}/x`,
    'ext::sh -c id',
  ];
  const disabled = 'KustomizeDisabled app/kustomization.yaml:3';
  for (const url of urls) {
    const quoted = JSON.stringify(url);
    await eachTold(t, {
      [`the base ${url}`]: [root(`resources:\n- a.yaml\n- ${quoted}\n`), disabled],
    });
  }
  const url = `http://${host}/x.yaml`;
  const fields = {
    components: `- ${url}`,
    patches: `- path: ${url}`,
    crds: `- ${url}`,
    openapi: `  path: ${url}`,
    configurations: `- ${url}`,
    replacements: `- path: ${url}`,
    transformers: `- ${url}`,
    generators: `- ${url}`,
    validators: `- ${url}`,
    configMapGenerator: `- {name: c, files: ["${url}"]}`,
    secretGenerator: `- {name: c, envs: ["${url}"]}`,
  };
  for (const [field, text] of Object.entries(fields)) {
    await eachTold(t, { [field]: [root(`resources: [a.yaml]\n${field}:\n${text}\n`), disabled] });
  }
});

test('nothing that a repository brings is run (B43)', async (t) => {
  const script = join(outside, 'run.sh');
  const fn = (spec: string) =>
    `apiVersion: x/v1\nkind: Fn\nmetadata:\n  name: f\n  annotations:\n    config.kubernetes.io/function: |\n      ${spec}\n`;
  const plugin = (field: string, spec: string): Row => [
    root(`resources: [a.yaml]\n${field}: [fn.yaml]\n`, { 'app/fn.yaml': fn(spec), 'app/run.sh': '#!/bin/sh\n' }),
    'KustomizeDisabled app/fn.yaml:2',
  ];
  await eachTold(t, {
    'a program as a transformer': plugin('transformers', `exec: {path: "${script}"}`),
    'a program as a generator': plugin('generators', `exec: {path: "${script}"}`),
    'a program as a validator': plugin('validators', 'exec: {path: ./run.sh}'),
    'a container': plugin(
      'transformers',
      'container: {image: evil, network: true, mounts: [{type: bind, src: /, dst: /host}]}',
    ),
    'a script in Starlark': plugin('transformers', 'starlark: {path: x.star, name: x}'),
    'a plugin of a team': [
      root('generators: [g.yaml]\n', {
        'app/g.yaml': 'apiVersion: team.example.com/v1\nkind: ChartInflator\nmetadata: {name: x}\n',
      }),
      'KustomizeDisabled app/g.yaml:2',
    ],
    'a chart': [
      root(
        `helmCharts:\n- name: "x; touch ${outside}/ran"\n  repo: "http://127.0.0.1:${port()}"\n  releaseName: "$(id)"\n`,
      ),
      'KustomizeDisabled app/kustomization.yaml:1',
    ],
    'a chart of the repository': [
      root('helmGlobals: {chartHome: "../../../etc"}\nhelmCharts:\n- name: passwd\n'),
      'KustomizeDisabled app/kustomization.yaml:2',
    ],
    'a chart with a program': [
      root(`helmChartInflationGenerator:\n- chartName: x\n  helmBin: ${script}\n`),
      'KustomizeDisabled app/kustomization.yaml:1',
    ],
    'a chart from a generator': [
      root('generators: [g.yaml]\n', {
        'app/g.yaml': `apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: x\nhelmBinary: ${script}\n`,
      }),
      'KustomizeDisabled app/kustomization.yaml',
    ],
  });
  assert.equal(existsSync(join(outside, 'ran')), false);
});

test('ten thousand patches are stopped in time (B44)', async () => {
  const patches = Array.from(
    { length: 10_000 },
    (_, at) =>
      `- target: {kind: ConfigMap, name: a}\n  patch: '[{"op": "add", "path": "/data/k${at}", "value": "v"}]'\n`,
  );

  assert.deepEqual(await told(root(`resources: [a.yaml]\npatches:\n${patches.join('')}`), { by: hurried }), [
    'RenderTimeout',
  ]);
});

test('objects that become one are told, and none of what they hold (B44)', async (t) => {
  const secret = (namespace: string) =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ${namespace}}\nstringData: {p: ${CANARY}}\n`;
  const named = (name: string, prefix: string) => ({
    [`${name}/kustomization.yaml`]: `namePrefix: ${prefix}\nresources: [x.yaml]\n`,
  });
  await eachTold(t, {
    'by their prefixes': [
      root('resources:\n- ../p\n- ../q\n', {
        ...named('p', 'a-'),
        ...named('q', 'a-b-'),
        'p/x.yaml': configMap('b-c'),
        'q/x.yaml': configMap('c'),
      }),
      'DuplicateObject app/kustomization.yaml:3',
    ],
    'by their namespace': [
      root('resources: [s.yaml]\nnamespace: one\n', { 'app/s.yaml': `${secret('a')}---\n${secret('b')}` }),
      'DuplicateObject app/kustomization.yaml:2',
    ],
    'because one file has both': [
      root('resources: [a.yaml, b.yaml]\n', { 'app/b.yaml': `${configMap('b')}---\n${configMap('a')}` }),
      'DuplicateObject app/b.yaml:8',
    ],
    'because both are namespaces': [
      root('resources: [n.yaml]\nnamespace: one\n', {
        'app/n.yaml':
          'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n',
      }),
      'DuplicateObject app/kustomization.yaml:2',
    ],
  });
});

test('a namespace that is set renames a Namespace too, as upstream does (B44)', async () => {
  const files = root('resources: [n.yaml]\nnamespace: other\n', {
    'app/n.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n',
  });
  const outcome = await render(files);

  assert.deepEqual(outcome.ok ? outcome.value.objects.map(({ object }) => object.metadata) : [], [{ name: 'other' }]);
});

test('a kustomization reads nothing above its own folder but bases', async (t) => {
  const gone = ['/etc/passwd', '../../../../etc/passwd', `../../app/../secret.txt`];
  const beside = ['../secret.txt', 'k=../secret.txt', './../secret.yaml', 'link'];
  const link = { 'app/link': { link: '../secret.txt' } };
  for (const file of [...gone, ...beside]) {
    const quoted = JSON.stringify(file);
    const path = JSON.stringify(file.replace('k=', ''));
    const refused = 'PathEscape app/kustomization.yaml:2';
    await eachTold(t, {
      [`a generator's file ${file}`]: [root(`configMapGenerator:\n- {name: c, files: [${quoted}]}\n`, link), refused],
      [`a generator's variables ${file}`]: [root(`secretGenerator:\n- {name: c, envs: [${path}]}\n`, link), refused],
      [`a patch ${file}`]: [root(`patches:\n- path: ${path}\n`, link), refused],
      [`a resource ${file}`]: [root(`resources:\n- ${path}\n`, link), refused],
      [`replacements ${file}`]: [root(`replacements:\n- path: ${path}\n`, link), refused],
    });
  }
  await eachTold(t, {
    'the disk of the machine': [root(`resources:\n- ${outside}/canary.yaml\n`), 'PathEscape app/kustomization.yaml:2'],
    'what is not there': [root('resources:\n- none.yaml\n'), 'PathMissing app/kustomization.yaml:2'],
    'a folder as a file': [
      root('configMapGenerator:\n- {name: c, files: ["."]}\n'),
      'KustomizeInvalid app/kustomization.yaml:2',
    ],
    'a folder of a submodule': [
      root('resources:\n- sub\n', { 'app/sub': { submodule: 'a'.repeat(40) } }),
      'SubmoduleDisabled app/sub',
    ],
  });
});

test('no error of a kustomization quotes what its Secrets hold', async (t) => {
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {p: ${CANARY}}\n`;
  const withSecret = (text: string, more: MemoryFiles = {}) =>
    root(`resources: [s.yaml]\n${text}`, { 'app/s.yaml': secret, ...more });
  const at = (line: number) => `KustomizeInvalid app/kustomization.yaml:${line}`;
  await eachTold(t, {
    'a literal without a key': [root(`secretGenerator:\n- name: c\n  literals: [${CANARY}]\n`), at(3)],
    'a literal after others': [root(`secretGenerator:\n- name: c\n  literals: [p=${CANARY}, x]\n`), at(3)],
    'variables that are no text': [
      root('secretGenerator: [{name: c, envs: [s.env]}]\n', {
        'app/s.env': Buffer.from(`p=${CANARY}\xff`, 'latin1'),
      }),
      'Encoding app/s.env:1',
    ],
    'a generator that merges into nothing': [
      root(`secretGenerator:\n- {name: c, behavior: merge, literals: [p=${CANARY}]}\n`),
      at(2),
    ],
    'a patch that is none': [withSecret(`patches:\n- patch: "${CANARY}"\n`), at(3)],
    'a JSON patch without a target': [
      withSecret(`patches:\n- patch: '[{"op": "replace", "path": "/stringData/p", "value": "${CANARY}"}]'\n`),
      at(3),
    ],
    'a patch twice over': [
      withSecret(`patches:\n- path: p.yaml\n  patch: "a: ${CANARY}"\n`, { 'app/p.yaml': secret }),
      at(3),
    ],
    'a patch of a Secret that is not there': [
      root(`resources: [a.yaml]\npatches:\n- path: s.yaml\n`, { 'app/s.yaml': secret }),
      'KustomizeInvalid app/kustomization.yaml',
    ],
    'a validator that changes it': [
      withSecret('validators: [v.yaml]\n', {
        'app/v.yaml':
          'apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: v}\nlabels: {a: b}\nfieldSpecs: [{path: metadata/labels, create: true}]\n',
      }),
      at(2),
    ],
    'a replacement beyond its value': [
      withSecret(
        'replacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.p, options: {delimiter: "-", index: 9}}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]\n',
      ),
      at(3),
    ],
    'a text where a number belongs': [
      withSecret(
        'replacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.p}\n  targets: [{select: {kind: Deployment}, fieldPaths: [spec.replicas]}]\n',
        {
          'app/s.yaml': `${secret}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {replicas: 1}\n`,
        },
      ),
      'KustomizeInvalid app/kustomization.yaml',
    ],
    'a Secret whose labels are a text': [
      root('resources: [s.yaml]\nlabels: [{pairs: {l: m}}]\n', {
        'app/s.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: ${CANARY}}\n`,
      }),
      at(2),
    ],
    'a JSON patch that is no JSON': [
      withSecret(`patchesJson6902:\n- {target: {version: v1, kind: Secret, name: s}, patch: '[{"op": "${CANARY}}]'}\n`),
      'KustomizeInvalid app/kustomization.yaml:3',
    ],
    'a Secret without a name': [
      root('resources: [a.yaml, s.yaml]\n', {
        'app/s.yaml': secret.replace('name: s', `labels: {p: ${CANARY}}`),
      }),
      'ObjectInvalid app/s.yaml:1',
    ],
    'a Secret with a key twice': [
      root('resources: [a.yaml, s.yaml]\n', { 'app/s.yaml': `${secret}type: ${CANARY}\ntype: ${CANARY}\n` }),
      'YamlDuplicateKey app/s.yaml:6',
    ],
    'a Secret that is no YAML': [
      root('resources: [a.yaml, s.yaml]\n', { 'app/s.yaml': `${secret}x: [${CANARY}\n` }),
      'YamlSyntax app/s.yaml:6',
    ],
  });
});

test('resources that never end are told as such (B3, B6)', async (t) => {
  const laughs = Array.from(
    { length: 9 },
    (_, at) => `k${at}: &k${at} [${at === 0 ? 'x,x,x' : `*k${at - 1},`.repeat(9)}]`,
  );
  const resource = (data: string): Row => [
    root('resources: [b.yaml]\n', { 'app/b.yaml': `${configMap('b')}extra: ${data}\n` }),
    'YamlCycle app/b.yaml:7',
  ];
  await eachTold(t, {
    'a list in itself': resource('&x [*x]'),
    'a map in itself': resource('&x {a: *x}'),
    'a billion laughs': [
      root('resources: [b.yaml]\n', { 'app/b.yaml': `${configMap('b')}extra:\n  ${laughs.join('\n  ')}\n` }),
      'YamlAliasLimit app/b.yaml:13',
    ],
  });
});

test('what makes upstream itself break is an error of the kustomization, not of the engine', async (t) => {
  await eachTold(t, {
    'a patch without anything': [
      root('resources: [a.yaml]\npatchesJson6902: [{}]\n'),
      'KustomizeInvalid app/kustomization.yaml',
    ],
    'a patch that is nothing': [
      root('resources: [a.yaml]\npatchesJson6902: [null]\n'),
      'KustomizeInvalid app/kustomization.yaml',
    ],
  });
});

// Substitution (B45)

test('variables put in neither variables nor fields nor documents, and a value has a limit (B45)', async () => {
  const files = { 'app/x.yaml': configMap('a', `v: "\${A} \${C:=\${B}} $\${D} \${E:-none}"`) };
  const one = { 'app/x.yaml': configMap('a', `v: \${A}`) };
  const variables = { A: 'x\n---\nkind: Evil', B: `\${A}`, D: 'd' };
  const big = { substitution: { variables: { A: 'x'.repeat(1024 * 1024 + 1) } } };

  assert.deepEqual(await data(files, { substitution: { variables } }), {
    v: `x\n---\nkind: Evil \${A} \${D} none`,
  });
  assert.deepEqual(await told(one, { substitution: { variables: {}, strict: true } }), ['UnsetVariable app/x.yaml:1']);
  assert.match((await told(one, big))[0] ?? '', /^SubstitutionInvalid/);
});

test('nobody was ever asked', () => {
  assert.equal(connections, 0);
});
