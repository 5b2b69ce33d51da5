import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeApplication } from '@plumb/api';
import { objectKey, PlumbError, type Json } from '@plumb/core';
import { targetsOf } from '@plumb/engine';
import { openMirror, parseGitUrl } from '@plumb/git';
import { createRenderer } from '@plumb/render';
import { ManualClock } from '@plumb/test-support';
import { startGitServer, type GitServer } from '@plumb/test-support/git-server';
import { keepBranchName, keepLive, type KeepLiveRequest } from './keep-live.ts';

const { signal } = new AbortController();
const file = (replicas: number, level = 'info') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  REPLICAS: "${replicas}"\n  LEVEL: ${level}\n`;
const key = objectKey({ group: '', kind: 'ConfigMap', namespace: 'default', name: 'a' });

interface Setup {
  readonly server: GitServer;
  /** Keeps the live value; `between` runs before each push. */
  keep(
    value: Json,
    between?: () => Promise<unknown>,
    more?: Pick<KeepLiveRequest, 'branch' | 'isNamedAfterChange'>,
  ): ReturnType<typeof keepLive>;
}

async function setUp(t: TestContext): Promise<Setup> {
  const cleanup = new AsyncDisposableStack();
  t.after(() => cleanup.disposeAsync());
  const folder = cleanup.adopt(await mkdtemp(join(tmpdir(), 'plumb-keep-')), (path) => rm(path, { recursive: true }));
  const server = cleanup.use(await startGitServer());
  await server.create('shop');
  await server.commit('shop', { 'deploy/a.yaml': file(3) });
  const url = parseGitUrl(server.url('shop'));
  const credentials = async () => ({ kind: 'none' }) as const;
  const mirror = cleanup.use(await openMirror({ url, folder: join(folder, 'shop.git'), credentials, signal }));
  const renderer = cleanup.use(createRenderer({ clock: new ManualClock() }));
  const application = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { source: { repository: 'shop', path: 'deploy' } },
  });
  const [spec] = application.ok ? targetsOf(application.value) : [];
  assert.ok(spec !== undefined);
  const targets: KeepLiveRequest['renderer'] = {
    externalsOf: async () => undefined,
    secretsOf: async () => [],
    render: async (of, { tree }) => renderer.render({ ...of.render, tree, path: of.path, signal }),
  };
  return {
    server,
    keep: (value, between = async () => {}, more = { branch: undefined }) =>
      keepLive({
        ...{ spec, key, renderer: targets, others: [], allowsOthers: false, signal },
        changes: [{ path: 'data.REPLICAS', before: '3', after: value }],
        changedBy: ['kubectl-edit'],
        reason: 'because',
        followed: 'refs/heads/main',
        ...more,
        author: { name: 'Ada', email: 'ada@example.com' },
        timeMs: 1_700_000_000_000,
        remote: {
          at: async (ref = 'main', call) => {
            const commit = (await mirror.fetch([ref], call)).get(ref);
            assert.ok(commit !== undefined);
            return { tree: mirror.at(commit), commit, label: '', committedMs: 0 };
          },
          store: (commit, call) => mirror.store(commit, call),
          push: async (commit, branch, call) => {
            await between();
            await mirror.push(commit, branch, call);
          },
        },
      }),
  };
}

test('who pushes at the same time loses nothing: it is kept on top of that', async (t) => {
  const { server, keep } = await setUp(t);
  let pushes = 0;

  const kept = await keep('5', async () => {
    if (pushes++ === 0) await server.commit('shop', { 'deploy/a.yaml': file(3, 'debug') });
  });

  assert.equal(pushes, 2);
  assert.equal(await server.git('shop', ['cat-file', 'blob', 'main:deploy/a.yaml']), file(5, 'debug').trimEnd());
  assert.equal(kept.commit, await server.git('shop', ['rev-parse', 'main']));
  assert.deepEqual(kept.files, [
    {
      file: 'deploy/a.yaml',
      hunks: [{ before: 5, after: 5, removed: ['  REPLICAS: "3"'], added: ['  REPLICAS: "5"'] }],
    },
  ]);
});

test('a branch of the name of the change is found again, and the followed one is never taken for it', async (t) => {
  const { server, keep } = await setUp(t);
  const named = { branch: 'plumb/keep-1', isNamedAfterChange: true };
  const first = await keep('5', undefined, named);
  await server.commit('shop', { 'README.md': 'moved on\n' });
  const again = await keep('5', undefined, named);
  let pushes = 0;

  const followed = await keep(
    '5',
    async () => {
      if (pushes++ === 0) await server.commit('shop', { 'deploy/a.yaml': file(3, 'debug') });
    },
    { branch: undefined, isNamedAfterChange: true },
  );

  assert.equal(again.commit, first.commit);
  assert.deepEqual([pushes, followed.commit], [2, await server.git('shop', ['rev-parse', 'main'])]);
  assert.equal(await server.git('shop', ['cat-file', 'blob', 'main:deploy/a.yaml']), file(5, 'debug').trimEnd());
});

test('a branch that keeps moving is given up with a code, and nothing is lost of it', async (t) => {
  const { server, keep } = await setUp(t);
  let pushes = 0;

  await assert.rejects(
    keep('5', () => server.commit('shop', { 'deploy/a.yaml': file(3, `level-${++pushes}`) })),
    (thrown) => thrown instanceof PlumbError && thrown.code === 'BranchMoved',
  );

  assert.equal(pushes, 2);
  assert.match(await server.git('shop', ['cat-file', 'blob', 'main:deploy/a.yaml']), /"3"\n {2}LEVEL: level-2$/);
});

test('what somebody else has pushed already needs no commit', async (t) => {
  const { server, keep } = await setUp(t);
  const theirs = await server.commit('shop', { 'deploy/a.yaml': file(5) });

  const kept = await keep('5');

  assert.deepEqual([kept.commit, kept.files], [undefined, []]);
  assert.equal(await server.git('shop', ['rev-parse', 'main']), theirs);
});

test('a branch is named after the change: the same change, the same name', () => {
  const changes = [{ path: 'spec.replicas', before: 3 }];
  const kept = { target: 'default/shop/prod' as KeepLiveRequest['spec']['target'], key, changes };

  assert.match(keepBranchName(kept), /^plumb\/keep-shop-prod-a-[0-9a-f]{8}$/);
  assert.equal(keepBranchName(kept), keepBranchName({ ...kept }));
});
