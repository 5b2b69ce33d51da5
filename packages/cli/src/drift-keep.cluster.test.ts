import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openWorld, REPOSITORY, type World } from '../test/world.ts';

const settings = (level: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata:\n  LEVEL: ${level} # ours\n  MODE: "a"\n`;
const JOB = `apiVersion: batch/v1
kind: CronJob
metadata:
  name: clean
spec:
  # at night
  schedule: '0 3 * * *'
  suspend: true
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - {name: clean, image: 'shop/clean:1.2'}
`;

/** Healthy applications that are suspended then, so that nobody heals what is changed by hand. */
async function openSuspendedWorld(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  apps: Readonly<Record<string, readonly string[]>> = {},
): Promise<World> {
  const world = await openWorld(files);
  t.after(() => world[Symbol.asyncDispose]());
  await writeFile(join(world.folder, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.com\n');
  for (const [name, args] of Object.entries(apps)) {
    const added = await world.plumb('app', 'add', name, '--repo', 'shop', ...args);
    assert.equal(added.code, 0, added.stderr);
  }
  for (const name of ['shop', ...Object.keys(apps)]) {
    const synced = await world.plumb('sync', name);
    assert.equal(synced.code, 0, synced.stderr);
    await patch(world, `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/${name}`, {
      spec: { suspend: true },
    });
    await world.plumb('wait', name, '--for', 'settled');
  }
  return world;
}

async function patch(world: World, path: string, body: object): Promise<void> {
  const answer = await world.cluster.request('PATCH', `${path}?fieldManager=kubectl-edit`, {
    body,
    contentType: 'application/merge-patch+json',
  });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

const configMap = (world: World, name: string) => `/api/v1/namespaces/${world.namespace}/configmaps/${name}`;

/** The lines that the newest commit took away and brought. */
async function lastDiff(world: World, branch = 'main'): Promise<readonly string[]> {
  const text = await world.git.git(REPOSITORY, ['diff', '--unified=0', `${branch}~1`, branch]);
  return text.split('\n').filter((line) => /^(?:\+\+\+|[-+](?![-+]))/.test(line));
}

test('what stands by a rule is kept as well, though no plan would put it back', async (t) => {
  const world = await openSuspendedWorld(t, { 'deploy/all.yaml': settings('info') });
  await patch(world, `/apis/plumb.dev/v1alpha1/namespaces/${world.namespace}/applications/shop`, {
    spec: { suspend: false, drift: { policy: 'report' } },
  });
  await world.plumb('wait', 'shop');
  await patch(world, configMap(world, 'settings'), { data: { LEVEL: 'debug' } });
  await world.plumb('wait', 'shop', '--for', 'settled');

  const plan = await world.plumb('plan', 'shop', '--exit-code');
  const kept = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings', '--reason', 'wanted');

  assert.deepEqual([plan.code, plan.stderr], [0, '']);
  assert.match(plan.stdout, /^note: ConfigMap\/settings data\.LEVEL differs, and stays so \(report\)$/m);
  assert.deepEqual([kept.code, kept.stderr], [0, '']);
  assert.deepEqual(await lastDiff(world), ['+++ b/deploy/all.yaml', '-  LEVEL: info # ours', '+  LEVEL: debug # ours']);
});

test('a plain manifest: one line, in the name of who asks, and the plan is then without a change', async (t) => {
  const world = await openSuspendedWorld(t, { 'deploy/all.yaml': `${settings('info')}---\n${JOB}` });
  await patch(world, configMap(world, 'settings'), { data: { LEVEL: 'yes' } });
  const job = `/apis/batch/v1/namespaces/${world.namespace}/cronjobs/clean`;
  await patch(world, job, { spec: { schedule: '0 4 * * *' } });

  const before = await world.git.git(REPOSITORY, ['rev-parse', 'main']);
  const dry = await world.plumb('drift', 'keep', 'shop', 'configmap/settings', '--dry-run');
  assert.equal(await world.git.git(REPOSITORY, ['rev-parse', 'main']), before);
  const first = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings', '--reason', 'asked for by support');
  const ofSettings = await lastDiff(world);
  const message = await world.git.git(REPOSITORY, ['log', '-1', '--format=%an <%ae>%n%B', 'main']);
  const second = await world.plumb('drift', 'keep', 'shop', 'CronJob/clean', '--reason', 'later', '-o', 'json');
  const plan = await world.plumb('plan', 'shop', '--exit-code');
  const again = await world.plumb('drift', 'keep', 'shop', 'CronJob/clean', '--reason', 'later');

  assert.deepEqual([dry.code, dry.stderr], [0, '']);
  assert.equal(
    dry.stdout,
    [
      '✓ ConfigMap/settings data LEVEL info → yes',
      '  deploy/all.yaml:5',
      '  -   LEVEL: info # ours',
      '  +   LEVEL: "yes" # ours',
      'Nothing is pushed (--dry-run).',
      '',
    ].join('\n'),
  );
  assert.deepEqual([first.code, first.stderr], [0, '']);
  assert.match(first.stdout, /\nCommit [0-9a-f]{7} on main\.\n$/);
  assert.deepEqual(ofSettings, ['+++ b/deploy/all.yaml', '-  LEVEL: info # ours', '+  LEVEL: "yes" # ours']);
  assert.equal(
    message,
    [
      'Ada <ada@example.com>',
      'Keep ConfigMap/settings of shop: data LEVEL info → yes',
      '',
      'asked for by support',
      '',
      'Changed on the cluster by kubectl-edit, and kept as it is:',
      '- data LEVEL info → yes',
      '',
      `Plumb-Target: ${world.namespace}/shop`,
      `Plumb-Keep: ${world.namespace}/ConfigMap/settings data.LEVEL`,
    ].join('\n'),
  );
  assert.deepEqual(await lastDiff(world), [
    '+++ b/deploy/all.yaml',
    "-  schedule: '0 3 * * *'",
    "+  schedule: '0 4 * * *'",
  ]);
  const { commit, fields } = JSON.parse(second.stdout);
  assert.equal(commit, await world.git.git(REPOSITORY, ['rev-parse', 'main']));
  assert.deepEqual(fields, [
    { path: 'spec.schedule', git: '0 3 * * *', live: '0 4 * * *', where: { file: 'deploy/all.yaml', line: 14 } },
  ]);
  assert.equal(plan.code, 0, plan.stdout);
  assert.match(plan.stdout, /\n2 unchanged\./);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^error: CronJob\/clean is as Git says, or is not in Git$/m);
});

test('values: the line of the environment, else a refusal with the names of the others', async (t) => {
  const template = (name: string) =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}-{{ .Values.name }}}\ndata: {LEVEL: {{ .Values.level | quote }}, MODE: {{ .Values.mode }}}\n`;
  const files = {
    'deploy/settings.yaml': settings('info'),
    'app/settings.yaml': template('settings'),
    'app/values.yaml': 'level: info\nmode: a # of all\nname: none\n',
    'app/values-dev.yaml': 'name: dev\n',
    'app/values-prod.yaml': '# ours\nname: prod\nlevel: warn # loud enough\n',
  };
  const world = await openSuspendedWorld(t, files, { app: ['--path', 'app', '-e', 'dev', '-e', 'prod'] });
  await patch(world, configMap(world, 'settings-prod'), { data: { LEVEL: 'debug', MODE: 'b' } });
  const keep = (...args: readonly string[]) =>
    world.plumb('drift', 'keep', 'app', '-e', 'prod', 'ConfigMap/settings-prod', '--reason', 'x', ...args);

  const level = await keep('--field', 'data.LEVEL');
  const ofLevel = await lastDiff(world);
  const refused = await keep();
  const alone = await keep('--file', 'app/values-prod.yaml', '--pull-request');
  const plan = await world.plumb('plan', 'app', '-e', 'prod', '--ref', branchIn(alone.stdout), '--exit-code');
  const unnamed = await world.plumb('drift', 'keep', 'app', 'ConfigMap/settings-prod', '--dry-run');

  assert.equal(level.code, 0, level.stderr);
  assert.deepEqual(ofLevel, [
    '+++ b/app/values-prod.yaml',
    '-level: warn # loud enough',
    '+level: debug # loud enough',
  ]);
  assert.equal(refused.code, 6, refused.stderr);
  assert.match(
    refused.stderr,
    /^error: data\.MODE of ConfigMap\/settings-prod is not kept: app\/values\.yaml:2 is read by app → dev too$/m,
  );
  assert.match(
    refused.stderr,
    /^fix: Let the others .* --also, or keep it for this one alone with --file app\/values-prod\.yaml\.$/m,
  );
  assert.equal(alone.code, 0, alone.stderr);
  assert.match(
    alone.stdout,
    /Commit \w{7} on the branch plumb\/keep-app-prod-settings-prod-\w{8}: open a pull request/,
  );
  assert.deepEqual(await lastDiff(world, branchIn(alone.stdout)), ['+++ b/app/values-prod.yaml', '+mode: b']);
  assert.equal(plan.code, 0, plan.stdout);
  assert.equal(unnamed.code, 2);
});

function branchIn(stdout: string): string {
  return /on the branch (\S+):/.exec(stdout)?.[1] ?? 'none';
}

test('Kustomize: the patch of the overlay, and the literal of a generator', async (t) => {
  const files = {
    'deploy/settings.yaml': settings('info'),
    'base/settings.yaml': settings('info').replace('name: settings', 'name: base'),
    'base/kustomization.yaml': 'resources: [settings.yaml]\n',
    'overlay/kustomization.yaml':
      '# ours\nresources: [../base]\npatches:\n  - path: level.yaml\nconfigMapGenerator:\n  - name: made\n    literals:\n      - A=1 # one\n      - B=2\n    options: {disableNameSuffixHash: true}\n',
    'overlay/level.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: base}\ndata:\n  LEVEL: "warn"\n',
  };
  const world = await openSuspendedWorld(t, files, { over: ['--path', 'overlay'] });
  await patch(world, configMap(world, 'base'), { data: { LEVEL: 'debug' } });
  await patch(world, configMap(world, 'made'), { data: { A: '9' } });
  const keep = (object: string) => world.plumb('drift', 'keep', 'over', object, '--reason', 'x');

  const patched = await keep('ConfigMap/base');
  const ofPatch = await lastDiff(world);
  const generated = await keep('ConfigMap/made');
  const plan = await world.plumb('plan', 'over', '--exit-code');

  assert.deepEqual([patched.code, generated.code], [0, 0], patched.stderr + generated.stderr);
  assert.deepEqual(ofPatch, ['+++ b/overlay/level.yaml', '-  LEVEL: "warn"', '+  LEVEL: "debug"']);
  assert.deepEqual(await lastDiff(world), [
    '+++ b/overlay/kustomization.yaml',
    '-      - A=1 # one',
    '+      - A=9 # one',
  ]);
  assert.equal(plan.code, 0, plan.stdout);
});

test('what Git itself has changed is not kept, a protected branch is told of, and a commit needs a name', async (t) => {
  const world = await openSuspendedWorld(t, { 'deploy/all.yaml': settings('info') });
  await world.git.commit(REPOSITORY, { 'deploy/all.yaml': settings('warn') }, 'Be louder');
  const ahead = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings', '--reason', 'x');
  await patch(world, configMap(world, 'settings'), { data: { MODE: 'b' } });
  const hook = join(world.git.folder(REPOSITORY), 'hooks', 'update');
  await mkdir(join(hook, '..'), { recursive: true });
  await writeFile(hook, '#!/bin/sh\n[ "$1" = refs/heads/main ] || exit 0\necho "main is protected" >&2\nexit 1\n');
  await chmod(hook, 0o755);
  const refused = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings', '--reason', 'x');
  const branch = await world.plumb(
    'drift',
    'keep',
    'shop',
    'ConfigMap/settings',
    '--reason',
    'x',
    '--branch',
    'mode-b',
  );
  await writeFile(join(world.folder, '.gitconfig'), '[user]\n\tname = Ada\n');
  const nobody = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings', '--reason', 'x');
  const noReason = await world.plumb('drift', 'keep', 'shop', 'ConfigMap/settings');

  assert.equal(ahead.code, 2);
  assert.match(ahead.stderr, /^error: nobody else has changed ConfigMap\/settings: Git is ahead of what was applied$/m);
  assert.equal(refused.code, 6, refused.stderr);
  assert.match(
    refused.stderr,
    /^error: pushing to main of .*: \[remote rejected\] \(hook declined\); main is protected$/m,
  );
  assert.equal(branch.code, 0, branch.stderr);
  assert.deepEqual(await lastDiff(world, 'mode-b'), ['+++ b/deploy/all.yaml', '-  MODE: "a"', '+  MODE: "b"']);
  assert.deepEqual([nobody.code, noReason.code], [2, 2]);
  assert.match(nobody.stderr, /user\.email is not set/);
});
