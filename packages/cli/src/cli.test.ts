import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCaptured } from '../test/run-captured.ts';

test('help lists every verb', async () => {
  const { code, stdout } = await runCaptured(['--help']);

  assert.equal(code, 0);
  for (const verb of ['up', 'status', 'plan', 'sync', 'history', 'render', 'diff', 'repo', 'app', 'version']) {
    assert.match(stdout, new RegExp(`^ +${verb} `, 'm'));
  }
});

test('a misspelt verb is a usage error with the one that was meant', async () => {
  const { code, stdout, stderr } = await runCaptured(['stauts']);

  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.equal(stderr, 'error: there is no verb "stauts"\nfix: Did you mean "status"?\n');
});

test('a misspelt flag is a usage error with the one that was meant', async () => {
  const { code, stderr } = await runCaptured(['render', '.', '--namespce', 'x']);

  assert.equal(code, 2);
  assert.equal(stderr, 'error: there is no flag --namespce\nfix: Did you mean --namespace?\n');
});

test('a wrong value names the right ones', async () => {
  const { code, stderr } = await runCaptured(['status', '-o', 'xml']);

  assert.equal(code, 2);
  assert.match(stderr, /^error: --output must be one of table, wide, json, yaml, jsonl, name, not "xml"$/m);
});

test('up refuses to compare all the time, before anything is started', async () => {
  for (const every of ['0s', '169h']) {
    const { code, stderr } = await runCaptured(['up', '--compare-every', every]);

    assert.equal(code, 2);
    assert.match(stderr, /^error: --compare-every: must be from 1s to 168h$/m);
  }
});

test('with -o json the error is on standard output too', async () => {
  const { code, stdout, stderr } = await runCaptured(['status', '-o', 'json', '--nope']);

  assert.equal(code, 2);
  assert.equal(JSON.parse(stdout).apiVersion, 'cli.plumb.dev/v1');
  assert.equal(JSON.parse(stdout).error.code, 'Usage');
  assert.match(stderr, /^error: /);
});

test('there is no stack trace, unless it is asked for', async () => {
  const quiet = await runCaptured(['render', '/nonexistent/x']);
  const verbose = await runCaptured(['render', '/nonexistent/x', '-v']);

  assert.doesNotMatch(quiet.stderr, /^ +at /m);
  assert.match(verbose.stderr, /^ +at /m);
});

test('an interrupt ends with 130', async () => {
  const signal = AbortSignal.abort(new DOMException('SIGINT', 'AbortError'));
  const { code } = await runCaptured(['render', import.meta.dirname], { signal });

  assert.equal(code, 130);
});

test('version has a form for programs', async () => {
  const { stdout } = await runCaptured(['version', '-o', 'json']);

  assert.match(JSON.parse(stdout).version, /^\d+\.\d+\.\d+$/);
});

test('repo add prints the object without any cluster', async () => {
  const { code, stdout } = await runCaptured([
    ...['repo', 'add', 'shop', '--url', 'https://git.example.com/shop.git', '--ref', 'main', '--secret', 'token'],
    ...['--webhook-secret', 'hook', '-n', 'team', '--dry-run', 'client'],
  ]);

  assert.equal(code, 0);
  assert.equal(
    stdout,
    `apiVersion: plumb.dev/v1alpha1
kind: Repository
metadata:
  name: shop
  namespace: team
spec:
  url: https://git.example.com/shop.git
  ref: main
  secretRef:
    name: token
  webhook:
    secretRef:
      name: hook
`,
  );
});

test('repo add names the host of pull requests, and refuses one that it does not know', async () => {
  const add = (...flags: readonly string[]) =>
    runCaptured([
      ...['repo', 'add', 'shop', '--url', 'https://git.example.com/acme/shop.git', '--dry-run', 'client', '-n', 'team'],
      ...flags,
    ]);

  const known = await add('--host-secret', 'token', '--host', 'gitea', '--host-api', 'https://api.example.com/v1');
  const unknown = await add('--host-secret', 'token');
  const tokenless = await add('--host', 'gitea');

  assert.equal(known.code, 0, known.stderr);
  assert.match(
    known.stdout,
    / {2}pullRequests:\n {4}secretRef:\n {6}name: token\n {4}host: gitea\n {4}api: https:\/\/api\.example\.com\/v1\n/,
  );
  assert.deepEqual([unknown.code, tokenless.code], [2, 2]);
  assert.match(unknown.stderr, /git\.example\.com is no host that is known by name/);
  assert.match(tokenless.stderr, /fix: Add --host-secret NAME/);
});

test('repo add refuses credentials in the URL and does not repeat them', async () => {
  const { code, stdout, stderr } = await runCaptured([
    ...['repo', 'add', 'shop', '--url', 'https://me:hunter2@git.example.com/shop.git', '--dry-run', 'client'],
  ]);

  assert.equal(code, 2);
  assert.match(stderr, /Secret/);
  assert.doesNotMatch(stdout + stderr, /hunter2/);
});

test('app add prints the object with its environments', async () => {
  const { code, stdout } = await runCaptured([
    ...['app', 'add', 'shop', '--repo', 'shop', '--path', './deploy/', '-e', 'dev=shop-dev', '-e', 'prod=shop'],
    ...['--dry-run', 'client'],
  ]);

  assert.equal(code, 0);
  assert.equal(
    stdout,
    `apiVersion: plumb.dev/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: default
spec:
  source:
    repository: shop
    path: deploy
  environments:
  - name: dev
    namespace: shop-dev
  - name: prod
    namespace: shop
`,
  );
});

test('app add refuses what the API server would refuse', async () => {
  const { code, stderr } = await runCaptured([
    ...['app', 'add', 'shop', '--repo', 'shop', '--path', '../other', '--dry-run', 'client'],
  ]);

  assert.equal(code, 2);
  assert.match(stderr, /spec\.source\.path must stay inside the repository/);
});

test('without a cluster and without an engine the next step is named', async () => {
  const { code, stderr } = await runCaptured(['status']);

  assert.equal(code, 2);
  assert.match(stderr, /^error: No engine runs on this machine/);
  assert.match(stderr, /^fix: Start an engine with "plumb up"/m);
});
