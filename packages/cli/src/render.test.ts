import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folderWith, type TemporaryFolder } from '../test/folder-with.ts';
import { runCaptured } from '../test/run-captured.ts';

const BIN = fileURLToPath(new URL('../bin/plumb.mjs', import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real program, as a person starts it. */
async function plumb(args: readonly string[], cwd: string): Promise<Outcome> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, stdout, stderr };
}

/** A repository with these files; `repo/` is its root. */
function folderWithRepository(files: Readonly<Record<string, string>>): Promise<TemporaryFolder> {
  return folderWith({ 'repo/.git/HEAD': 'ref: refs/heads/main\n', ...files });
}

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: "yes"}\n';
const TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  level: {{ .Values.level | quote }}
  image: {{ .Values.image.tag | quote }}
`;

test('render prints the objects as {"objects": […]}', async () => {
  await using folder = await folderWithRepository({ 'repo/app/a.yaml': CONFIG_MAP });

  const { code, stdout, stderr } = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), {
    objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env' }, data: { LEVEL: 'yes' } }],
  });
});

test('render prints YAML with the place that each object comes from', async () => {
  await using folder = await folderWithRepository({
    'repo/app/a.yaml': CONFIG_MAP,
    'repo/app/b.yaml': `\n${CONFIG_MAP.replace('env', 'other')}`,
  });

  const { stdout } = await plumb(['render', 'repo/app'], folder.path);

  assert.equal(
    stdout,
    `# Source: app/a.yaml:1
apiVersion: v1
kind: ConfigMap
metadata:
  name: env
data:
  LEVEL: "yes"
---
# Source: app/b.yaml:2
apiVersion: v1
kind: ConfigMap
metadata:
  name: other
data:
  LEVEL: "yes"
