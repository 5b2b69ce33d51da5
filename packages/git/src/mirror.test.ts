import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { PlumbError, type SourceTree } from '@plumb/core';
import { startGitServer, type GitServer, type GitServerOptions } from '@plumb/test-support/git-server';
import { type GitCredentials } from './credentials.ts';
import { openMirror, type Mirror } from './mirror.ts';
import { parseGitUrl } from './url.ts';

const signal = new AbortController().signal;
const NEEDS_PROC = {
  skip: process.platform === 'linux' ? false : 'it looks at processes through /proc',
  timeout: 60_000,
};
const IDENTITY = ['-c', 'user.name=Alice', '-c', 'user.email=alice@example.com'];
const none: GitCredentials = { kind: 'none' };

interface Setup {
  readonly server: GitServer;
  readonly folder: string;
  /** Opens the mirror; the same folder again unless told otherwise. */
  open(options?: { credentials?: GitCredentials; maxPacks?: number; repository?: string }): Promise<Mirror>;
}

async function setUp(t: TestContext, options: GitServerOptions = {}): Promise<Setup> {
  const cleanup = new AsyncDisposableStack();
  t.after(() => cleanup.disposeAsync());
  const parent = await mkdtemp(join(tmpdir(), 'plumb-mirror-'));
  cleanup.defer(() => rm(parent, { recursive: true, force: true }));
  const server = cleanup.use(await startGitServer(options));
  await server.create('shop');
  const folder = join(parent, 'shop.git');
  return {
    server,
    folder,
    async open({ credentials = none, repository = 'shop', ...rest } = {}) {
      const url = parseGitUrl(server.url(repository));
      return cleanup.use(await openMirror({ url, folder, credentials: async () => credentials, signal, ...rest }));
    },
  };
}

async function fetchOne(mirror: Mirror, ref = 'main'): Promise<string> {
  return (await mirror.fetch([ref], { signal })).get(ref) ?? assert.fail(`${ref} was not fetched`);
}

/** Every file below a path with its text. */
async function texts(tree: SourceTree, path = ''): Promise<Record<string, string>> {
  const entries = await tree.entries(path, { signal });
  const bytes = await tree.read(entries, { signal });
  return Object.fromEntries(entries.map((entry, index) => [entry.path, Buffer.from(bytes[index] ?? []).toString()]));
}

function codeIs(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PlumbError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

/** The text of every file below a folder, for finding what must not be there. */
function allText(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n');
}

/** Turns one byte in the middle of each pack. */
async function damagePacks(folder: string): Promise<void> {
  const packs = join(folder, 'objects/pack');
  for (const file of readdirSync(packs).filter((name) => name.endsWith('.pack'))) {
    const path = join(packs, file);
    await chmod(path, 0o600);
    const bytes = readFileSync(path);
    for (let at = 12; at < bytes.length - 20; at += 7) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
  }
}

test('a branch is fetched and read without a checkout', async (t) => {
  const { server, open } = await setUp(t);
  const sha = await server.commit('shop', {
    'apps/shop/a.yaml': 'a: 1\n',
    'apps/other/b.yaml': 'b: 1\n',
    'README.md': 'x',
  });
  const mirror = await open();

  const refs = await mirror.lsRemote({ signal });
  const fetched = await mirror.fetch(['main', 'HEAD'], { signal });
  const tree = mirror.at(sha);

  assert.deepEqual(refs, { refs: new Map([['refs/heads/main', sha]]), head: 'refs/heads/main' });
  assert.deepEqual(
    fetched,
    new Map([
      ['main', sha],
      ['HEAD', sha],
    ]),
  );
  assert.deepEqual(await texts(tree, 'apps/shop'), { 'apps/shop/a.yaml': 'a: 1\n' });
  assert.equal(await tree.treeId('./apps/', { signal }), await server.git('shop', ['rev-parse', `${sha}:apps`]));
  assert.equal(await tree.treeId('', { signal }), await server.git('shop', ['rev-parse', `${sha}^{tree}`]));
  assert.equal(await tree.treeId('apps/gone', { signal }), undefined);
  assert.equal(await tree.treeId('README.md', { signal }), undefined);
  assert.deepEqual(await tree.find('apps', { signal }), { mode: 'folder' });
  assert.equal((await tree.find('README.md', { signal }))?.mode, 'file');
  assert.equal(await tree.find('apps/gone', { signal }), undefined);
  assert.deepEqual(await tree.entries('apps/gone', { signal }), []);
  await assert.rejects(tree.treeId('apps/../..', { signal }), codeIs('PathEscape'));
});

test('only the files that are read are brought at first, all in one fetch', async (t) => {
  const { server, folder, open } = await setUp(t);
  const files = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`apps/${index}/a.yaml`, `UNREAD-${index}`]),
  );
  const sha = await server.commit('shop', { ...files, 'wanted/a.yaml': 'a', 'wanted/b.yaml': 'b' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  const before = server.requests;

  const wanted = await texts(mirror.at(sha), 'wanted');
  const requests = server.requests - before;
  await mirror.prefetch(sha, ['apps', 'wanted/a.yaml', 'gone'], { signal });
  const afterPrefetch = server.requests;
  await texts(mirror.at(sha));

  assert.deepEqual(wanted, { 'wanted/a.yaml': 'a', 'wanted/b.yaml': 'b' });
  assert.ok(requests <= 2, `${requests} requests`);
  assert.equal(server.requests, afterPrefetch);
  assert.ok(readdirSync(join(folder, 'objects/pack')).length > 0);
});

