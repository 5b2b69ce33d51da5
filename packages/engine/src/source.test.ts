import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeApplication, decodeRepository, type Repository } from '@plumb/api';
import { PlumbError, type SourceFact, type TargetKey } from '@plumb/core';
import { followPath, Trace, type ReadSet } from '@plumb/render';
import { ManualClock, memoryTree, type MemoryFiles } from '@plumb/test-support';
import { startGitServer } from '@plumb/test-support/git-server';
import { FakeGitHost } from '../test/fake-git-host.ts';
import type { Externals } from './externals.ts';
import type { Elsewhere } from './source-look.ts';
import { Sources, type RepositoryState, type SourcesOptions } from './source.ts';
import { targetsOf, type NamespacedName, type TargetSpec } from './targets.ts';

const SHOP: NamespacedName = 'default/shop';
const DOWN = new PlumbError('RepositoryUnreachable', 'the host does not answer');
const POLL_MS = 15_000;

interface RepositoryChange {
  readonly uid?: string;
  readonly generation?: number;
  readonly spec?: object;
  readonly status?: object;
}

function repository({ uid = 'u1', generation = 1, spec, status }: RepositoryChange = {}): Repository {
  const decoded = decodeRepository({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Repository',
    metadata: { namespace: 'default', name: 'shop', uid, generation },
    spec: { url: 'https://git.example/shop', ref: 'main', interval: '15s', ...spec },
    ...(status === undefined ? {} : { status }),
  });
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.error.message);
  return decoded.value;
}

function target(path: string, more: { readonly name?: string; readonly revision?: string } = {}): TargetSpec {
  const { revision } = more;
  const name = more.name ?? path.replaceAll(/[^a-z0-9]/g, '');
  const environment = { name: 'only', ...(revision === undefined ? {} : { revision }) };
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { namespace: 'default', name },
    spec: { source: { repository: 'shop', path }, environments: [environment] },
  });
  assert.ok(decoded.ok, decoded.ok ? '' : decoded.error.message);
  return targetsOf(decoded.value)[0] ?? assert.fail();
}

/** Sources over a host in memory, on a clock that stands still. */
function setUp(t: TestContext, targets: readonly TargetSpec[], options: Partial<SourcesOptions> = {}) {
  const clock = new ManualClock();
  const host = new FakeGitHost();
  const world = {
    targets: new Map(targets.map((spec) => [spec.target, spec])),
    changed: [] as TargetKey[],
    reports: [] as RepositoryState[],
  };
  const sources = new Sources({
    cacheFolder: '/nowhere',
    clock,
    random: { next: () => 0.5 },
    readSecret: async () => undefined,
    targetsOf: () => world.targets,
    changed: (keys) => world.changed.push(...keys),
    reported: (_name, state) => world.reports.push(state),
    openMirror: host.openMirror,
    ...options,
  });
  t.after(() => sources[Symbol.asyncDispose]());
  const poll = async (): Promise<void> => {
    clock.advance(POLL_MS);
    await settled();
  };
  return { clock, host, world, sources, poll };
}

const NOTHING_ELSEWHERE: Elsewhere = {
  externalsOf: async () => undefined,
  recall: async () => undefined,
  capabilitiesOf: async () => ({ kubeVersion: 'v1.37.0', apiVersions: [] }),
  unreadable: () => undefined,
};

