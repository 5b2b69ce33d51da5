import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlumbError, type SourceTree } from '@plumb/core';
import { commitTree } from './local-commit.ts';
import { localTree } from './local-tree.ts';

const signal = new AbortController().signal;

interface WorkingCopy {
  readonly path: string;
  git(...args: readonly string[]): string;
  write(files: Readonly<Record<string, string>>): void;
  /** Writes the files, commits all that is there, and returns the commit's id. */
  commit(files: Readonly<Record<string, string>>): string;
}

async function workingCopy(t: TestContext, { init = ['init', '-q', '-b', 'main'] } = {}): Promise<WorkingCopy> {
  const path = await mkdtemp(join(tmpdir(), 'plumb-local-commit-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  const git = (...args: readonly string[]) => runGit(path, ...args);
  git(...init);
  function write(files: Readonly<Record<string, string>>): void {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    }
  }
  return {
    path,
    git,
    write,
    commit(files) {
      write(files);
      git('add', '-A');
      git('commit', '-qm', 'change');
      return git('rev-parse', 'HEAD');
    },
  };
}

function runGit(cwd: string, ...args: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@example.com', ...args], {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
  }).trim();
}

/** Every file at a revision with its text. */
async function textsAt(folder: string, revision: string): Promise<Record<string, string>> {
  await using opened = await commitTree(folder, revision, { signal });
  return await texts(opened.tree);
}

async function texts(tree: SourceTree): Promise<Record<string, string>> {
  const entries = await tree.entries('', { signal });
  const bytes = await tree.read(entries, { signal });
  return Object.fromEntries(entries.map(({ path }, index) => [path, Buffer.from(bytes[index] ?? []).toString()]));
}

async function codeOf(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => assert.fail('nothing was thrown'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof PlumbError, String(error));
  return error.code;
}

test('branches, tags, ids, beginnings of ids and what comes before them name a commit', async (t) => {
  const { path, git, commit } = await workingCopy(t);
  const first = commit({ 'app/a.yaml': '1' });
  git('tag', '-am', 'first', 'v1');
  git('update-ref', 'refs/remotes/origin/main', first);
  const second = commit({ 'app/a.yaml': '2' });

  for (const revision of ['v1', first, first.slice(0, 8), 'HEAD~1', 'HEAD^', 'main~', 'origin/main', '@~1']) {
    assert.deepEqual(await textsAt(path, revision), { 'app/a.yaml': '1' }, revision);
  }
  await using head = await commitTree(path, 'HEAD', { signal });
  assert.equal(head.commit.sha, second);
  assert.equal(head.commit.subject, 'change');
});

test('what is changed and not committed is not read, and the working copy stays as it is', async (t) => {
  const { path, git, write, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'committed' });
  write({ 'a.yaml': 'changed', 'new.yaml': 'new' });

  assert.deepEqual(await textsAt(path, 'main'), { 'a.yaml': 'committed' });
  assert.equal(git('status', '--porcelain'), 'M a.yaml\n?? new.yaml');
});

test('a commit answers as the working copy does that was committed', async (t) => {
  const { path, commit } = await workingCopy(t);
  mkdirSync(join(path, 'app'));
  symlinkSync('../shared', join(path, 'app/link'));
  commit({ 'app/a.yaml': 'a', 'shared/b.yaml': 'b' });
  await using at = await commitTree(path, 'HEAD', { signal });
  const now = localTree(path);

  assert.deepEqual(await at.tree.entries('', { signal }), await now.entries('', { signal }));
  for (const file of ['app', 'app/a.yaml', 'app/link', 'app/link/b.yaml', 'gone', '']) {
    assert.deepEqual(await at.tree.find(file, { signal }), await now.find(file, { signal }), file);
  }
  assert.equal(await at.tree.treeId('app/a.yaml', { signal }), undefined);
  await assert.rejects(at.tree.entries('../x', { signal }), { code: 'PathEscape' });
});

test('what could be an option, a file or a search is refused before git runs', async (t) => {
  const { path, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'a' });

  for (const revision of [
    '--all',
    '-x',
    '',
    '~1',
    'HEAD:a.yaml',
    ':/change',
    'a..b',
    'HEAD^{/x}',
    'a b',
    'a\nb',
    '@{1}',
  ]) {
    assert.equal(await codeOf(commitTree(path, revision, { signal })), 'RefInvalid', revision);
  }
});

test('a name that names no commit is RefMissing, and says what may help', async (t) => {
  const { path, git, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'a' });
  const blob = git('rev-parse', 'HEAD:a.yaml');

  for (const revision of ['gone', 'HEAD~7', blob, 'f'.repeat(40)]) {
    assert.equal(await codeOf(commitTree(path, revision, { signal })), 'RefMissing', revision);
  }
  await assert.rejects(commitTree(path, 'gone', { signal }), { fix: /fetch/ });
});

