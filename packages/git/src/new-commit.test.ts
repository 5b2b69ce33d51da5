import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlumbError } from '@plumb/core';
import { startGitServer, type GitServer, type GitServerOptions } from '@plumb/test-support/git-server';
import { gitIdentity } from './identity.ts';
import { openMirror, type Mirror } from './mirror.ts';
import { parseGitUrl } from './url.ts';

const { signal } = new AbortController();
const author = { name: 'Ada Lovelace', email: 'ada@example.com' };

interface Setup {
  readonly server: GitServer;
  readonly mirror: Mirror;
  readonly tip: string;
}

async function setUp(t: TestContext, options: GitServerOptions & { objectFormat?: 'sha256' } = {}): Promise<Setup> {
  const cleanup = new AsyncDisposableStack();
  t.after(() => cleanup.disposeAsync());
  const folder = await temporary(t);
  const server = cleanup.use(await startGitServer(options));
  await server.create('shop', options.objectFormat === undefined ? {} : { objectFormat: options.objectFormat });
  await server.commit('shop', {
    'deploy/a.yaml': 'replicas: 3\n',
    'deploy/b.yaml': 'other: 1\n',
    'run.sh': { mode: '100755', content: '#!/bin/sh\n' },
    'docs/long.txt': 'text\n'.repeat(1000),
  });
  const { user = 'git', password } = options;
  const mirror = cleanup.use(
    await openMirror({
      url: parseGitUrl(server.url('shop')),
      folder: join(folder, 'shop.git'),
      credentials: async () =>
        password === undefined ? { kind: 'none' } : { kind: 'basic', username: user, password },
      signal,
    }),
  );
  const tip = (await mirror.fetch(['main'], { signal })).get('main') ?? assert.fail('no branch');
  return { server, mirror, tip };
}

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-commit-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

function edit(parent: string, files: Readonly<Record<string, string>>) {
  const message = 'Keep 5 replicas\n\nAsked for by "ops" (é).\n';
  return { parent, files: new Map(Object.entries(files)), author, timeMs: 1_700_000_000_500, message };
}

function failsWith(code: string, text: RegExp): (thrown: unknown) => boolean {
  return (thrown) => {
    assert.ok(thrown instanceof PlumbError, String(thrown));
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, text);
    return true;
  };
}

for (const objectFormat of [undefined, 'sha256'] as const) {
  test(`a commit replaces its files and nothing else, by who asked for it (${objectFormat ?? 'sha1'})`, async (t) => {
    const { server, mirror, tip } = await setUp(t, objectFormat === undefined ? {} : { objectFormat });

    const commit = await mirror.store(
      edit(tip, { 'deploy/a.yaml': 'replicas: 5 # é\r\n', 'new "x"/b.yaml': 'x: 1\n' }),
      { signal },
    );
    await mirror.push(commit, 'main', { signal });

    const show = (...args: readonly string[]) => server.git('shop', args);
    assert.equal(await show('rev-parse', 'main'), commit);
    assert.equal(await show('diff', '--name-status', tip, commit), 'M\tdeploy/a.yaml\nA\t"new \\"x\\"/b.yaml"');
    assert.equal(await show('cat-file', 'blob', 'main:deploy/a.yaml'), 'replicas: 5 # é');
    assert.equal(
      await show('log', '-1', '--format=%an <%ae> %at %cn %P%n%B', commit),
      `Ada Lovelace <ada@example.com> 1700000000 Ada Lovelace ${tip}\nKeep 5 replicas\n\nAsked for by "ops" (é).`,
    );
    assert.equal(await show('fsck', '--strict'), '');
  });
}

test('a file that may be run stays one', async (t) => {
  const { server, mirror, tip } = await setUp(t);

  const commit = await mirror.store(edit(tip, { 'run.sh': '#!/bin/sh\nexit\n' }), { signal });
  await mirror.push(commit, 'main', { signal });

  assert.match(await server.git('shop', ['ls-tree', 'main', 'run.sh']), /^100755 blob/);
});

test('a branch of its own is made, and the followed one stays', async (t) => {
  const { server, mirror, tip } = await setUp(t);

  const commit = await mirror.store(edit(tip, { 'deploy/a.yaml': 'replicas: 5\n' }), { signal });
  await mirror.push(commit, 'plumb/keep-a', { signal });

  assert.equal(await server.git('shop', ['rev-parse', 'main', 'plumb/keep-a']), `${tip}\n${commit}`);
});

