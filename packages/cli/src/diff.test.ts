import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { folderWith } from '../test/folder-with.ts';
import { gitFolder, type GitFolder } from '../test/git-folder.ts';
import { runCaptured, type CapturedRun } from '../test/run-captured.ts';

const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {LEVEL: info}\n';
const OTHER_MAP = CONFIG_MAP.replace('env', 'other');

function diff(folder: GitFolder, ...args: readonly string[]): Promise<CapturedRun> {
  return runCaptured(['diff', '--render', ...args], { cwd: folder.path });
}

interface Item {
  readonly action: string;
  readonly kind: string;
  readonly name: string;
  readonly file: string;
  readonly line?: number;
  readonly changes: readonly {
    readonly path: string;
    readonly before?: unknown;
    readonly after?: unknown;
    readonly place?: object;
  }[];
}

function changesOf({ changes }: Item): readonly unknown[] {
  return changes.map(({ path, before, after, place }) => [path, before, after, place]);
}

async function itemsOf(folder: GitFolder, ...args: readonly string[]): Promise<readonly Item[]> {
  const { code, stdout, stderr } = await diff(folder, ...args, '-o', 'json');
  assert.ok(code === 0 || code === 1, stderr);
  return JSON.parse(stdout).items;
}

test('two commits are compared by what they render to, with exit code 1 where that differs', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': CONFIG_MAP, 'app/b.yaml': OTHER_MAP, 'app/c.yaml': '' });
  folder.git('tag', 'v1');
  folder.git('rm', '-q', 'app/b.yaml');
  await folder.commit({
    'app/a.yaml': `# A comment\n${CONFIG_MAP.replace('info', 'debug')}`,
    'app/new.yaml': CONFIG_MAP.replace('env', 'new'),
  });

  const { code, stdout, stderr } = await diff(folder, 'v1..main', 'app');
  const back = await itemsOf(folder, 'main..v1', 'app');

  assert.deepEqual([code, stderr], [1, '']);
  assert.equal(
    stdout.replaceAll(/\([0-9a-f]{7}\)/g, '(ID)'),
    `Render  app   v1 (ID) → main (ID)
  − delete  ConfigMap/other                                    app/b.yaml:1
  ~ change  ConfigMap/env    data LEVEL info → debug (line 5)  app/a.yaml:2
  + create  ConfigMap/new                                      app/new.yaml:1
1 deleted, 1 changed, 1 created, 0 unchanged.
`,
  );
  assert.deepEqual(
    back.map(({ action, name, file }) => [action, name, file]),
    [
      ['delete', 'new', 'app/new.yaml'],
      ['change', 'env', 'app/a.yaml'],
      ['create', 'other', 'app/b.yaml'],
    ],
  );
});

test('a change that renders to the same is none, and exits 0', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': CONFIG_MAP });
  await folder.commit({ 'app/a.yaml': `# Another order, quoted\n${CONFIG_MAP.replace('info', '"info"')}` });

  const text = await diff(folder, 'HEAD~1..HEAD', 'app');
  const json = await diff(folder, 'HEAD~1..HEAD', 'app', '-o', 'json');

  assert.equal(text.code, 0);
  assert.match(text.stdout, /\n1 unchanged\.\n$/);
  assert.equal(json.code, 0);
  assert.deepEqual(JSON.parse(json.stdout).counts, { delete: 0, change: 0, create: 0, unchanged: 1 });
});

test('A.. and A alone are up to the working copy, with what is not committed', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': CONFIG_MAP });
  const clean = await diff(folder, 'HEAD..', 'app');
  await folder.write({ 'app/a.yaml': CONFIG_MAP.replace('info', 'debug'), 'app/untracked.yaml': OTHER_MAP });

  const items = await itemsOf(folder, 'HEAD..', 'app');
  const short = await itemsOf(folder, 'HEAD', 'app');
  const committed = await itemsOf(folder, 'HEAD..HEAD', 'app');

  assert.equal(clean.code, 0);
  assert.deepEqual(
    items.map(({ action, name }) => [action, name]),
    [
      ['change', 'env'],
      ['create', 'other'],
    ],
  );
  assert.deepEqual(short, items);
  assert.deepEqual(committed, []);
});

