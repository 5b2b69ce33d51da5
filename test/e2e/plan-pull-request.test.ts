import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer } from '../../packages/hosts/test/loopback-server.ts';
import { startFakeHost, type FakeHost } from '../../packages/hosts/test/fake-host.ts';
import { addPull, type FakePull } from '../../packages/hosts/test/fake-state.ts';
import type { CapturedRun } from '../../packages/cli/test/run-captured.ts';
import { openWorld, type World } from '../../packages/cli/test/world.ts';

const PROJECT = 'acme/shop';
const OBJECTS = '/apis/plumb.dev/v1alpha1/namespaces';
const configMap = (name: string, level: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {LEVEL: ${level}}\n`;

test('the plan of a pull request has the digest of the comment on it, and is of those whom it touches', async () => {
  await using pulls = await openPulls({ isAsked: true });
  const { world, fake } = pulls;
  const pull = await pulls.open(1, { 'one/a.yaml': configMap('a', 'debug'), 'one/gone.yaml': null });
  await world.git.commit(PROJECT, { 'one/since.yaml': configMap('since', 'info') });
  await world.plumb('sync', 'one');
  pull.head = await pulls.push(1, { 'one/a.yaml': configMap('a', 'trace') });
  await fake.server.until(() =>
    pull.comments.some(({ body }) => body.includes(`plan of <code>${pull.head.slice(0, 7)}`)),
  );

  const run = await world.plumb('plan', '--pr', '1', '-o', 'json');
  const named = await world.plumb('plan', 'two', '--pr', '1', '-o', 'json');
  const text = await world.plumb('plan', '--pr', '1');
  const ci = await world.plumb('plan', '--pr', '1', '--ci', 'github');
  const list = await world.plumb('plan', 'list');
  const [item, ...others] = itemsOf(run);
  const shipped = await world.plumb('sync', 'one', '--plan', `p-${item?.digest.slice(0, 8)}`);

  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual([item?.app, others.length], ['one', 0]);
  assert.match(pull.comments[0]?.body ?? '', new RegExp(`digest <code>${item?.digest}</code>`));
  assert.deepEqual(item?.counts, { ...NONE, delete: 1, change: 1, unchanged: 2 });
  assert.deepEqual(item?.pullRequest, { number: 1, head: pull.head });
  assert.deepEqual(
    itemsOf(named).map(({ app, counts }) => [app, counts]),
    [['two', { ...NONE, unchanged: 1 }]],
  );
  const label = `pull request 1 at ${pull.head.slice(0, 7)}`;
  assert.match(text.stdout, new RegExp(`^Plan {2}one@${label} {3}namespace .* digest ${item?.digest}$`, 'm'));
  assert.doesNotMatch(text.stdout, /Ship exactly this/);
  assert.match(list.stdout, new RegExp(label));
  assert.match(ci.stdout, /^::warning title=delete::ConfigMap\/gone is deleted: it is not in Git any more$/m);
  assert.equal(shipped.code, 2);
  assert.match(shipped.stderr, /is of no commit, but of: pull request 1/);
});

test('a pull request that is not there, closed, or at a host that says no is told apart', async () => {
  await using pulls = await openPulls({ isAsked: true });
  const { world, fake } = pulls;
  await pulls.open(1, { 'one/a.yaml': configMap('a', 'debug') }, { state: 'closed' });
  const plan = (number: string): Promise<CapturedRun> => world.plumb('plan', 'one', '--pr', number, '-o', 'json');

  const missing = await plan('9');
  const closed = await plan('1');
  fake.server.instead(/\/pulls\/1$/, answer(401));
  const refused = await plan('1');
  fake.server.instead(/\/pulls\/1$/, answer(503));
  const down = await plan('1');
  const both = await world.plumb('plan', 'one', '--pr', '1', '--ref', 'main');
  const word = await world.plumb('plan', 'one', '--pr', 'main');

  assert.deepEqual(
    [missing, closed, refused, down, both].map(({ code, stdout }) => [code, codeOf(stdout)]),
    [
      [2, 'PullRequestMissing'],
      [2, 'PullRequestClosed'],
      [3, 'HostUnauthorized'],
      [4, 'HostUnreachable'],
      [2, undefined],
    ],
  );
  assert.match(both.stderr, /--pr names what is planned/);
  assert.deepEqual([word.code, /number of a pull request/.test(word.stderr)], [2, true]);
});

test('without a token for the host a pull request is found by the ref of its head', async () => {
  await using pulls = await openPulls({ isAsked: false });
  const { world } = pulls;
  const pull = await pulls.open(7, { 'two/b.yaml': configMap('b', 'debug') });
  await world.git.commit(PROJECT, { 'one/a.yaml': configMap('a', 'trace'), 'two/since.yaml': configMap('c', 'info') });
  const plan = (number: string): Promise<CapturedRun> => world.plumb('plan', '--pr', number, '-o', 'json');

  const run = await plan('7');
  const missing = await plan('9');
  await world.git.git(PROJECT, ['update-ref', 'refs/heads/main', pull.head]);
  const merged = await plan('7');

  assert.equal(run.code, 0, run.stderr);
  assert.deepEqual(
    itemsOf(run).map(({ app, counts }) => [app, counts]),
    [['two', { ...NONE, change: 1, create: 1 }]],
  );
  assert.deepEqual(
    [missing, merged].map(({ code, stdout }) => [code, codeOf(stdout)]),
    [
      [2, 'PullRequestMissing'],
      [2, 'PullRequestClosed'],
    ],
  );
});

const NONE = { delete: 0, replace: 0, change: 0, adopt: 0, create: 0, blocked: 0, unchanged: 0 };

interface Item {
  readonly app: string;
  readonly digest: string;
  readonly counts: object;
  readonly pullRequest: object;
}

function itemsOf({ stdout }: CapturedRun): readonly Item[] {
  return JSON.parse(stdout).items;
}

function codeOf(stdout: string): string | undefined {
  return stdout === '' ? undefined : JSON.parse(stdout).error.code;
}

interface Pulls extends AsyncDisposable {
  readonly world: World;
  readonly fake: FakeHost;
  /** Opens a pull request with these files on top of main. */
  open(number: number, files: Files, more?: Partial<FakePull>): Promise<FakePull>;
  /** Returns the new head. */
  push(number: number, files: Files): Promise<string>;
}

type Files = Readonly<Record<string, string | null>>;

/** Two applications of one repository, with a token for its host or without. */
async function openPulls({ isAsked }: { readonly isAsked: boolean }): Promise<Pulls> {
  await using opening = new AsyncDisposableStack();
  const fake = opening.use(await startFakeHost('gitea'));
  const world = opening.use(await openWorld({ 'deploy/a.yaml': configMap('other', 'info') }));
  const { git, cluster, namespace } = world;
  await git.create(PROJECT);
  await git.commit(PROJECT, {
    'one/a.yaml': configMap('a', 'info'),
    'one/gone.yaml': configMap('gone', 'info'),
    'one/key.yaml': configMap('key', 'info'),
    'two/b.yaml': configMap('b', 'info'),
  });
  const token = { metadata: { name: 'host' }, stringData: { token: fake.state.token } };
  await cluster.request('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: token });
  const host = ['--host-secret', 'host', '--host', 'gitea', '--host-api', fake.address.api];
  const added = [
    await world.plumb('repo', 'add', 'pulls', '--url', git.url(PROJECT), '--interval', '1s', ...(isAsked ? host : [])),
    await world.plumb('app', 'add', 'one', '--repo', 'pulls', '--path', 'one'),
    await world.plumb('app', 'add', 'two', '--repo', 'pulls', '--path', 'two'),
    await world.plumb('sync', 'one'),
    await world.plumb('sync', 'two'),
  ];
  assert.deepEqual(
    added.map(({ code }) => code),
    added.map(() => 0),
    added.map(({ stderr }) => stderr).join(''),
  );
  if (isAsked) {
    await cluster.request('PATCH', `${OBJECTS}/${namespace}/repositories/pulls`, {
      body: { spec: { pullRequests: { interval: '1s' } } },
      contentType: 'application/merge-patch+json',
    });
  }
  // The world's own application is of another repository.
  await cluster.request('DELETE', `${OBJECTS}/${namespace}/applications/shop`);
  const push = async (number: number, files: Files): Promise<string> => {
    const head = await git.commit(PROJECT, files, { branch: `change-${number}` });
    await git.git(PROJECT, ['update-ref', `refs/pull/${number}/head`, head]);
    return head;
  };
  const open = opening.move();
  return {
    world,
    fake,
    push,
    async open(number, files, more = {}) {
      await git.git(PROJECT, ['branch', `change-${number}`, 'main']);
      const head = await push(number, files);
      const paths = Object.keys(files).map((path) => ({ path }));
      return addPull(fake.state, number, { head, files: paths, ...more });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}