/** Nothing here waits for anything but promises: when a turn of the loop is over, all of them have gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function commitOf(fact: SourceFact): string {
  assert.equal(fact.state, 'ready', fact.state === 'failed' ? fact.error.message : fact.state);
  return fact.state === 'ready' ? fact.commit : '';
}

function errorOf(fact: SourceFact): string {
  return fact.state === 'failed' ? fact.error.code : fact.state;
}

test('the mirror keeps what is followed, and what others name, and lets go of the rest', async (t) => {
  const { host, sources } = setUp(t, [target('a'), target('b', { revision: 'v1' })]);
  host.commit({ 'a/x.yaml': '1', 'b/x.yaml': '1' });
  host.commit({ 'b/x.yaml': '1' }, 'v1');
  await sources.follow(repository());
  await settled();

  await sources.keepRefs(SHOP, ['refs/pull/7/head'], { signal: new AbortController().signal });

  assert.equal(host.asked.at(-1), 'keepOnly main,refs/pull/7/head,v1');
});

test('a new commit is not lost when the fetch after the listing fails once', async (t) => {
  const app = target('a');
  const { clock, host, sources, poll } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  const newer = host.commit({ 'a/x.yaml': '2' });

  // The listing comes through, the fetch does not.
  const fetching = Promise.withResolvers<void>();
  clock.advance(POLL_MS);
  host.hanging = fetching.promise;
  await settled();
  fetching.reject(DOWN);
  host.hanging = undefined;
  await settled();
  await poll();

  assert.equal(commitOf(sources.sourceOf(app)), newer);
});

test('a branch that is deleted and restored at the same commit is found again', async (t) => {
  const app = target('a');
  const { host, sources, poll } = setUp(t, [app]);
  const sha = host.commit({ 'a/x.yaml': '1' });
  await sources.follow(repository());
  await settled();

  host.branches.delete('main');
  await poll();
  assert.equal(errorOf(sources.sourceOf(app)), 'RefMissing');
  host.branches.set('main', sha);
  await poll();

  assert.equal(commitOf(sources.sourceOf(app)), sha);
});

test('a repository that is deleted and created anew is followed, after the folder of its mirror is free', async (t) => {
  const app = target('a');
  const { host, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  await sources.follow(repository({ uid: 'u1' }));
  await settled();
  const closing = Promise.withResolvers<void>();
  host.closing = closing.promise;

  const letGo = sources.unfollow(SHOP);
  const followed = sources.follow(repository({ uid: 'u2' }));
  const newer = host.commit({ 'a/x.yaml': '2' });
  await settled();
  assert.equal(host.count('open'), 1);
  closing.resolve();
  await Promise.all([letGo, followed]);
  await settled();

  assert.equal(commitOf(sources.sourceOf(app)), newer);
  assert.deepEqual(
    host.asked.filter((asked) => asked === 'open' || asked === 'close'),
    ['open', 'close', 'open'],
  );
});

test('a repository that was replaced without its deletion being seen is followed anew', async (t) => {
  const app = target('a');
  const { host, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  const release = host.commit({ 'a/x.yaml': 'release' }, 'release');
  await sources.follow(repository({ uid: 'u1' }));

  await sources.follow(repository({ uid: 'u2', spec: { ref: 'release' } }));
  await settled();

  assert.equal(commitOf(sources.sourceOf(app)), release);
});

test('of two quick edits the newer one stays', async (t) => {
  const app = target('a');
  const { host, sources } = setUp(t, [app]);
  for (const branch of ['main', 'one', 'two']) host.commit({ 'a/x.yaml': branch }, branch);
  await sources.follow(repository());
  await settled();

  const edits = [
    sources.follow(repository({ generation: 2, spec: { ref: 'one' } })),
    sources.follow(repository({ generation: 3, spec: { ref: 'two' } })),
  ];
  assert.equal(sources.repository(SHOP)?.spec.ref, 'two');
  await Promise.all(edits);
  await settled();

  assert.equal(commitOf(sources.sourceOf(app)), host.branches.get('two'));
  assert.equal(host.count('open') - host.count('close'), 1);
});

test('a look at what was followed before touches nothing of what is followed now', async (t) => {
  const app = target('a');
  const { host, world, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  host.hanging = new Promise(() => undefined);
  await sources.follow(repository());
  const asked = sources.refresh(SHOP);
  await settled();

  host.hanging = undefined;
  await sources.follow(repository({ generation: 2 }));
  await asked;

  assert.deepEqual(
    world.reports.map(({ error }) => error?.code),
    [undefined],
  );
  assert.equal(commitOf(sources.sourceOf(app)), host.branches.get('main'));
});

test('who waits for a look at a repository is let go when it is removed', async (t) => {
  const { host, sources } = setUp(t, [target('a')]);
  host.hanging = new Promise(() => undefined);
  await sources.follow(repository());
  const first = sources.refresh(SHOP);
  await settled();
  const second = sources.refresh(SHOP);

  await sources.unfollow(SHOP);

  await Promise.all([first, second]);
});

test('a look for new targets alone says nothing about a host that it did not ask', async (t) => {
  const { clock, host, world, sources, poll } = setUp(t, [target('a')]);
  host.commit({ 'a/x.yaml': '1', 'b/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  const seenAt = world.reports.at(-1)?.seenAt;
  host.failing = DOWN;
  await poll();
  const contacts = host.count('list') + host.count('fetch');

  const added = target('b');
  world.targets.set(added.target, added);
  clock.advance(1_000);
  await sources.targetsChanged(SHOP);

  assert.equal(sources.sourceOf(added).state, 'ready');
  assert.equal(host.count('list') + host.count('fetch'), contacts);
  assert.equal(world.reports.at(-1)?.error?.code, 'RepositoryUnreachable');
  assert.equal(world.reports.at(-1)?.seenAt, seenAt);
});

test('looks for new targets do not make a failing host be asked more often', async (t) => {
  const { clock, host, world, sources } = setUp(t, [target('a')]);
  host.commit({ 'a/x.yaml': '1', 'b/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  host.failing = DOWN;
  // 15 s, then 2 s, 4 s, 8 s, …
  for (const ms of [POLL_MS, 2_000, 4_000]) {
    clock.advance(ms);
    await settled();
  }
  const contacts = host.count('list');

  const added = target('b');
  world.targets.set(added.target, added);
  await sources.targetsChanged(SHOP);
  clock.advance(7_999);
  await settled();
  assert.equal(host.count('list'), contacts);
  clock.advance(1);
  await settled();

  assert.equal(host.count('list'), contacts + 1);
  clock.advance(15_999);
  await settled();
  assert.equal(host.count('list'), contacts + 1);
});

test('a poll that falls due while new targets wait for their look is not skipped', async (t) => {
  const app = target('a');
  const { clock, host, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  const fetching = Promise.withResolvers<void>();
  host.hanging = fetching.promise;
  sources.trigger(SHOP);
  await settled();

  const looked = sources.targetsChanged(SHOP);
  clock.advance(POLL_MS);
  host.hanging = undefined;
  fetching.resolve();
  await looked;

  assert.equal(host.count('list'), 1);
});

test('a poll without news reads nothing, for a thousand targets and for missing folders too', async (t) => {
  const targets = Array.from({ length: 1_000 }, (_, index) => target(`a/${index}`, { name: `app-${index}` }));
  const { host, world, sources, poll } = setUp(t, targets);
  host.commit(Object.fromEntries(targets.slice(0, 990).map(({ path }) => [`${path}/x.yaml`, path])));
  await sources.follow(repository());
  await settled();
  assert.equal(world.changed.length, 1_000);
  assert.equal(host.count('removedBy'), 10);
  const before = host.asked.length;

  await poll();
  await poll();

  assert.deepEqual(host.asked.slice(before), ['list', 'list']);
  assert.equal(world.changed.length, 1_000);
});

/** What a render of a folder reads that follows these paths. */
async function readsOf(files: MemoryFiles, folder: string, paths: readonly string[]): Promise<ReadSet> {
  const { signal } = new AbortController();
  const trace = new Trace(memoryTree(files));
  await trace.tree.entries(folder, { signal });
  for (const path of paths) await followPath(trace.tree, path, { signal });
  return trace.reads({ signal });
}