test('a base that changed is a change of each folder that reads it, and of no other', async () => {
  await using folder = await gitFolder({
    'base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'base/cm.yaml': CONFIG_MAP,
    'prod/kustomization.yaml': 'namePrefix: prod-\nresources: [../base]\n',
    'alone/cm.yaml': OTHER_MAP,
  });
  await folder.commit({ 'base/cm.yaml': CONFIG_MAP.replace('info', 'debug') });

  for (const [path, name] of [
    ['base', 'env'],
    ['prod', 'prod-env'],
  ] as const) {
    assert.deepEqual(
      (await itemsOf(folder, 'HEAD~1..HEAD', path)).map((item) => [item.name, item.file, changesOf(item)]),
      [[name, 'base/cm.yaml', [['data.LEVEL', 'info', 'debug', { file: 'base/cm.yaml', line: 4 }]]]],
    );
  }
  assert.deepEqual(await itemsOf(folder, 'HEAD~1..HEAD', 'alone'), []);
});

test('a chart is compared with the flags of render, and random values are no difference', async () => {
  const template = (image: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}", annotations: {x: "{{ randAlphaNum 8 }}"}}
spec: {template: {spec: {containers: [{name: c, image: "r/${image}:{{ .Values.tag }}"}]}}}
`;
  await using folder = await gitFolder({
    'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'chart/values.yaml': 'tag: "1"\n',
    'chart/templates/d.yaml': template('api'),
  });
  await folder.commit({ 'chart/values.yaml': 'tag: "2"\nunused: x\n' });

  const changed = await itemsOf(folder, 'HEAD~1..', 'chart', '--release', 'demo');
  const pinned = await diff(folder, 'HEAD~1..', 'chart', '--set', 'tag=3');

  assert.deepEqual(
    changed.map((item) => [item.name, item.file, item.line, changesOf(item)]),
    [
      [
        ...['demo', 'chart/templates/d.yaml', 1],
        [
          [
            'spec.template.spec.containers[name="c"].image',
            'r/api:1',
            'r/api:2',
            { file: 'chart/values.yaml', line: 1 },
          ],
        ],
      ],
    ],
  );
  assert.equal(pinned.code, 0);
});

test('values files of the repository are read at both sides, and others as they are', async () => {
  await using outside = await folderWith({ 'last.yaml': 'b: outside\n' });
  await using folder = await gitFolder({
    'app/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: env}\ndata: {a: "{{ .Values.a }}", b: "{{ .Values.b }}"}\n',
    'app/values.yaml': 'a: none\nb: none\n',
    'more/prod.yaml': 'a: first\n',
  });
  await folder.commit({ 'more/prod.yaml': 'a: second\n' });
  await folder.write({ 'more/local.yaml': 'a: local\n' });
  const last = join(outside.path, 'last.yaml');

  const items = await itemsOf(folder, 'HEAD~1..HEAD', 'app', '--values', 'more/prod.yaml', '--values', last);
  const missing = await diff(folder, 'HEAD..', 'app', '--values', 'more/local.yaml');

  assert.deepEqual(items.map(changesOf), [[['data.a', 'first', 'second', { file: 'more/prod.yaml', line: 1 }]]]);
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /^error: at HEAD there is no values file more\/local\.yaml$/m);
});

test('a folder that one side does not have is created or deleted whole', async () => {
  await using folder = await gitFolder({ 'README.md': 'x' });
  await folder.commit({ 'app/a.yaml': CONFIG_MAP });
  await rm(join(folder.path, 'app'), { recursive: true });

  const created = await diff(folder, 'HEAD~1..HEAD', 'app');
  const deleted = await itemsOf(folder, 'HEAD..', 'app');
  const neither = await diff(folder, 'HEAD..', 'nowhere');

  assert.equal(created.code, 1);
  assert.match(created.stdout, /^ {2}\+ create +ConfigMap\/env +app\/a\.yaml:1$/m);
  assert.equal(created.stderr, 'note: at HEAD~1 there is no folder app\n');
  assert.deepEqual(
    deleted.map(({ action, name }) => [action, name]),
    [['delete', 'env']],
  );
  assert.equal(neither.code, 2);
  assert.match(neither.stderr, /^error: there is no folder nowhere, neither at HEAD nor in the working copy$/m);
});

test('no value of a Secret is printed, in either form', async () => {
  const secret = (value: string) =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {token: ${value}-canary}\n`;
  await using folder = await gitFolder({ 'app/s.yaml': secret('old'), 'app/t.yaml': secret('x').replace('s}', 't}') });
  folder.git('rm', '-q', 'app/t.yaml');
  await folder.commit({ 'app/s.yaml': secret('new') });

  const text = await diff(folder, 'HEAD~1..HEAD', 'app', '--full');
  const json = await diff(folder, 'HEAD~1..HEAD', 'app', '-o', 'json');

  assert.match(text.stdout, /~ change +Secret\/s +stringData\.token changed \(secret\)/);
  assert.doesNotMatch(text.stdout + json.stdout + text.stderr + json.stderr, /canary/);
});

