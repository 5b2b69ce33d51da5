import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startGitServer } from './git-server.ts';

const env = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};
const git = (...args: readonly string[]) => promisify(execFile)('git', args, { env });

test('people clone, commit and push, and the push is told', async (t) => {
  const pushes: (readonly [string, string, string | undefined])[] = [];
  // The client is told before the caller of `onPush` is, so the last one is waited for.
  const { promise: allTold, resolve } = Promise.withResolvers<void>();
  const onPush = (...push: (typeof pushes)[number]): void => {
    if (pushes.push(push) === 4) resolve();
  };
  await using server = await startGitServer({ onPush });
  const url = await server.create('shop');
  const first = await server.commit('shop', { 'a.yaml': '1' }, 'First');
  const copy = await mkdtemp(join(tmpdir(), 'plumb-git-server-test-'));
  t.after(() => rm(copy, { recursive: true, force: true }));

  await git('clone', '-q', url, copy);
  await writeFile(join(copy, 'a.yaml'), '2');
  await git('-C', copy, '-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-q', '-am', 'Second');
  await git('-C', copy, 'push', '-q', 'origin', 'HEAD:main', 'HEAD:refs/heads/other');
  await git('-C', copy, 'push', '-q', 'origin', ':other');
  const second = await server.git('shop', ['rev-parse', 'main']);
  await allTold;

  assert.deepEqual(pushes, [
    ['shop', 'refs/heads/main', first],
    ['shop', 'refs/heads/main', second],
    ['shop', 'refs/heads/other', second],
    ['shop', 'refs/heads/other', undefined],
  ]);
  assert.ok(server.requests > 0);
});

test('a commit changes and removes files on top of its branch', async (t) => {
  await using server = await startGitServer();
  await server.create('shop');
  await server.commit('shop', { 'a.yaml': '1', 'b/c.yaml': '1', 'b/d.yaml': '1' });
  await server.commit(
    'shop',
    { 'a.yaml': '2', b: null },
    { message: 'Remove b', author: { name: 'Test Author', email: 'author@example.com' } },
  );
  const copy = await mkdtemp(join(tmpdir(), 'plumb-git-server-test-'));
  t.after(() => rm(copy, { recursive: true, force: true }));

  await git('clone', '-q', server.url('shop'), copy);

  assert.equal(await readFile(join(copy, 'a.yaml'), 'utf8'), '2');
  assert.equal(await server.git('shop', ['ls-tree', '-r', '--name-only', 'main']), 'a.yaml');
  assert.equal(await server.git('shop', ['log', '-1', '--format=%an %s', 'main']), 'Test Author Remove b');
});

test('a password and a fault are asked for and answered as told', async () => {
  await using server = await startGitServer({ user: 'reader', password: 'right', tls: true });
  await server.create('shop');
  await server.commit('shop', { 'a.yaml': '1' });
  const withPassword = server.url('shop').replace('://', '://reader:right@');
  const folder = await mkdtemp(join(tmpdir(), 'plumb-git-server-test-'));
  await writeFile(join(folder, 'ca.crt'), server.caPem ?? '');
  const ca = ['-c', `http.sslCAInfo=${join(folder, 'ca.crt')}`];

  const { stdout } = await git(...ca, 'ls-remote', withPassword);
  const unauthorized = git(...ca, 'ls-remote', server.url('shop'));

  assert.match(stdout, /refs\/heads\/main/);
  await assert.rejects(unauthorized, /could not read Username/);
  server.fault = 'not-found';
  await assert.rejects(git(...ca, 'ls-remote', withPassword), /not found/);
  await rm(folder, { recursive: true });
});