function learn(sources: Sources, spec: TargetSpec, reads: ReadSet): string {
  const fact = sources.sourceOf(spec);
  return fact.state === 'ready' ? sources.learned(spec, fact, reads) : assert.fail(fact.state);
}

test('a commit is news to a target only where it changes what its last render read', async (t) => {
  const [linked, plain] = [target('a'), target('b')];
  const { host, world, sources, poll } = setUp(t, [linked, plain]);
  const files = { 'a/x.yaml': { link: '../base/x.yaml' }, 'b/x.yaml': 'x', 'base/x.yaml': '1', 'base/y.yaml': '1' };
  host.commit(files);
  await sources.follow(repository());
  await settled();
  learn(sources, linked, await readsOf(files, 'a', ['a/x.yaml', 'base/z.yaml']));
  learn(sources, plain, await readsOf(files, 'b', []));
  world.changed.length = 0;

  host.commit({ ...files, 'base/y.yaml': '2' });
  await poll();
  assert.deepEqual(world.changed, []);

  const newer = host.commit({ ...files, 'base/x.yaml': '2' });
  await poll();
  assert.deepEqual(world.changed, [linked.target]);
  assert.equal(commitOf(sources.sourceOf(linked)), newer);

  learn(sources, linked, await readsOf({ ...files, 'base/x.yaml': '2' }, 'a', ['a/x.yaml', 'base/z.yaml']));
  world.changed.length = 0;
  host.commit({ ...files, 'base/x.yaml': '2', 'base/z.yaml': 'what was looked for and not there' });
  await poll();
  assert.deepEqual(world.changed, [linked.target]);
});