test('what somebody else pushed in between is never overwritten; on top of it the commit arrives', async (t) => {
  const { server, mirror, tip } = await setUp(t);
  const first = await mirror.store(edit(tip, { 'deploy/a.yaml': 'replicas: 5\n' }), { signal });
  const theirs = await server.commit('shop', { 'deploy/b.yaml': 'other: 2\n' });

  await assert.rejects(
    mirror.push(first, 'main', { signal }),
    failsWith('BranchMoved', /^pushing to main of http.*: it has other commits/),
  );
  assert.equal(await server.git('shop', ['rev-parse', 'main']), theirs);
  const moved = (await mirror.fetch(['main'], { signal })).get('main') ?? '';
  const second = await mirror.store(edit(moved, { 'deploy/a.yaml': 'replicas: 5\n' }), { signal });
  await mirror.push(second, 'main', { signal });

  assert.equal(await server.git('shop', ['rev-parse', 'main', 'main~1']), `${second}\n${theirs}`);
});

test('a protected branch says why, and other branches take it', async (t) => {
  const { server, mirror, tip } = await setUp(t);
  const hook = join(server.folder('shop'), 'hooks', 'update');
  await mkdir(join(hook, '..'), { recursive: true });
  await writeFile(
    hook,
    '#!/bin/sh\n[ "$1" = refs/heads/main ] || exit 0\necho "GH006: Protected branch update failed" >&2\nexit 1\n',
  );
  await chmod(hook, 0o755);
  const commit = await mirror.store(edit(tip, { 'deploy/a.yaml': 'replicas: 5\n' }), { signal });

  await assert.rejects(
    mirror.push(commit, 'main', { signal }),
    failsWith(
      'PushRejected',
      /^pushing to main of .*: \[remote rejected\] \(hook declined\); GH006: Protected branch update failed$/,
    ),
  );
  await mirror.push(commit, 'plumb/keep-a', { signal });

  assert.equal(await server.git('shop', ['rev-parse', 'main']), tip);
});

test('credentials that may only read are told of, without naming them', async (t) => {
  const { server, mirror, tip } = await setUp(t, { user: 'bot', password: 'hunter2-secret' });
  await server.git('shop', ['config', 'http.receivepack', 'false']);
  const commit = await mirror.store(edit(tip, { 'deploy/a.yaml': 'replicas: 5\n' }), { signal });

  await assert.rejects(mirror.push(commit, 'main', { signal }), (thrown: unknown) => {
    assert.ok(thrown instanceof PlumbError);
    assert.equal(thrown.code, 'RepositoryUnauthorized', thrown.message);
    assert.match(thrown.fix, /^Let the credentials in the Repository's Secret write/);
    assert.doesNotMatch(thrown.message, /hunter2/);
    return true;
  });
});

test('tags and names that are none are not pushed to', async (t) => {
  const { mirror, tip } = await setUp(t);

  for (const branch of ['refs/tags/v1', 'HEAD', '-x', 'a..b', tip]) {
    await assert.rejects(mirror.push(tip, branch, { signal }), failsWith('RefInvalid', /./));
  }
});

test('who makes a commit is told by the environment, the working copy, and the own configuration, in this order', async (t) => {
  const home = await temporary(t);
  const copy = join(home, 'copy');
  await mkdir(join(copy, '.git', 'refs'), { recursive: true });
  await mkdir(join(copy, '.git', 'objects'));
  await writeFile(join(copy, '.git', 'HEAD'), 'ref: refs/heads/main\n');
  await writeFile(join(copy, '.git', 'config'), '[core]\n\trepositoryformatversion = 0\n[user]\n\tname = Local\n');
  const person = { home, env: {} };

  await assert.rejects(
    gitIdentity({ ...person, cwd: home }, { signal }),
    failsWith('AuthorMissing', /user\.name and user\.email is not set/),
  );
  await writeFile(join(home, '.gitconfig'), '[user]\n\tname = Ada\n\temail = ada@example.com\n');

  const inHome = await gitIdentity({ ...person, cwd: home }, { signal });
  const inCopy = await gitIdentity({ ...person, cwd: copy }, { signal });
  const named = await gitIdentity({ home, cwd: copy, env: { GIT_AUTHOR_NAME: 'Env', EMAIL: 'e@x' } }, { signal });

  assert.deepEqual(inHome, { name: 'Ada', email: 'ada@example.com' });
  assert.deepEqual(inCopy, { name: 'Local', email: 'ada@example.com' });
  assert.deepEqual(named, { name: 'Env', email: 'e@x' });
});