`,
  );
});

test('values come from the folder, the environment, --values in order, and --set, each over the one before', async () => {
  await using folder = await folderWithRepository({
    'repo/app/cm.yaml': TEMPLATE,
    'repo/app/values.yaml': 'level: base\nimage: {tag: "1", pull: Always}\n',
    'repo/app/values-prod.yaml': 'level: prod\n',
    'repo/more.yaml': 'level: more\nimage: {tag: "2"}\n',
    'outside/last.yaml': 'image: {tag: "3"}\n',
  });
  const render = async (...args: readonly string[]): Promise<unknown> => {
    const { stdout } = await plumb(['render', 'repo/app', '-o', 'json', '--release', 'demo', ...args], folder.path);
    return JSON.parse(stdout).objects[0].data;
  };

  assert.deepEqual(await render(), { level: 'base', image: '1' });
  assert.deepEqual(await render('--env', 'prod'), { level: 'prod', image: '1' });
  assert.deepEqual(await render('-e', 'prod', '--values', 'repo/more.yaml', '--values', 'outside/last.yaml'), {
    level: 'more',
    image: '3',
  });
  assert.deepEqual(await render('--values', 'repo/more.yaml', '--set', 'level=set', '--set', 'image.tag=v4'), {
    level: 'set',
    image: 'v4',
  });
});

test('bad input exits 2 with the place, for people and for programs', async () => {
  await using folder = await folderWithRepository({
    'repo/app/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: [\n',
  });

  const { code, stdout, stderr } = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.equal(code, 2);
  const { error } = JSON.parse(stdout);
  assert.deepEqual([error.code, error.file], ['YamlSyntax', 'app/a.yaml']);
  assert.equal(typeof error.line, 'number');
  assert.match(stderr, /^error: .+\nat: app\/a\.yaml:\d+/);
});

test('every error is told, and the first one is the answer for programs', async () => {
  await using folder = await folderWithRepository({ 'repo/app/a.yaml': 'a: 1\n', 'repo/app/b.yaml': 'b: [\n' });

  const { stdout, stderr } = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.equal(stderr.match(/^error: /gm)?.length, 2);
  assert.equal(stdout.trim().split('\n').length, 1);
});

test('a link may lead anywhere in the repository, and never out of it', async () => {
  await using folder = await folderWithRepository({
    'repo/app/a.yaml': CONFIG_MAP,
    'repo/shared/b.yaml': CONFIG_MAP.replace('env', 'shared'),
    'outside/c.yaml': CONFIG_MAP.replace('env', 'very-secret'),
  });
  await symlink('../shared/b.yaml', join(folder.path, 'repo/app/b.yaml'));

  const inside = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);
  await symlink('../../outside/c.yaml', join(folder.path, 'repo/app/c.yaml'));
  const outside = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.equal(JSON.parse(inside.stdout).objects.length, 2);
  assert.equal(outside.code, 2);
  assert.equal(JSON.parse(outside.stdout).error.code, 'SymlinkEscape');
  assert.doesNotMatch(outside.stdout + outside.stderr, /very-secret/);
});

test('a folder that is not there is a clear error', async () => {
  const { code, stderr } = await plumb(['render', 'nowhere'], tmpdir());

  assert.equal(code, 2);
  assert.equal(stderr, 'error: there is no folder nowhere\nfix: Name the folder of the manifests.\n');
});

test('a folder that is a file, a missing values file and a misspelt one are told apart', async () => {
  await using folder = await folderWithRepository({ 'repo/app/a.yaml': CONFIG_MAP, 'repo/values-prod.yaml': '' });
  const errorOf = async (...args: readonly string[]): Promise<string> => {
    const { code, stderr } = await runCaptured(['render', ...args], { cwd: folder.path });
    assert.equal(code, 2);
    return stderr;
  };

  assert.equal(
    await errorOf('repo/app/a.yaml'),
    'error: repo/app/a.yaml is a file, not a folder\nfix: Name the folder of the manifests.\n',
  );
  assert.equal(
    await errorOf('repo/app', '--values', 'repo/values-stage.yaml'),
    'error: there is no values file repo/values-stage.yaml\nat: repo/values-stage.yaml\nfix: Correct the name of the values file.\n',
  );
  assert.match(
    await errorOf('repo/app', '--values', 'repo/value-prod.yaml'),
    /^fix: Did you mean repo\/values-prod\.yaml\?$/m,
  );
  assert.match(
    await errorOf('repo/app', '--values', 'repo'),
    /^error: the values file repo cannot be read\nat: repo\ncause: EISDIR/,
  );
  assert.match(await errorOf(), /^error: the folder is missing\nfix: Name it: plumb render DIR/);
});

const CHART = {
  'repo/chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
  'repo/chart/values.yaml': 'level: info\n',
  'repo/chart/crds/w.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ws.x.io}\n',
  'repo/chart/templates/cm.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {level: "{{ .Values.level }}"}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
`,
  'repo/chart/templates/hooks.yaml': ['post-install', 'pre-upgrade,pre-install', 'pre-install', 'test']
    .map(
      (events, index) => `apiVersion: v1
kind: Pod
metadata: {name: hook-${index}, annotations: {helm.sh/hook: "${events}", helm.sh/hook-weight: "${5 - 3 * index}"}}
`,
    )
    .join('---\n'),
  'repo/chart/templates/NOTES.txt': 'Thank you\n',
};