test('a commit that comes while a target is rendered is held against what that render read', async (t) => {
  const app = target('a');
  const { host, world, sources, poll } = setUp(t, [app]);
  const files = { 'a/x.yaml': { link: '../base/x.yaml' }, 'base/x.yaml': '1' };
  const first = host.commit(files);
  await sources.follow(repository());
  await settled();
  const rendered = sources.sourceOf(app);
  const newer = host.commit({ ...files, 'base/x.yaml': '2' });
  await poll();
  assert.equal(commitOf(sources.sourceOf(app)), first);
  world.changed.length = 0;

  assert.ok(rendered.state === 'ready');
  sources.learned(app, rendered, await readsOf(files, 'a', ['a/x.yaml']));
  await settled();

  assert.deepEqual(world.changed, [app.target]);
  assert.equal(commitOf(sources.sourceOf(app)), newer);
});

test('the same content has the same name at every commit, and after a restart', async (t) => {
  const app = target('a');
  const files = { 'a/x.yaml': '1' };
  const names: string[] = [];
  for (const other of ['1', '2']) {
    const { host, sources } = setUp(t, [app]);
    host.commit({ ...files, 'b/x.yaml': other });
    await sources.follow(repository());
    await settled();
    names.push(learn(sources, app, await readsOf(files, 'a', [])));
  }

  assert.equal(names[0], names[1]);
});

test('what an earlier render read is recalled, so that a restart finds nothing to render', async (t) => {
  const app = target('a');
  const files = { 'a/x.yaml': { link: '../base/x.yaml' }, 'base/x.yaml': '1' };
  const reads = await readsOf(files, 'a', ['a/x.yaml']);
  const first = setUp(t, [app]);
  first.host.commit(files);
  await first.sources.follow(repository());
  await settled();
  const before = learn(first.sources, app, reads);

  const again = setUp(t, [app], { elsewhere: { ...NOTHING_ELSEWHERE, recall: async () => reads } });
  again.host.commit({ ...files, 'c/other.yaml': 'x' });
  await again.sources.follow(repository());
  await settled();

  const fact = again.sources.sourceOf(app);
  assert.equal(fact.state === 'ready' ? fact.inputs : fact.state, before);
});