test('input that cannot be rendered exits 2 and says at which side', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': 'a: [\n' });
  await folder.commit({ 'app/a.yaml': CONFIG_MAP });

  const { code, stdout, stderr } = await diff(folder, 'HEAD~1..HEAD', 'app', '-o', 'json');

  assert.equal(code, 2);
  const { apiVersion, error } = JSON.parse(stdout);
  assert.deepEqual([apiVersion, error.code, error.file], ['cli.plumb.dev/v1', 'YamlSyntax', 'app/a.yaml']);
  assert.match(stderr, /^error: at HEAD~1: /);
});

test('what cannot be compared is refused with what to write instead', async () => {
  await using folder = await gitFolder({ 'app/a.yaml': CONFIG_MAP });
  await using loose = await folderWith({ 'app/a.yaml': CONFIG_MAP });
  const refused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['HEAD..', 'app'], /^error: what is compared is missing[^]*plumb diff --render A\.\.B/],
    [['--render', 'main...HEAD'], /^error: main\.\.\.HEAD has three dots/],
    [['--render', '..HEAD'], /^error: \.\.HEAD does not say what to start from/],
    [['--render', 'gone..', 'app'], /^error: there is no commit gone/],
    [['--render', 'HEAD:app..', 'app'], /^error: the revision "HEAD:app" was refused/],
    [['--render'], /^error: A\.\.B is missing/],
  ];

  for (const [args, message] of refused) {
    const { code, stderr } = await runCaptured(['diff', ...args], { cwd: folder.path });
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, message);
  }
  const without = await runCaptured(['diff', '--render', 'HEAD..', 'app'], { cwd: loose.path });
  assert.equal(without.code, 2);
  assert.match(without.stderr, /^error: there is no git repository in /);
});

test('the folder is the current one where none is named, and its name is the release', async () => {
  await using folder = await gitFolder({
    'apps/shop/cm.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata: {{ .Values | toJson }}\n',
    'apps/shop/values.yaml': 'a: x\n',
  });
  await folder.write({ 'apps/shop/values.yaml': 'a: z\n' });

  const { stdout } = await runCaptured(['diff', '--render', 'HEAD..'], { cwd: join(folder.path, 'apps/shop') });

  assert.match(stdout, /^Render {2}apps\/shop {3}HEAD/);
  assert.match(stdout, /~ change {2}ConfigMap\/shop {2}data a x → z/);
});
