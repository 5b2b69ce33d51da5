import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openWorld, REPOSITORY, type World } from '../test/world.ts';

const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {LEVEL: info}\n';
const HEADER = `# ours
apiVersion: plumb.dev/v1alpha1
kind: Application
metadata:
  name: shop
`;
const SPEC = `spec:
  source: {repository: shop, path: deploy} # where it is
`;

async function openNamedWorld(t: TestContext): Promise<World> {
  const world = await openWorld({ 'deploy/web.yaml': CONFIG });
  t.after(() => world[Symbol.asyncDispose]());
  await writeFile(join(world.folder, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.com\n');
  const synced = await world.plumb('sync', 'shop');
  assert.equal(synced.code, 0, synced.stderr);
  return world;
}

const ignore = (world: World, ...args: readonly string[]) =>
  world.plumb(
    'drift',
    'ignore',
    'shop',
    'configmap/web',
    '--field',
    'data.LEVEL',
    '--reason',
    'an operator sets it',
    ...args,
  );

async function fileAt(world: World, file: string, branch = 'main'): Promise<string> {
  return `${await world.git.git(REPOSITORY, ['cat-file', 'blob', `${branch}:${file}`])}\n`;
}

test('a rule goes to the manifest of the Application, in the name of who asks, and nothing else of it changes', async (t) => {
  const world = await openNamedWorld(t);
  const manifest = `${HEADER}  namespace: ${world.namespace}\n${SPEC}`;
  await world.git.commit(REPOSITORY, { 'plumb/all.yaml': `${CONFIG}---\n${manifest}` }, 'Say it in Git');
  const before = await world.git.git(REPOSITORY, ['rev-parse', 'main']);

  const dry = await ignore(world, '--dry-run');
  assert.equal(await world.git.git(REPOSITORY, ['rev-parse', 'main']), before);
  const run = await ignore(world);
  const message = await world.git.git(REPOSITORY, ['log', '-1', '--format=%an <%ae>%n%B', 'main']);
  const second = await world.plumb(
    ...['drift', 'ignore', 'shop', 'ConfigMap/web', '--field', '/data/MODE', '--manager', 'operator', '--reason', 'x'],
    ...['--branch', 'mode', '-o', 'json'],
  );
  const again = await ignore(world);

  const written = [
    '  drift:',
    '    rules:',
    '      - kind: ConfigMap',
    '        name: web',
    '        fields:',
    '          - data.LEVEL',
    '        policy: ignore',
    '        reason: an operator sets it',
  ];
  assert.equal(dry.code, 0, dry.stderr);
  assert.equal(
    dry.stdout,
    [
      '✓ shop: ConfigMap/web data.LEVEL is ignored',
      '  plumb/all.yaml:14',
      ...written.map((line) => `  + ${line}`),
      'Nothing is pushed (--dry-run).',
      '',
    ].join('\n'),
  );
  assert.deepEqual([run.code, run.stderr], [0, '']);
  assert.match(run.stdout, /\nCommit [0-9a-f]{7} on main\.\n$/);
  assert.equal(await fileAt(world, 'plumb/all.yaml'), `${CONFIG}---\n${manifest}${written.join('\n')}\n`);
  assert.equal(
    message,
    [
      'Ada <ada@example.com>',
      'Ignore drift of ConfigMap/web of shop: data.LEVEL',
      '',
      'an operator sets it',
      '',
      'No drift any more:',
      '- data.LEVEL',
      '',
      `Plumb-Target: ${world.namespace}/shop`,
      'Plumb-Ignore: ConfigMap/web data.LEVEL',
    ].join('\n'),
  );
  const { rule, branch, commit, repository } = JSON.parse(second.stdout);
  assert.deepEqual([branch, repository], ['mode', `${world.namespace}/shop`]);
  assert.equal(commit, await world.git.git(REPOSITORY, ['rev-parse', 'mode']));
  assert.deepEqual(rule.managers, ['operator']);
  // The first rule that fits counts, so the new one stands in front.
  assert.match(
    await fileAt(world, 'plumb/all.yaml', 'mode'),
    /rules:\n +- kind: ConfigMap\n +name: web\n +fields:\n +- \/data\/MODE\n/,
  );
  assert.deepEqual([again.code, again.stdout], [0, 'ConfigMap/web: Git says so already\n']);
});

test('an Application that no repository has is told of, and the command that is offered writes the rule', async (t) => {
  const world = await openNamedWorld(t);
  const path = `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`;

  const run = await ignore(world, '-o', 'json');

  assert.equal(run.code, 2);
  const { error } = JSON.parse(run.stdout);
  assert.equal(error.code, 'ManifestMissing');
  assert.match(error.message, /^No repository that is followed has the manifest of the Application shop$/);
  assert.match(
    error.fix,
    /^Put the rule into spec\.drift\.rules where the Application is written: - \{"kind":"ConfigMap",/,
  );
  const command = /kubectl -n (\S+) patch applications\.plumb\.dev shop --type=json -p '(.*)'$/.exec(error.fix);
  assert.equal(command?.[1], world.namespace);
  const patched = await world.cluster.request('PATCH', path, {
    body: JSON.parse(command?.[2] ?? ''),
    contentType: 'application/json-patch+json',
  });
  assert.equal(patched.status, 200, JSON.stringify(patched.body));
  const { spec } = patched.body as { readonly spec: { readonly drift: { readonly rules: unknown } } };
  assert.deepEqual(spec.drift.rules, [
    { kind: 'ConfigMap', name: 'web', fields: ['data.LEVEL'], policy: 'ignore', reason: 'an operator sets it' },
  ]);
});

test('what a kustomization or a chart builds is refused with where it is from', async (t) => {
  const world = await openNamedWorld(t);
  const manifest = `${HEADER}${SPEC}`;
  const files = { 'plumb/shop.yaml': manifest, 'plumb/kustomization.yaml': 'resources: [shop.yaml]\n' };
  await world.git.commit(REPOSITORY, files, 'With Kustomize');
  const kustomize = await ignore(world);
  await world.git.commit(
    REPOSITORY,
    {
      'plumb/shop.yaml': null,
      'plumb/kustomization.yaml': null,
      'plumb/templates/shop.yaml': manifest,
      'plumb/Chart.yaml': 'name: apps\nversion: 1.0.0\n',
    },
    'With Helm',
  );
  const chart = await ignore(world);
  const template = manifest.replace('name: shop', 'name: {{ .Values.name }}');
  await world.git.commit(REPOSITORY, { 'plumb/templates/shop.yaml': template }, 'With a template');
  const templated = await ignore(world);

  assert.deepEqual([kustomize.code, chart.code, templated.code], [2, 2, 2]);
  assert.match(
    kustomize.stderr,
    /^error: The Application shop is built by plumb\/kustomization\.yaml from plumb\/shop\.yaml\nat: plumb\/kustomization\.yaml$/m,
  );
  assert.match(
    chart.stderr,
    /^error: The Application shop is built by plumb\/Chart\.yaml from plumb\/templates\/shop\.yaml$/m,
  );
  assert.match(templated.stderr, /the template plumb\/templates\/shop\.yaml may build it$/m);
  assert.match(templated.stderr, /^fix: Put the rule into spec\.drift\.rules .*: - \{"kind":"ConfigMap","name":"web"/m);
});

test('an Application that an application keeps is found by its render, and refused where a chart makes it', async (t) => {
  const world = await openNamedWorld(t);
  const child = (name: string) =>
    `${HEADER.replace('name: shop', `name: ${name}`)}${SPEC.replace('deploy', `deploy-${name}`)}`;
  await world.git.commit(
    REPOSITORY,
    {
      'deploy-plain/a.yaml': CONFIG.replace('web', 'plain'),
      'deploy-made/a.yaml': CONFIG.replace('web', 'made'),
      'apps/plain.yaml': child('plain'),
      'charts/Chart.yaml': 'apiVersion: v2\nname: charts\nversion: 1.0.0\n',
      'charts/templates/made.yaml': child('made').replace('name: made', 'name: {{ .Values.name }}'),
      'charts/values.yaml': 'name: made\n',
    },
    'Applications of applications',
  );
  for (const name of ['apps', 'charts']) {
    const added = await world.plumb('app', 'add', name, '--repo', 'shop', '--path', name);
    const synced = await world.plumb('sync', name);
    assert.deepEqual([added.code, synced.code], [0, 0], synced.stderr);
  }
  for (const name of ['plain', 'made']) await world.plumb('sync', name);
  const rest = ['--field', 'data.LEVEL', '--reason', 'x'];

  const plain = await world.plumb('drift', 'ignore', 'plain', 'ConfigMap/plain', ...rest);
  const synced = await world.plumb('sync', 'apps');
  const made = await world.plumb('drift', 'ignore', 'made', 'ConfigMap/made', ...rest);

  assert.equal(plain.code, 0, plain.stderr);
  assert.match(plain.stdout, /\n {2}apps\/plain\.yaml:8\n/);
  assert.equal(synced.code, 0, synced.stderr);
  const { body } = await world.cluster.request(
    'GET',
    `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/plain`,
  );
  const { spec } = body as { readonly spec: { readonly drift: { readonly rules: readonly { policy: string }[] } } };
  assert.deepEqual(
    spec.drift.rules.map(({ policy }) => policy),
    ['ignore'],
  );
  assert.equal(made.code, 2);
  assert.match(
    made.stderr,
    /^error: The Application made is built by the chart with charts\/templates\/made\.yaml:\d+, for charts$/m,
  );
});

test('a protected branch is told of, and another branch takes the commit', async (t) => {
  const world = await openNamedWorld(t);
  await world.git.commit(REPOSITORY, { 'shop.yaml': `${HEADER}  namespace: ${world.namespace}\n${SPEC}` }, 'In Git');
  const hook = join(world.git.folder(REPOSITORY), 'hooks', 'update');
  await mkdir(join(hook, '..'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\n[ "$1" = refs/heads/main ] || exit 0\necho "main is protected" >&2\nexit 1\n');
  await chmod(hook, 0o755);

  const refused = await ignore(world);
  const branch = await ignore(world, '--branch', 'level');

  assert.equal(refused.code, 6, refused.stderr);
  assert.match(
    refused.stderr,
    /^error: pushing to main of .*: \[remote rejected\] \(hook declined\); main is protected$/m,
  );
  assert.equal(branch.code, 0, branch.stderr);
  assert.match(branch.stdout, /\nCommit [0-9a-f]{7} on the branch level: open a pull request from it\.\n$/);
});

test('without fields, a reason or a known environment nothing is looked for', async (t) => {
  const world = await openNamedWorld(t);
  const fields = await world.plumb('drift', 'ignore', 'shop', 'ConfigMap/web', '--reason', 'x');
  const reason = await world.plumb('drift', 'ignore', 'shop', 'ConfigMap/web', '--field', 'data.LEVEL');
  const env = await ignore(world, '-e', 'prod');

  assert.deepEqual([fields.code, reason.code, env.code], [2, 2, 2]);
  assert.match(fields.stderr, /^fix: Name each with --field PATH/m);
  assert.match(reason.stderr, /^fix: Say why with --reason TEXT\.$/m);
  assert.match(env.stderr, /^error: shop has no environment prod$/m);
});