test('a chart host that fails stops its own target alone, and what was resolved before stays in force', async (t) => {
  const spec = {
    ...target('a'),
    externals: { namespace: 'default', chart: { url: 'oci://x', name: 'c', version: '' } },
  };
  const other = target('b');
  const chart = { name: 'c', version: '1.0.0', digest: 'sha256:1' };
  const errors: string[] = [];
  let answer: () => Externals = () => ({ chart, substitution: undefined, mark: 'one' });
  const { host, world, sources, poll } = setUp(t, [spec, other], {
    elsewhere: {
      ...NOTHING_ELSEWHERE,
      externalsOf: async ({ externals }) => (externals === undefined ? undefined : answer()),
      unreadable: (_spec, error) => void errors.push(error.code),
    },
  });
  host.commit({ 'a/x.yaml': '1', 'b/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  const before = sources.sourceOf(spec);
  world.changed.length = 0;

  answer = () => assert.fail(new PlumbError('ChartRepositoryUnreachable', 'down'));
  await poll();
  assert.deepEqual([sources.sourceOf(spec), errors, world.changed], [before, ['ChartRepositoryUnreachable'], []]);

  answer = () => ({ chart: { ...chart, version: '1.0.1' }, substitution: undefined, mark: 'two' });
  await poll();
  assert.deepEqual(world.changed, [spec.target]);
  assert.equal(sources.externalsOf(spec)?.chart?.version, '1.0.1');
});

test('a folder that is reached by a link changes with what the link leads to', async (t) => {
  const app = target('current');
  const { host, sources, poll } = setUp(t, [app]);
  host.commit({ current: { link: 'v1' }, 'v1/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  assert.equal(sources.sourceOf(app).state, 'ready');

  const newer = host.commit({ current: { link: 'v1' }, 'v1/x.yaml': '2' });
  await poll();

  assert.equal(commitOf(sources.sourceOf(app)), newer);
});

test('targets of a repository whose spec cannot be read say so, and one that could be read before stays in force', async (t) => {
  const app = target('a');
  const { host, world, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  assert.equal(errorOf(sources.sourceOf(app)), 'RepositoryMissing');

  sources.invalid(SHOP, new PlumbError('SpecInvalid', 'Repository/shop in default: spec.url must be set'));
  assert.equal(errorOf(sources.sourceOf(app)), 'SpecInvalid');
  assert.deepEqual(world.changed, [app.target]);
  await sources.follow(repository());
  await settled();
  assert.equal(sources.sourceOf(app).state, 'ready');
  assert.equal(sources.isInvalid(SHOP), false);
  sources.invalid(SHOP, new PlumbError('SpecInvalid', 'Repository/shop in default: spec.url must be set'));
  assert.equal(sources.sourceOf(app).state, 'ready');
  assert.equal(sources.isInvalid(SHOP), true);
  await sources.unfollow(SHOP);

  assert.equal(errorOf(sources.sourceOf(app)), 'RepositoryMissing');
});

test('a suspended repository keeps what is known, asks nobody and holds nobody up', async (t) => {
  const app = target('a');
  const { host, world, sources, poll } = setUp(t, [app]);
  const sha = host.commit({ 'a/x.yaml': '1', 'b/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  const contacts = host.count('list') + host.count('fetch');
  host.commit({ 'a/x.yaml': '2' });

  await sources.follow(repository({ generation: 2, spec: { suspend: true } }));
  const added = target('b');
  world.targets.set(added.target, added);
  await sources.targetsChanged(SHOP);
  await sources.refresh(SHOP);
  await poll();

  assert.equal(commitOf(sources.sourceOf(app)), sha);
  assert.equal(commitOf(sources.sourceOf(added)), sha);
  assert.equal(host.count('list') + host.count('fetch'), contacts);
});

test('while a mirror is being opened its targets wait, and they are told when it is open', async (t) => {
  const app = target('a');
  const { host, world, sources } = setUp(t, [app]);
  host.commit({ 'a/x.yaml': '1' });
  await sources.follow(repository());
  await settled();
  world.changed.length = 0;
  const closing = Promise.withResolvers<void>();
  host.closing = closing.promise;

  const followed = sources.follow(repository({ generation: 2, spec: { interval: '1m' } }));
  await settled();
  assert.equal(sources.sourceOf(app).state, 'waiting');
  assert.equal(sources.treeAt(SHOP, host.branches.get('main') ?? ''), undefined);
  closing.resolve();
  await followed;
  await settled();

  assert.equal(sources.sourceOf(app).state, 'ready');
  assert.deepEqual(world.changed, [app.target]);
});

test('after a start the status names the commit that it named, unless files have changed since', async (t) => {
  for (const [file, isNews] of [
    ['README.md', false],
    ['a/x.yaml', true],
  ] as const) {
    const { host, world, sources } = setUp(t, [target('a')]);
    const earlier = host.commit({ 'a/x.yaml': '1' });
    const newer = host.commit({ 'a/x.yaml': '1', [file]: '2' });

    await sources.follow(repository({ status: { observedGeneration: 1, revision: earlier } }));
    await settled();

    assert.equal(world.reports.at(-1)?.revision, newer);
    assert.equal(world.reports.at(-1)?.touchedRevision, isNews ? newer : earlier);
  }
});

test('a path that cannot be read stops its own target alone (real git)', async (t) => {
  await using server = await startGitServer();
  const cacheFolder = await mkdtemp(join(tmpdir(), 'plumb-sources-'));
  t.after(() => rm(cacheFolder, { recursive: true, force: true }));
  await server.create('shop');
  const link = (content: string) => ({ mode: '120000', content }) as const;
  await server.commit('shop', { 'a/x.yaml': link('../base/x.yaml'), 'base/x.yaml': '1', current: link('a') });
  const [good, bad, linked] = [target('a'), { ...target('b'), path: '../b' }, target('current')];
  const { openMirror } = await import('@plumb/git');
  const { sources } = setUp(t, [good, bad, linked], { cacheFolder, openMirror });
  await sources.follow(repository({ spec: { url: server.url('shop') } }));
  await sources.refresh(SHOP);
  const before = sources.sourceOf(good);

  const newer = await server.commit('shop', { 'a/y.yaml': '2' });
  await sources.refresh(SHOP);

  assert.equal(before.state, 'ready');
  assert.equal(commitOf(sources.sourceOf(good)), newer);
  assert.equal(commitOf(sources.sourceOf(linked)), newer);
  assert.equal(errorOf(sources.sourceOf(bad)), 'PathEscape');
  await sources[Symbol.asyncDispose]();
});