test('a chart prints its CRDs, then what is kept as Helm installs it, then its hooks as Helm runs them, marked', async () => {
  await using folder = await folderWithRepository(CHART);

  const { code, stdout, stderr } = await runCaptured(['render', 'repo/chart'], { cwd: folder.path });

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(
    stdout.split('\n').filter((line) => /^(?:#|kind:|  name:)/.test(line)),
    [
      ...['# Source: chart/crds/w.yaml:1', 'kind: CustomResourceDefinition', '  name: ws.x.io'],
      ...['# Source: chart/templates/cm.yaml:6', 'kind: Namespace', '  name: shop'],
      ...['# Source: chart/templates/cm.yaml:1', 'kind: ConfigMap', '  name: chart'],
      ...['# Source: chart/templates/hooks.yaml:9', '# Hook: pre-install; weight -1', 'kind: Pod', '  name: hook-2'],
      ...['# Source: chart/templates/hooks.yaml:5', '# Hook: pre-upgrade, pre-install; weight 2'],
      ...['kind: Pod', '  name: hook-1'],
      ...['# Source: chart/templates/hooks.yaml:1', '# Hook: post-install; weight 5', 'kind: Pod', '  name: hook-0'],
    ],
  );
});

test('a chart takes --values and --set; the name of the release and its namespace are what the flags say', async () => {
  await using folder = await folderWithRepository({
    ...CHART,
    'repo/chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}\ndata: {{ .Values | toJson }}\n',
    'repo/chart/templates/hooks.yaml': '',
    'more.yaml': 'level: more\nother: x\n',
  });

  const { stdout } = await runCaptured(
    [
      ...['render', 'repo/chart', '--release', 'demo', '-n', 'shop', '-o', 'json'],
      ...['--values', 'more.yaml', '--set', 'level=set'],
    ],
    { cwd: folder.path },
  );

  const [, configMap] = JSON.parse(stdout).objects;
  assert.deepEqual(configMap.metadata, { name: 'demo', namespace: 'shop' });
  assert.deepEqual(configMap.data, { level: 'set', other: 'x' });
});

test('a Kustomize root is built with the bases above it, and says which file an object is from and which changed it', async () => {
  await using folder = await folderWithRepository({
    'repo/base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'repo/base/cm.yaml': CONFIG_MAP,
    'repo/apps/prod/kustomization.yaml': 'namePrefix: prod-\nresources: [../../base]\npatches: [{path: level.yaml}]\n',
    'repo/apps/prod/level.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: debug}\n',
  });

  const { code, stdout } = await runCaptured(['render', 'repo/apps/prod'], { cwd: folder.path });

  assert.equal(code, 0);
  assert.equal(
    stdout,
    `# Source: base/cm.yaml:1
# Changed by: apps/prod/level.yaml
apiVersion: v1
data:
  LEVEL: debug
kind: ConfigMap
metadata:
  name: prod-env
`,
  );
});

test('--renderer decides where the folder does not, and a folder that could be both names the flag', async () => {
  await using folder = await folderWithRepository({
    ...CHART,
    'repo/chart/kustomization.yaml': 'resources: [templates/ns.yaml]\n',
    'repo/chart/templates/ns.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: both}\n',
  });
  const renderAs = (...args: readonly string[]) => runCaptured(['render', 'repo/chart', ...args], { cwd: folder.path });

  const unclear = await renderAs();
  const kustomized = await renderAs('--renderer', 'kustomize', '-o', 'json');
  const explained = await renderAs('--renderer', 'kustomize', '--explain');
  const unknown = await renderAs('--renderer', 'jsonnet');

  assert.equal(unclear.code, 2);
  assert.match(unclear.stderr, /^fix: Say which is meant with --renderer/m);
  assert.equal(JSON.parse(kustomized.stdout).objects[0].metadata.name, 'both');
  assert.match(explained.stdout, /^Renderer +kustomize: --renderer says so$/m);
  assert.match(unknown.stderr, /--renderer must be one of plain, values, helm, kustomize/);
});

test('-o jsonl without --batch prints the one answer in one line', async () => {
  await using folder = await folderWithRepository({ 'repo/app/a.yaml': CONFIG_MAP });

  const { stdout } = await runCaptured(['render', 'repo/app', '-o', 'jsonl'], { cwd: folder.path });

  assert.equal(stdout.split('\n').length, 2);
  assert.equal(JSON.parse(stdout).objects.length, 1);
});

test('warnings go to standard error: of charts, of what an API server would refuse, and of flags that do not count', async () => {
  await using folder = await folderWithRepository({
    ...CHART,
    'repo/chart/templates/cm.yaml':
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: twice}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: twice}\n',
    'repo/app/a.yaml': CONFIG_MAP,
  });

  const chart = await runCaptured(['render', 'repo/chart', '--env', 'prod', '-o', 'json'], { cwd: folder.path });
  const plain = await runCaptured(['render', 'repo/app', '--set', 'a=b', '-o', 'json'], { cwd: folder.path });
  const quiet = await runCaptured(['render', 'repo/app', '--set', 'a=b', '-q'], { cwd: folder.path });

  assert.equal(chart.code, 0);
  assert.match(chart.stderr, /^warning: Namespace\/twice: defined twice/m);
  assert.match(chart.stderr, /^warning: --env does not count: the renderer is helm; name a file/m);
  assert.ok(JSON.parse(chart.stdout).objects.length > 0);
  assert.equal(plain.stderr, 'warning: --set does not count: the renderer is plain\n');
  assert.equal(quiet.stderr, '');
});