test('a repository without a commit has none, and a shallow clone ends where it was cut off', async (t) => {
  const empty = await workingCopy(t);
  const { path, commit } = await workingCopy(t);
  commit({ 'a.yaml': '1' });
  commit({ 'a.yaml': '2' });
  const shallow = await workingCopy(t, { init: ['clone', '-q', '--depth=1', `file://${path}`, '.'] });

  assert.equal(await codeOf(commitTree(empty.path, 'HEAD', { signal })), 'RefMissing');
  assert.deepEqual(await textsAt(shallow.path, 'HEAD'), { 'a.yaml': '2' });
  assert.equal(await codeOf(commitTree(shallow.path, 'HEAD~1', { signal })), 'RefMissing');
});

test('a folder that is no git repository is a clear error', async (t) => {
  const { path } = await workingCopy(t);
  mkdirSync(join(path, 'empty/.git'), { recursive: true });
  mkdirSync(join(path, 'plain'));

  for (const folder of ['empty', 'plain', 'gone']) {
    await assert.rejects(commitTree(join(path, folder), 'HEAD', { signal }), {
      code: 'PathMissing',
      message: `there is no git repository in ${join(path, folder)}`,
    });
  }
});

test('a second working tree and a SHA-256 repository are read like any other', async (t) => {
  const { path, git, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'a' });
  git('worktree', 'add', '-q', '-b', 'other', 'tree');
  const other = join(path, 'tree');
  const newer = await workingCopy(t, { init: ['init', '-q', '--object-format=sha256'] });
  newer.commit({ 'b.yaml': 'b' });

  assert.deepEqual(await textsAt(other, 'other'), { 'a.yaml': 'a' });
  assert.deepEqual(await textsAt(newer.path, 'HEAD'), { 'b.yaml': 'b' });
});

test('what a partial clone left out is told and not fetched, and nothing that the configuration names is run', async (t) => {
  const origin = await workingCopy(t);
  origin.commit({ 'a.yaml': 'a' });
  origin.git('config', 'uploadpack.allowFilter', 'true');
  const { path, git } = await workingCopy(t, {
    init: ['clone', '-q', '--filter=blob:none', '--no-checkout', `file://${origin.path}`, '.'],
  });
  const mark = join(path, 'ran');
  const program = join(path, 'program');
  writeFileSync(program, `#!/bin/sh\ntouch ${mark}\nexit 1\n`, { mode: 0o755 });
  for (const name of readdirSync(join(path, '.git/hooks'))) rmSync(join(path, '.git/hooks', name));
  git('config', 'remote.origin.url', 'ssh://host.invalid/x');
  for (const key of [
    'core.sshCommand',
    'core.fsmonitor',
    'core.pager',
    'credential.helper',
    'core.alternateRefsCommand',
  ]) {
    git('config', key, program);
  }
  git('config', 'remote.origin.uploadpack', program);

  await using opened = await commitTree(path, 'HEAD', { signal });
  const entries = await opened.tree.entries('', { signal });

  assert.equal(await codeOf(opened.tree.read(entries, { signal })), 'GitFailed');
  await assert.rejects(opened.tree.read(entries, { signal }), { fix: /partial/ });
  assert.equal(existsSync(mark), false);
});

test('a damaged repository is told, with what git says', async (t) => {
  const { path, git, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'a' });
  const blob = git('rev-parse', 'HEAD:a.yaml');
  const file = join(path, '.git/objects', blob.slice(0, 2), blob.slice(2));
  rmSync(file);
  await using lost = await commitTree(path, 'HEAD', { signal });
  const entries = await lost.tree.entries('', { signal });

  await assert.rejects(lost.tree.read(entries, { signal }), { code: 'GitFailed', message: /a\.yaml is missing$/ });
  writeFileSync(file, 'nonsense');
  assert.equal(await codeOf(lost.tree.read(entries, { signal })), 'GitFailed');
});

test('an abort ends the opening, and disposing ends the git that reads', async (t) => {
  const { path, commit } = await workingCopy(t);
  commit({ 'a.yaml': 'a' });

  await assert.rejects(commitTree(path, 'HEAD', { signal: AbortSignal.abort() }), { name: 'AbortError' });
  const opened = await commitTree(path, 'HEAD', { signal });
  await opened[Symbol.asyncDispose]();
  await assert.rejects(opened.tree.entries('', { signal }), /closed/);
  assert.deepEqual(readersOf(join(path, '.git')), []);
});

/** The git processes that have this folder open; none where there is no /proc. */
function readersOf(folder: string): readonly string[] {
  const ids = existsSync('/proc/self/environ') ? readdirSync('/proc').filter((name) => /^\d+$/.test(name)) : [];
  return ids.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, 'utf8').split('\0').includes(`GIT_DIR=${folder}`);
    } catch {
      return false;
    }
  });
}
