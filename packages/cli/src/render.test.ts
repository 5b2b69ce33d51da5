import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

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
async function folderWith(
  files: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-cli-'));
  await mkdir(join(path, 'repo', '.git'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
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
  await using folder = await folderWith({ 'repo/app/a.yaml': CONFIG_MAP });

  const { code, stdout, stderr } = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), {
    objects: [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'env' }, data: { LEVEL: 'yes' } }],
  });
});

test('render prints YAML with the place that each object comes from', async () => {
  await using folder = await folderWith({
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
  await using folder = await folderWith({
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
  await using folder = await folderWith({
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
  await using folder = await folderWith({ 'repo/app/a.yaml': 'a: 1\n', 'repo/app/b.yaml': 'b: [\n' });

  const { stdout, stderr } = await plumb(['render', 'repo/app', '-o', 'json'], folder.path);

  assert.equal(stderr.match(/^error: /gm)?.length, 2);
  assert.equal(stdout.trim().split('\n').length, 1);
});

test('a link may lead anywhere in the repository, and never out of it', async () => {
  await using folder = await folderWith({
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