test('a chart that looks at live objects says that it found none', async () => {
  await using folder = await folderWithRepository({
    ...CHART,
    'repo/chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {n: "{{ (lookup "v1" "Secret" "a" "b") | len }}"}\n',
  });

  const { stderr } = await runCaptured(['render', 'repo/chart'], { cwd: folder.path });

  assert.match(stderr, /^warning: the chart asks for live objects \(lookup\), and finds none/);
});

test('--explain groups what was read by what it was, and shows a "-" where nothing is', async () => {
  await using folder = await folderWithRepository({
    'repo/base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'repo/base/cm.yaml': CONFIG_MAP,
    'repo/prod/kustomization.yaml': 'resources: [../base]\n',
  });

  const { code, stdout, stderr } = await runCaptured(['render', 'repo/prod', '--explain'], { cwd: folder.path });

  assert.deepEqual([code, stderr], [0, '']);
  assert.equal(
    stdout.replace(/(?<=Key +)[0-9a-f]{64}/, 'KEY'),
    `Renderer   kustomize: kustomization.yaml is there
Objects    1
Key        KEY

What was read. As long as it stays the same, so does the result.
  Files
    base/cm.yaml              ea838d35562d
    base/kustomization.yaml   8a76643b2bbb
    prod/kustomization.yaml   c514cd0dae68
  Folders, as far as they are there
    prod
  Nothing there
    base                      - Kustomization, kustomization.yml
    prod                      - Chart.yaml, Kustomization, kustomization.yml, values.yaml
`,
  );
});

test('--explain -o json names the renderer, the reason, the key and every path that was asked about', async () => {
  await using folder = await folderWithRepository({
    ...CHART,
    'repo/chart/templates/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {v: "{{ .Capabilities.KubeVersion }}"}\n',
  });
  const explain = async (...args: readonly string[]) => {
    const { stdout } = await runCaptured(['render', 'repo/chart', '--explain', ...args], { cwd: folder.path });
    return stdout;
  };

  const first = JSON.parse(await explain('-o', 'json'));
  const second = JSON.parse(await explain('-o', 'json', '--set', 'level=x'));

  assert.deepEqual([first.renderer, first.because, first.objects], ['helm', 'Chart.yaml is there', 5]);
  assert.match(first.key, /^[0-9a-f]{64}$/);
  assert.notEqual(second.key, first.key);
  assert.equal(first.readsCapabilities, true);
  assert.match(first.reads.chart, /^tree [0-9a-f]{64}$/);
  assert.match(first.reads['chart/Chart.yaml'], /^file [0-9a-f]{40}$/);
  assert.equal(first.reads['chart/kustomization.yaml'], '-');
  assert.deepEqual(Object.keys(first.reads), Object.keys(first.reads).toSorted());
  assert.match(await explain(), /^Cluster +the chart asks what the cluster can do/m);
});

test('--explain of a folder that cannot be rendered says what was read before, and then what is wrong', async () => {
  await using folder = await folderWithRepository({ 'repo/app/a.yaml': 'a: [\n' });

  const people = await runCaptured(['render', 'repo/app', '--explain'], { cwd: folder.path });
  const programs = await runCaptured(['render', 'repo/app', '--explain', '-o', 'json'], { cwd: folder.path });

  assert.equal(people.code, 2);
  assert.match(people.stdout, /^Renderer +plain: [^]*^Objects +0$[^]*Nothing there/m);
  assert.match(people.stderr, /^error: /);
  assert.equal(JSON.parse(programs.stdout).error.code, 'YamlSyntax');
});