test('a later commit brings its small files along', async (t) => {
  const { server, open } = await setUp(t);
  await server.commit('shop', { 'a.yaml': 'line\n'.repeat(500), 'b.yaml': 'b' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  // Not read before: the server may send the new file as a delta against one that is not here.
  const changed = `${'line\n'.repeat(500)}more\n`;
  await server.commit('shop', { 'a.yaml': changed });

  const sha = await fetchOne(mirror);
  const before = server.requests;
  const [entry] = await mirror.at(sha).entries('', { signal });
  const [bytes] = await mirror.at(sha).read(entry ? [entry] : [], { signal });

  assert.equal(Buffer.from(bytes ?? []).toString(), changed);
  assert.equal(server.requests, before);
});

test('a server that knows no partial clones is read all the same', async (t) => {
  const { server, open } = await setUp(t);
  await server.git('shop', ['config', 'uploadpack.allowFilter', 'false']);
  await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open();

  const sha = await fetchOne(mirror);

  assert.deepEqual(await texts(mirror.at(sha)), { 'a.yaml': 'a' });
});

test('a tag is followed to its commit, and a commit id is fetched once', async (t) => {
  const { server, open } = await setUp(t);
  const first = await server.commit('shop', { 'a.yaml': '1' });
  await server.git('shop', ['-c', 'user.name=a', '-c', 'user.email=a@b', 'tag', '-a', '-m', 'v1', 'v1', first]);
  const second = await server.commit('shop', { 'a.yaml': '2' });
  const mirror = await open();

  const fetched = await mirror.fetch(['refs/tags/v1', first, second], { signal });
  const before = server.requests;
  await mirror.fetch([first, second], { signal });

  assert.deepEqual([...fetched.values()], [first, first, second]);
  assert.equal((await mirror.lsRemote({ signal })).refs.get('refs/tags/v1'), first);
  assert.equal(server.requests, before + 2);
});

test('force pushes, deleted branches and a new default branch are followed', async (t) => {
  const { server, open } = await setUp(t);
  await server.commit('shop', { 'a.yaml': '1' });
  await server.commit('shop', { 'a.yaml': 'x' }, { branch: 'a' });
  const mirror = await open();
  await mirror.fetch(['main', 'a', 'HEAD'], { signal });

  const forced = await server.commit('shop', { 'a.yaml': '2' }, { orphan: true });
  await server.git('shop', ['update-ref', '-d', 'refs/heads/a']);
  const nested = await server.commit('shop', { 'a.yaml': '3' }, { branch: 'a/b' });
  await server.git('shop', ['symbolic-ref', 'HEAD', 'refs/heads/a/b']);
  const fetched = await mirror.fetch(['main', 'a/b', 'HEAD'], { signal });
  const { head } = await mirror.lsRemote({ signal });

  assert.deepEqual([...fetched.values()], [forced, nested, nested]);
  assert.equal(head, 'refs/heads/a/b');
  await assert.rejects(mirror.fetch(['a'], { signal }), (error) => {
    assert.ok(error instanceof PlumbError);
    assert.deepEqual([error.code, error.subject], ['RefMissing', 'refs/heads/a']);
    assert.equal(error.message, `${server.url('shop')} has no refs/heads/a`);
    return true;
  });
  assert.deepEqual(await texts(mirror.at(forced)), { 'a.yaml': '2' });
});

test('a ref that names no branch, tag or commit is told from one that is missing', async (t) => {
  const { server, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a.yaml': '1' });
  await server.git('shop', ['tag', 'tree', `${sha}^{tree}`]);
  const mirror = await open();
  const before = server.requests;

  await assert.rejects(mirror.fetch(['--upload-pack=touch x'], { signal }), codeIs('RefInvalid'));
  assert.equal(server.requests, before);
  await assert.rejects(mirror.fetch(['0'.repeat(39) + '1'], { signal }), codeIs('RefMissing'));
  await assert.rejects(mirror.fetch(['refs/tags/tree'], { signal }), codeIs('RefMissing'));
});

test('names with line ends, quotes and dashes, links, submodules and executables are read as they are', async (t) => {
  const { server, open } = await setUp(t);
  const module = '1234567890123456789012345678901234567890';
  const sha = await server.commit('shop', {
    'a\nb"c.yaml': 'newline',
    '-rf': 'dash',
    'über.yaml': 'umlaut',
    'dir.yaml/x': 'x',
    dir: 'file beside a folder',
    run: { mode: '100755', content: '#!' },
    link: { mode: '120000', content: '../../etc/passwd' },
    module: { mode: '160000', content: module },
  });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  const tree = mirror.at(sha);

  const entries = await tree.entries('', { signal });
  const bytes = await tree.read(
    entries.filter(({ mode }) => mode !== 'submodule'),
    { signal },
  );

  assert.deepEqual(
    entries.map(({ path, mode }) => `${mode} ${JSON.stringify(path)}`),
    [
      'file "-rf"',
      'file "a\\nb\\"c.yaml"',
      'file "dir"',
      'file "dir.yaml/x"',
      'symlink "link"',
      'submodule "module"',
      'file "run"',
      'file "über.yaml"',
    ],
  );
  assert.equal(Buffer.from(bytes[4] ?? []).toString(), '../../etc/passwd');
  await assert.rejects(tree.read(entries, { signal }), codeIs('SubmoduleDisabled'));
});

test('a file name that is not UTF-8 is refused with its folder, and hides nothing else', async (t) => {
  const { server, open } = await setUp(t);
  const blob = await server.git('shop', ['hash-object', '-w', '--stdin'], 'x');
  const entry = Buffer.concat([Buffer.from('100644 \xff.yaml\0', 'latin1'), Buffer.from(blob, 'hex')]);
  const bad = await server.git('shop', ['hash-object', '-w', '-t', 'tree', '--stdin'], entry);
  const root = await server.git('shop', ['mktree'], `040000 tree ${bad}\tbad\n100644 blob ${blob}\tgood.yaml\n`);
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  const sha = await server.git('shop', [...who, 'commit-tree', '-m', 'x', root]);
  await server.git('shop', ['update-ref', 'refs/heads/main', sha]);
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  const tree = mirror.at(sha);

  assert.equal(await tree.treeId('bad', { signal }), bad);
  await assert.rejects(tree.entries('', { signal }), (error) => {
    assert.ok(error instanceof PlumbError);
    assert.deepEqual([error.code, error.where?.file], ['Encoding', 'bad']);
    return true;
  });
});

test('a file that is too large is refused by name', async (t) => {
  const { server, open } = await setUp(t);
  const sha = await server.commit('shop', { 'big.yaml': Buffer.alloc(11 * 1024 * 1024), 'z.yaml': 'z' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });

  await assert.rejects(texts(mirror.at(sha)), codeIs('FileTooLarge'));
  const small = (await mirror.at(sha).entries('', { signal })).filter(({ path }) => path === 'z.yaml');
  assert.equal(Buffer.from((await mirror.at(sha).read(small, { signal }))[0] ?? []).toString(), 'z');
});

test('a commit tells who wrote it, when and why', async (t) => {
  const { server, open } = await setUp(t);
  const first = await server.commit('shop', { 'a.yaml': '1' });
  const author = { name: 'Zoë Müller', email: 'zoe@example.com' };
  const sha = await server.commit(
    'shop',
    { 'a.yaml': '2' },
    { author, time: 1_700_000_000, message: 'Change a\n\nWhy.\n' },
  );
  const mirror = await open();
  await mirror.fetch(['main'], { signal });

  const commit = await mirror.commit(sha, { signal });

  assert.deepEqual(commit, {
    sha,
    tree: await server.git('shop', ['rev-parse', `${sha}^{tree}`]),
    parents: [first],
    author: { ...author, time: 1_700_000_000_000 },
    committer: { ...author, time: 1_700_000_000_000 },
    subject: 'Change a',
    message: 'Change a\n\nWhy.\n',
  });
  assert.equal(await mirror.hasCommit(sha, { signal }), true);
  assert.equal(await mirror.hasCommit('0'.repeat(40), { signal }), false);
});

test('the commit that removed a folder is named, also across a merge', async (t) => {
  const { server, open } = await setUp(t);
  const base = await server.commit('shop', { 'deploy/a.yaml': '1', 'old/a.yaml': '1', 'x.yaml': '1' });
  const removed = await server.commit('shop', { 'deploy/a.yaml': null }, 'Remove deploy');
  await server.commit('shop', { 'x.yaml': '2' });
  await server.git('shop', ['update-ref', 'refs/heads/side', base]);
  const onSide = await server.commit('shop', { 'old/a.yaml': null }, { branch: 'side', message: 'Remove old' });
  const tree = await server.git(
    'shop',
    ['mktree'],
    `100644 blob ${await server.git('shop', ['rev-parse', 'main:x.yaml'])}\tx.yaml\n`,
  );
  const parents = ['-p', 'refs/heads/main', '-p', 'refs/heads/side'];
  const merge = await server.git('shop', [
    '-c',
    'user.name=a',
    '-c',
    'user.email=a@b',
    'commit-tree',
    '-m',
    'Merge',
    ...parents,
    tree,
  ]);
  await server.git('shop', ['update-ref', 'refs/heads/main', merge]);
  const mirror = await open();
  const sha = await fetchOne(mirror);

  assert.equal((await mirror.removedBy(sha, 'deploy', { signal }))?.sha, removed);
  assert.equal((await mirror.removedBy(sha, 'old', { signal }))?.sha, onSide);
  assert.equal(await mirror.removedBy(sha, 'x.yaml', { signal }), undefined);
  assert.equal(await mirror.removedBy(sha, 'never', { signal }), undefined);
});

test('the commit that wrote a line is found behind later ones that changed other lines or moved it', async (t) => {
  const { server, open } = await setUp(t);
  const file = 'deploy/values.yaml';
  const first = await server.commit('shop', { [file]: 'tag: 1\nreplicas: 1\n' });
  const wrote = await server.commit('shop', { [file]: 'tag: 2\nreplicas: 1\n' });
  const added = await server.commit('shop', { [file]: '# prod\ntag: 2\nreplicas: 1\nextra:\n  tag: 2\n  # prod\n' });
  await server.commit('shop', { 'other.yaml': 'x' });
  const twice = await server.commit('shop', { [file]: '# prod\ntag: 2\nreplicas: 1\nextra:\n  tag: 2\n# prod\n' });
  const mirror = await open();
  const sha = await fetchOne(mirror);
  const by = async (line: number, name = file): Promise<string | undefined> =>
    (await mirror.lineBy(sha, { file: name, line }, { signal }))?.sha;

  const after = (commit: string) => mirror.lineBy(sha, { file, line: 2 }, { after: commit, signal });

  assert.deepEqual([await by(2), await by(5), await by(6)], [wrote, added, twice]);
  assert.deepEqual([(await after(first))?.sha, await after(wrote)], [wrote, undefined]);
  assert.deepEqual([await by(99), await by(1, 'never.yaml'), await by(1, 'deploy')], [undefined, undefined, undefined]);
});

test('a line that came by a merge is the commit of the branch that wrote it', async (t) => {
  const { server, open } = await setUp(t);
  const start = await server.commit('shop', { 'a.yaml': 'tag: 1\n' });
  await server.git('shop', ['branch', 'side', start]);
  const wrote = await server.commit('shop', { 'a.yaml': 'tag: 2\n' }, { branch: 'side' });
  await server.commit('shop', { 'b.yaml': 'x' });
  const tree = await server.git('shop', ['merge-tree', '--write-tree', 'main', 'side']);
  const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b'];
  const parents = ['-p', 'main', '-p', 'side'];
  const merge = await server.git('shop', [...identity, 'commit-tree', ...parents, '-m', 'Merge', tree.trim()]);
  await server.git('shop', ['update-ref', 'refs/heads/main', merge.trim()]);
  const mirror = await open();

  const sha = await fetchOne(mirror);

  assert.equal((await mirror.lineBy(sha, { file: 'a.yaml', line: 1 }, { signal }))?.sha, wrote);
});

test('history that was seen stays, and little of what was before is brought', async (t) => {
  const { server, open } = await setUp(t);
  for (let index = 0; index < 30; index++) await server.commit('shop', { 'a.yaml': String(index) });
  const [oldest = ''] = (await server.git('shop', ['rev-list', '--reverse', 'main'])).split('\n');
  await server.commit('shop', { 'gone.yaml': 'x' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  const removed = await server.commit('shop', { 'gone.yaml': null });
  await mirror.fetch(['main'], { signal });
  for (let index = 0; index < 3; index++) {
    for (let commit = 0; commit < 10; commit++) await server.commit('shop', { 'a.yaml': `${index}-${commit}` });
    await mirror.fetch(['main'], { signal });
  }

  const sha = await fetchOne(mirror);

  assert.equal((await mirror.removedBy(sha, 'gone.yaml', { signal }))?.sha, removed);
  assert.equal(await mirror.hasCommit(oldest, { signal }), false);
});

test('what is followed no more is let go of, and what is followed stays', async (t) => {
  const { server, folder, open } = await setUp(t);
  const kept = await server.commit('shop', { 'a.yaml': '1' });
  const closed = await server.commit('shop', { 'a.yaml': '2' }, { branch: 'change' });
  await server.git('shop', ['update-ref', 'refs/pull/1/head', closed]);
  await server.git('shop', ['branch', '-D', 'change']);
  const mirror = await open({ maxPacks: 1 });
  await mirror.fetch(['main', 'refs/pull/1/head'], { signal });
  const refs = (): readonly string[] => readdirSync(join(folder, 'refs/plumb'));
  assert.equal(refs().length, 2);

  await mirror.keepOnly(['refs/heads/main', 'HEAD'], { signal });
  await mirror.keepOnly(['refs/heads/main', 'HEAD'], { signal });

  assert.equal(refs().length, 1);
  assert.equal(await mirror.hasCommit(kept, { signal }), true);
  assert.equal((await mirror.fetch(['refs/pull/1/head'], { signal })).get('refs/pull/1/head'), closed);
  assert.deepEqual(await texts(mirror.at(closed)), { 'a.yaml': '2' });
});

test('what a branch has changed since it began is told, however long ago that was', async (t) => {
  const { server, open } = await setUp(t);
  const begun = await server.commit('shop', { 'a.yaml': '1', 'b/old.yaml': 'x\n'.repeat(50) });
  await server.git('shop', ['branch', 'change', 'main']);
  for (let index = 0; index < 30; index++) await server.commit('shop', { 'base.yaml': String(index) });
  for (let index = 0; index < 30; index++) {
    await server.commit('shop', { 'ü.yaml': String(index) }, { branch: 'change' });
  }
  await server.commit('shop', { 'b/old.yaml': null, 'b/new.yaml': 'x\n'.repeat(50) }, { branch: 'change' });
  const mirror = await open();
  await mirror.fetch(['main', 'change'], { signal });

  const changed = await mirror.changedSince('main', 'change', { signal });

  assert.equal(changed?.since, begun);
  assert.deepEqual(changed.paths.toSorted(), ['b/new.yaml', 'b/old.yaml', 'ü.yaml']);
});

test('a branch that has nothing in common with another has changed nothing that can be told', async (t) => {
  const { server, open } = await setUp(t);
  await server.commit('shop', { 'a.yaml': '1' });
  const tree = (await server.git('shop', ['rev-parse', 'main^{tree}'])).trim();
  const alone = (await server.git('shop', [...IDENTITY, 'commit-tree', tree, '-m', 'Alone'])).trim();
  await server.git('shop', ['update-ref', 'refs/heads/alone', alone]);
  const mirror = await open();
  await mirror.fetch(['main', 'alone'], { signal });

  assert.equal(await mirror.changedSince('main', 'alone', { signal }), undefined);
});

test('HTTPS with a password and an own authority leaves no trace of the password', async (t) => {
  const { server, folder, open } = await setUp(t, { user: 'reader', password: 'CANARY-1', tls: true });
  await server.commit('shop', { 'a.yaml': 'a' });
  const caPem = server.caPem ?? assert.fail();
  const right: GitCredentials = { kind: 'basic', username: 'reader', password: 'CANARY-1', caPem };
  const encoded = Buffer.from('reader:CANARY-1').toString('base64');

  const mirror = await open({ credentials: right });
  const sha = await fetchOne(mirror);

  assert.deepEqual(await texts(mirror.at(sha)), { 'a.yaml': 'a' });
  assert.ok(!allText(folder).includes('CANARY-1') && !allText(folder).includes(encoded));
});

test('a wrong password, a missing one and an unknown authority are told apart', async (t) => {
  const { server, open } = await setUp(t, { user: 'reader', password: 'right', tls: true });
  const other = await startGitServer({ tls: true });
  t.after(() => other[Symbol.asyncDispose]());
  const caPem = server.caPem ?? assert.fail();
  const cases: readonly (readonly [GitCredentials, string])[] = [
    [{ kind: 'basic', username: 'reader', password: 'CANARY-2', caPem }, 'RepositoryUnauthorized'],
    [{ kind: 'none', caPem }, 'RepositoryUnauthorized'],
    [{ kind: 'basic', username: 'reader', password: 'CANARY-2' }, 'TlsUntrusted'],
    [{ kind: 'basic', username: 'reader', password: 'CANARY-2', caPem: other.caPem ?? '' }, 'TlsUntrusted'],
  ];

  for (const [credentials, code] of cases) {
    await using mirror = await open({ credentials });
    for (const attempt of [() => mirror.lsRemote({ signal }), () => mirror.fetch(['main'], { signal })]) {
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof PlumbError);
        assert.equal(error.code, code, error.message);
        assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /CANARY/);
        return true;
      });
    }
  }
});

test('the password is in no argument list', NEEDS_PROC, async (t) => {
  const { server, folder, open } = await setUp(t, { user: 'reader', password: 'CANARY-3' });
  await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open({ credentials: { kind: 'basic', username: 'reader', password: 'CANARY-3' } });
  server.fault = 'hang';
  const stop = new AbortController();
  const hanging = mirror.lsRemote({ signal: stop.signal });
  while (!processesOf(folder).some(({ args }) => args.includes('remote-http'))) await turn();

  const args = processesOf(folder).map((running) => running.args);
  stop.abort();

  await assert.rejects(hanging, { name: 'AbortError' });
  assert.ok(args.length >= 2);
  assert.doesNotMatch(args.join(), /CANARY-3/);
  assert.ok(!args.join().includes(Buffer.from('reader:CANARY-3').toString('base64')));
  assert.deepEqual(processesOf(folder), []);
});

test('what goes wrong at the server has a code, and nothing is taken for empty', async (t) => {
  const { server, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  const expected = {
    unauthorized: /^RepositoryUnauthorized$/,
    'not-found': /^RepositoryNotFound$/,
    'error-500': /^RepositoryUnreachable$/,
    empty: /^(?:RefMissing|GitFailed|RepositoryUnreachable)$/,
  } as const;

  for (const fault of ['unauthorized', 'not-found', 'error-500', 'empty'] as const) {
    server.fault = fault;
    for (const attempt of [() => mirror.lsRemote({ signal }), () => mirror.fetch(['main'], { signal })]) {
      await assert.rejects(attempt, (error) => {
        assert.ok(error instanceof PlumbError);
        assert.match(error.code, expected[fault], `${fault}: ${error.message}`);
        return true;
      });
    }
  }
  server.fault = undefined;
  assert.equal(await fetchOne(mirror), sha);
});

test('a repository without a commit is RefMissing, and one that is not there RepositoryNotFound', async (t) => {
  const { open } = await setUp(t);
  const empty = await open();

  await assert.rejects(empty.lsRemote({ signal }), codeIs('RefMissing'));
  await assert.rejects(empty.fetch(['HEAD'], { signal }), codeIs('RefMissing'));
  await empty[Symbol.asyncDispose]();
  const absent = await open({ repository: 'absent' });
  await assert.rejects(absent.fetch(['main'], { signal }), codeIs('RepositoryNotFound'));
});

test('a host that does not answer is RepositoryUnreachable', async (t) => {
  const { server, open } = await setUp(t);
  const mirror = await open();
  await server[Symbol.asyncDispose]();

  await assert.rejects(mirror.fetch(['main'], { signal }), codeIs('RepositoryUnreachable'));
});

test('an abort ends the whole run, and the next one goes through', async (t) => {
  const { server, folder, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open();
  server.fault = 'hang';
  const stop = new AbortController();
  const before = server.requests;
  const hanging = mirror.fetch(['main'], { signal: stop.signal });
  while (server.requests === before) await turn();

  stop.abort();
  await assert.rejects(hanging, { name: 'AbortError' });
  server.fault = undefined;
  writeFileSync(join(folder, 'shallow.lock'), '');

  assert.equal(await fetchOne(mirror), sha);
});

test('a stale lock and a half-written pack are removed when the mirror is opened', async (t) => {
  const { server, folder, open } = await setUp(t);
  await server.commit('shop', { 'a.yaml': '1' });
  await using first = await open();
  await first.fetch(['main'], { signal });
  await first[Symbol.asyncDispose]();
  const refs = readdirSync(join(folder, 'refs/plumb'));
  for (const lock of ['shallow.lock', 'HEAD.lock', `refs/plumb/${refs[0]}.lock`]) writeFileSync(join(folder, lock), '');
  writeFileSync(join(folder, 'objects/pack/tmp_pack_abc'), 'PACK');
  const sha = await server.commit('shop', { 'a.yaml': '2' });

  const again = await open();

  assert.equal(await fetchOne(again), sha);
  assert.deepEqual(
    readdirSync(folder, { recursive: true }).filter((file) => /lock$|tmp_/.test(String(file))),
    [],
  );
});

test('a mirror with damaged packs is made anew by itself', async (t) => {
  const { server, folder, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a/a.yaml': 'text\n'.repeat(100), 'b/b.yaml': 'b' });
  const first = await open();
  await first.fetch(['main'], { signal });
  await texts(first.at(sha));
  await first[Symbol.asyncDispose]();
  await damagePacks(folder);

  const reading = await open();
  const read = await Promise.all([
    texts(reading.at(sha)),
    texts(reading.at(sha), 'b'),
    reading.commit(sha, { signal }),
  ]);
  await reading[Symbol.asyncDispose]();
  await damagePacks(folder);
  const next = await server.commit('shop', { 'b/b.yaml': 'c' });
  const fetching = await open();

  assert.deepEqual(Object.keys(read[0]), ['a/a.yaml', 'b/b.yaml']);
  assert.equal(await fetchOne(fetching), next);
  assert.deepEqual(await texts(fetching.at(next), 'b'), { 'b/b.yaml': 'c' });
});

test('a half-made mirror, another repository in the folder, and a lost pack are mended', async (t) => {
  const { server, folder, open } = await setUp(t);
  await server.create('other');
  await server.commit('other', { 'o.yaml': 'o' });
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const shop = await open();
  await shop.fetch(['main'], { signal });
  await shop[Symbol.asyncDispose]();

  const other = await open({ repository: 'other' });
  assert.deepEqual(await texts(other.at(await fetchOne(other))), { 'o.yaml': 'o' });
  await other[Symbol.asyncDispose]();
  await rm(join(folder, 'HEAD'));
  const whole = await open();
  assert.equal(await fetchOne(whole), sha);
  for (const file of readdirSync(join(folder, 'objects/pack'))) await rm(join(folder, 'objects/pack', file));
  await whole[Symbol.asyncDispose]();
  const lost = await open();
  assert.deepEqual(await texts(lost.at(sha)), { 'a.yaml': 'a' });
});

test('a mirror that was closed while it was read says so and starts nothing', NEEDS_PROC, async (t) => {
  const { server, folder, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });

  const reading = assert.rejects(texts(mirror.at(sha)), /the mirror is closed/);
  await mirror[Symbol.asyncDispose]();
  await reading;

  assert.deepEqual(processesOf(folder), []);
});

test('fetches of one mirror wait for each other', async (t) => {
  const { server, open } = await setUp(t);
  const shas = new Map<string, string>();
  for (const branch of ['a', 'b', 'c', 'd']) {
    shas.set(branch, await server.commit('shop', { [`${branch}.yaml`]: branch }, { branch }));
  }
  const mirror = await open();

  const listed = Promise.all(Array.from({ length: 4 }, () => mirror.lsRemote({ signal })));
  const fetched = await Promise.all([...shas.keys()].map((branch) => fetchOne(mirror, branch)));
  await listed;
  const read = await Promise.all(fetched.map((sha) => texts(mirror.at(sha))));

  assert.deepEqual(fetched, [...shas.values()]);
  assert.deepEqual(
    read.map((files) => Object.values(files)),
    [['a'], ['b'], ['c'], ['d']],
  );
});

test('packs are joined now and then while the mirror is read', async (t) => {
  const { server, folder, open } = await setUp(t);
  const first = await server.commit('shop', { 'a.yaml': '0', 'unread.yaml': 'x' });
  const mirror = await open({ maxPacks: 3 });
  await mirror.fetch(['main'], { signal });
  for (let index = 1; index < 8; index++) {
    await server.commit('shop', { 'a.yaml': String(index) });
    await mirror.fetch(['main'], { signal });
  }
  const sha = await fetchOne(mirror);

  assert.deepEqual(await texts(mirror.at(sha)), { 'a.yaml': '7', 'unread.yaml': 'x' });
  assert.deepEqual(await texts(mirror.at(first)), { 'a.yaml': '0', 'unread.yaml': 'x' });
  await mirror[Symbol.asyncDispose]();
  const packs = readdirSync(join(folder, 'objects/pack')).filter((file) => file.endsWith('.pack'));
  assert.ok(packs.length <= 5, `${packs.length} packs`);
});

test('reading goes on after the reader was killed', NEEDS_PROC, async (t) => {
  const { server, folder, open } = await setUp(t);
  const sha = await server.commit('shop', { 'a.yaml': 'a' });
  const mirror = await open();
  await mirror.fetch(['main'], { signal });
  writeFileSync(join(folder, 'same'), '');
  const readers = processesOf(folder);

  for (const { pid } of readers) process.kill(pid, 'SIGKILL');

  assert.equal(readers.length, 1);
  assert.deepEqual(await texts(mirror.at(sha)), { 'a.yaml': 'a' });
  assert.ok(readdirSync(folder).includes('same'), 'the mirror was made anew');
});

test('a SHA-256 repository is read like any other', async (t) => {
  const { server, folder, open } = await setUp(t);
  await server.create('new', { objectFormat: 'sha256' });
  const sha = await server.commit('new', { 'a.yaml': 'a' });
  const mirror = await open({ repository: 'new' });

  const fetched = await fetchOne(mirror);
  const files = await texts(mirror.at(sha));
  await mirror[Symbol.asyncDispose]();
  const again = await open({ repository: 'new' });

  assert.deepEqual([fetched, fetched.length, files], [sha, 64, { 'a.yaml': 'a' }]);
  assert.equal(await again.hasCommit(sha, { signal }), true);
  assert.ok(readdirSync(folder).length > 0);
});

test('a repository of 100,000 files is read without bringing or listing what is not asked for', async (t) => {
  const { server, folder, open } = await setUp(t);
  const files: Record<string, string> = {};
  for (let app = 0; app < 1000; app++) {
    for (let file = 0; file < 100; file++) files[`apps/app-${app}/${file}.yaml`] = `${app}-${file}`;
  }
  await server.commit('shop', files);
  const mirror = await open();

  const sha = await fetchOne(mirror);
  const ids = await Promise.all(
    Array.from({ length: 1000 }, (_, app) => mirror.at(sha).treeId(`apps/app-${app}`, { signal })),
  );
  const one = await texts(mirror.at(sha), 'apps/app-500');
  const next = await server.commit('shop', { 'apps/app-7/7.yaml': 'changed' });
  await mirror.fetch(['main'], { signal });
  const changed = await Promise.all(
    Array.from({ length: 1000 }, (_, app) => mirror.at(next).treeId(`apps/app-${app}`, { signal })),
  );

  assert.equal(new Set(ids).size, 1000);
  assert.equal(Object.keys(one).length, 100);
  assert.deepEqual(
    changed.flatMap((id, app) => (id === ids[app] ? [] : [app])),
    [7],
  );
  assert.equal((await mirror.at(next).entries('', { signal })).length, 100_000);
  assert.ok(!readdirSync(folder).includes('index'));
});

/** Lets the event loop turn, for waiting on another process. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The processes that run on this mirror. */
function processesOf(folder: string): readonly { pid: number; args: string }[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`GIT_DIR=${folder}`)) return [];
      return [{ pid: Number(pid), args: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
    } catch {
      return [];
    }
  });
}
