import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { EngineEvent } from '@plumb/engine';
import type { HostKind } from '@plumb/hosts';
import { KINDS, startFakeHost, type FakeHost } from '../../packages/hosts/test/fake-host.ts';
import {
  addComment,
  addPull,
  ALICE,
  BOB,
  PLUMB,
  type FakePull,
  type FakeUser,
} from '../../packages/hosts/test/fake-state.ts';
import { answer } from '../../packages/hosts/test/loopback-server.ts';
import {
  conditionOf,
  isHealthy,
  isHealthyAt,
  startFixture,
  type EngineFixture,
  type KubeLike,
} from './engine-fixture.ts';
import { configMap } from './manifests.ts';

const HOOK_SECRET = 'correct horse';
const REPOSITORY = ['plumb.dev/v1alpha1', 'repositories'] as const;

test('a pull request gets the plan of the application that it touches, and one comment', async () => {
  await using world = await openWorld();
  const { fake } = world;

  const pull = await world.open(1, {
    'shop/one.yaml': configMap('one', { key: 'new' }),
    'shop/key.yaml': secret('new'),
  });
  await world.deliver(1);
  await world.untilPlanned(pull.head);

  assert.deepEqual(world.statuses(pull.head), ['plumb/plan/shop/prod pending', 'plumb/plan/shop/prod success']);
  const [comment] = pull.comments;
  assert.match(comment?.body ?? '', /2 to change/);
  assert.match(comment?.body ?? '', /change {3}ConfigMap\/one {3}shop\/one\.yaml/);
  assert.match(comment?.body ?? '', /change {3}Secret\/key/);

  await world.push(pull, { 'shop/one.yaml': configMap('one', { key: `\${password}` }) });
  await world.deliver(1);
  await world.untilPlanned(pull.head);

  assert.match(pull.comments[0]?.body ?? '', /value → \(secret\)/);

  await world.push(pull, { 'shop/one.yaml': null });
  await world.deliver(1);
  await world.untilPlanned(pull.head);

  assert.deepEqual(
    pull.comments.map(({ id }) => id),
    [comment?.id],
  );
  assert.match(pull.comments[0]?.body ?? '', /- delete {3}ConfigMap\/one/);
  for (const { body } of fake.server.seen) assert.doesNotMatch(body, /CANARY/);
});

test('after a restart the same comment is found and left alone', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  const pull = await world.open(6, { 'shop/one.yaml': configMap('one', { key: 'new' }) });
  await world.deliver(6);
  await world.untilPlanned(pull.head);

  await plumb.restart();

  await plumb.untilEvent(({ message, comment }) => message === 'Planned a pull request' && comment === 'unchanged');
  assert.equal(pull.comments.length, 1);
  assert.equal(fake.server.seen.filter(({ method }) => method === 'PATCH').length, 0);
});

test('a plan is that of the merge: what the base has got since the branch was begun stays', async () => {
  await using world = await openWorld();
  const { plumb } = world;
  const pull = await world.open(7, { 'shop/one.yaml': configMap('one', { key: 'new' }) });
  const commit = await plumb.git.commit('acme/shop', {
    'shop/kept.yaml': configMap('kept', { key: 'since' }),
    'shop/added.yaml': configMap('added'),
    'other/two.yaml': configMap('two', { key: 'since' }),
  });
  plumb.engine.trigger(`${plumb.namespace}/shop`);
  await plumb.until('shop', isHealthyAt(commit));
  await plumb.until('other', isHealthyAt(commit));

  await world.deliver(7);
  await world.untilPlanned(pull.head);

  assert.deepEqual(world.statuses(pull.head), ['plumb/plan/shop/prod pending', 'plumb/plan/shop/prod success']);
  assert.match(pull.comments[0]?.body ?? '', /\*\*1 to change, 3 unchanged\*\* in 1 target/);
});

test('a manifest that cannot be read fails the pull request with file and line', async () => {
  await using world = await openWorld();

  const pull = await world.open(2, { 'shop/one.yaml': 'apiVersion: v1\nkind: [\n' });
  await world.deliver(2);
  await world.untilPlanned(pull.head);

  assert.deepEqual(world.statuses(pull.head), ['plumb/plan/shop/prod pending', 'plumb/plan/shop/prod failure']);
  assert.match(world.fake.state.statuses.at(-1)?.description ?? '', /^YamlSyntax: shop\/one\.yaml:\d+:/);
  assert.match(pull.comments[0]?.body ?? '', /! shop\/one\.yaml:\d+: .*\(YamlSyntax\)\n {4}fix: /);
});

test('what the policies of a pull request deny fails it, and stands first in the comment', async () => {
  await using world = await openWorld();
  await world.plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', {
    spec: { policies: { files: ['policies.yaml'], starter: false } },
  });
  const policies = (action: string): string =>
    `policies: [{name: no-news, action: ${action}, expression: "object.?data.?key.orValue('') != 'new'"}]\n`;

  const pull = await world.open(3, {
    'shop/one.yaml': configMap('one', { key: 'new' }),
    'policies.yaml': policies('{prod: deny}'),
  });
  await world.deliver(3);
  await world.untilPlanned(pull.head);
  const denied = pull.comments[0]?.body ?? '';
  const first = world.statuses(pull.head);
  await world.push(pull, { 'policies.yaml': policies('warn') });
  await world.deliver(3);
  await world.untilPlanned(pull.head);

  assert.deepEqual(first, ['plumb/plan/shop/prod pending', 'plumb/plan/shop/prod failure']);
  assert.match(denied, /\*\*1 denied by policies, 1 to change, 2 unchanged\*\* in 1 target/);
  assert.match(denied, /diff\n! denied {3}ConfigMap\/one: no-news does not hold \(no-news\) {3}shop\/one\.yaml:1\n/);
  assert.deepEqual(world.statuses(pull.head), ['plumb/plan/shop/prod pending', 'plumb/plan/shop/prod success']);
  assert.match(pull.comments[0]?.body ?? '', /\*\*1 warning, 1 to change, 2 unchanged\*\*/);
});

test('a review approves the plan that stands on the pull request, and the merge is released without more', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  fake.state.permissions.set(BOB.login, 'write');
  await plumb.edit('plumb.dev/v1alpha1', 'applications', 'shop', {
    spec: {
      gates: {
        approvals: { fromReviews: true, from: [`review:localhost/${BOB.login}`, `review:127.0.0.1/${BOB.login}`] },
      },
    },
  });
  const merge = async (number: number, key: string, isReviewed: boolean): Promise<string> => {
    const pull = await world.open(number, { 'shop/one.yaml': configMap('one', { key }) });
    await world.deliver(number);
    await world.untilPlanned(pull.head);
    const review = {
      user: BOB,
      verdict: 'approved',
      commit: pull.head,
      at: new Date(Date.now() + 1_000).toISOString(),
    };
    if (isReviewed) pull.reviews.push(review as (typeof pull.reviews)[number]);
    await plumb.git.git(fake.state.project, ['update-ref', 'refs/heads/main', pull.head]);
    pull.state = 'merged';
    plumb.engine.trigger(`${plumb.namespace}/shop`);
    await world.deliver(number);
    return pull.head;
  };

  await plumb.until('shop', isHealthyAt(await merge(3, 'reviewed', true)));
  await merge(4, 'unseen', false);
  await plumb.until('shop', ({ status }) => status?.environments?.[0]?.pendingPlan !== undefined);

  assert.deepEqual((await plumb.get('v1', 'configmaps', 'one'))?.data, { key: 'reviewed' });
});

test('without a webhook the host is asked, and a commit that cannot be fetched holds up no other', async () => {
  await using world = await openWorld('1s');

  const lost = addPull(world.fake.state, 9, { head: 'd'.repeat(40), files: [{ path: 'shop/one.yaml' }] });
  const pull = await world.open(8, { 'shop/one.yaml': configMap('one', { key: 'new' }) });

  await world.untilPlanned(pull.head);
  await world.plumb.untilEvent(({ code, pull: number }) => code === 'RefMissing' && number === lost.number);
  assert.deepEqual(world.statuses(lost.head), []);
});

for (const kind of KINDS.filter((other) => other !== 'gitea')) {
  test(`a pull request on ${kind} is planned as well`, async () => {
    await using world = await openWorld('1s', kind);

    const pull = await world.open(1, { 'shop/one.yaml': configMap('one', { key: 'new' }) });

    await world.untilPlanned(pull.head);
    const [status] = world.fake.state.statuses;
    assert.match(`${status?.context} ${status?.state}`, /^plumb\/plan\/shop\/prod success/i);
    assert.match(pull.comments[0]?.body ?? '', /1 to change, 2 unchanged/);
  });
}

test('a forged delivery wakes nothing', async () => {
  await using world = await openWorld();
  await world.open(3, { 'shop/one.yaml': configMap('one', { key: 'new' }) });
  const asked = world.fake.server.seen.length;

  const status = await world.deliver(3, { secret: 'another secret' });

  assert.equal(status, 401);
  assert.equal(world.fake.server.seen.length, asked);
});

test('while the host is down the rest goes on, and what was missed is made up for', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  const pull = await world.open(4, { 'shop/one.yaml': configMap('one', { key: 'new' }) });
  fake.server.instead(/\/pulls$/, answer(500));

  await world.deliver(4);
  await plumb.untilEvent(({ code }) => code === 'HostUnreachable');
  const commit = await plumb.git.commit('acme/shop', { 'other/two.yaml': configMap('two', { key: 'new' }) });
  plumb.engine.trigger(`${plumb.namespace}/shop`);
  await plumb.until('other', isHealthyAt(commit));

  await world.untilPlanned(pull.head);
  assert.equal(world.statuses(pull.head).at(-1), 'plumb/plan/shop/prod success');
});

test('commits of a closed pull request leave the mirror, also where it was closed while no engine ran', async () => {
  await using world = await openWorld('1s');
  const { plumb } = world;
  const mirrored = async (): Promise<number> => {
    const files = await readdir(join(plumb.stateFolder, 'cache'), { recursive: true });
    return files.filter((file) => /refs\/plumb\/[0-9a-f]{40}$/.test(file)).length;
  };
  const untilLetGo = (times: number) =>
    plumb.untilEvent(
      () => plumb.events.filter(({ message }) => message === 'Let go of refs that nobody follows').length === times,
    );
  const pulls = [];
  for (const number of [1, 2]) {
    pulls.push(await world.open(number, { 'shop/one.yaml': configMap('one', { key: `${number}` }) }));
  }
  for (const { head } of pulls) await world.untilPlanned(head);
  assert.equal(await mirrored(), 3);

  for (const pull of pulls.slice(0, 1)) pull.state = 'closed';
  await untilLetGo(1);
  assert.equal(await mirrored(), 2);
  await plumb.stop();
  for (const pull of pulls) pull.state = 'merged';
  await plumb.start();

  await untilLetGo(2);
  assert.equal(await mirrored(), 1);
});

test('a token that is refused shows in the status of the Repository, and no more once it is accepted', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  const failing = (object: KubeLike | undefined) => conditionOf(object, 'HostFailing');

  await plumb.edit('v1', 'secrets', 'host', { stringData: { token: 'another' } });
  await plumb.edit(...REPOSITORY, 'shop', { spec: { pullRequests: { interval: '2h' } } });
  await plumb.untilObject(...REPOSITORY, 'shop', (object) => failing(object)?.reason === 'HostUnauthorized');
  const said = failing(await plumb.get(...REPOSITORY, 'shop'));
  assert.match(said?.message ?? '', /answered 401\. Check the token in the Secret.* The next try is at 20/);
  assert.equal(conditionOf(await plumb.get(...REPOSITORY, 'shop'), 'Ready')?.status, 'True');

  await plumb.edit('v1', 'secrets', 'host', { stringData: { token: fake.state.token } });
  await plumb.untilObject(...REPOSITORY, 'shop', (object) => failing(object) === undefined);
});

test('commands are followed for those who may write', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  fake.state.permissions.set('alice', 'write').set('bob', 'read');
  const pull = await world.open(
    5,
    { 'shop/one.yaml': configMap('one', { key: 'new' }) },
    { isFromFork: true, author: BOB },
  );
  await world.deliver(5);
  await plumb.untilEvent(({ message }) => message === 'A pull request waits for somebody who may write');
  assert.deepEqual(world.statuses(pull.head), ['plumb/plan/shop/prod pending']);

  await world.deliver(5, { comment: '/plumb plan', by: BOB });
  await plumb.untilEvent(({ message }) => message === 'A command of somebody who may not write is not followed');
  assert.deepEqual(ours(pull), []);

  await world.deliver(5, { comment: '/plumb plan', by: ALICE });
  await world.untilPlanned(pull.head);
  const digest = /digest <code>(\w+)<\/code>/.exec(ours(pull)[0] ?? '')?.[1] ?? '';
  assert.notEqual(digest, '');

  await world.deliver(5, { comment: '/plumb plan nobody', by: ALICE });
  await plumb.untilEvent(({ code, pull: number }) => code === 'ApplicationMissing' && number === 5);
  assert.match(ours(pull)[1] ?? '', /ApplicationMissing/);

  await world.deliver(5, { comment: `/plumb approve ${digest}`, by: ALICE });
  await plumb.untilEvent(({ message, command }) => message === 'Answered a command' && command === 'approve');
  assert.match(ours(pull)[2] ?? '', new RegExp(`plumb approve ${digest} shop -n ${plumb.namespace} -e prod`));
});

test('what was pushed to a fork after somebody had looked at it is not planned with the rest', async () => {
  await using world = await openWorld();
  const { plumb, fake } = world;
  fake.state.permissions.set('alice', 'write');
  const pull = await world.open(
    6,
    { 'shop/one.yaml': configMap('one', { key: 'new' }) },
    { isFromFork: true, author: BOB },
  );
  await world.deliver(6);
  await plumb.untilEvent(({ message }) => message === 'A pull request waits for somebody who may write');

  await world.push(pull, { 'shop/one.yaml': configMap('one', { key: 'newer' }) });
  await world.deliver(6, { comment: '/plumb plan', by: ALICE });
  await plumb.untilEvent(
    ({ message, commit }) =>
      message === 'A pull request waits for somebody who may write' && commit === pull.head.slice(0, 7),
  );
  assert.deepEqual(ours(pull), []);

  await world.deliver(6, { comment: '/plumb plan', by: ALICE });
  await world.untilPlanned(pull.head);
});

test('without a webhook commands are read from comments, each once, also after a restart', async () => {
  await using world = await openWorld('1s', 'gitea', { webhook: false });
  const { plumb, fake } = world;
  fake.state.permissions.set('alice', 'write').set('bob', 'read');
  const asked = (path: RegExp): number => fake.server.seen.filter(({ url }) => path.test(url.pathname)).length;
  const answers = (): number => plumb.events.filter(({ message }) => message === 'Answered a command').length;
  const looks = async (count: number): Promise<void> => {
    const before = asked(/\/pulls$/);
    await fake.server.until(() => asked(/\/pulls$/) >= before + count);
  };
  await looks(1);
  assert.equal(asked(/comments/), 0);

  const pull = await world.open(
    5,
    { 'shop/one.yaml': configMap('one', { key: 'new' }) },
    { isFromFork: true, author: BOB },
  );
  await plumb.untilEvent(({ message }) => message === 'A pull request waits for somebody who may write');
  addComment(fake.state, pull, BOB, '/plumb plan');
  await plumb.untilEvent(({ message }) => message === 'A command of somebody who may not write is not followed');
  const edited = addComment(fake.state, pull, ALICE, '/plumb plan');
  edited.editedAt = new Date(Date.parse(edited.at) + 60_000).toISOString();
  await looks(2);
  assert.deepEqual([ours(pull), answers()], [[], 0]);

  addComment(fake.state, pull, ALICE, '/plumb plan');
  await world.untilPlanned(pull.head);
  assert.equal(ours(pull).length, 1);
  addComment(fake.state, pull, ALICE, '/plumb plan nobody');
  await plumb.untilEvent(({ code }) => code === 'ApplicationMissing');
  assert.equal(ours(pull).length, 2);

  await plumb.restart();
  await plumb.untilEvent(({ message, comment }) => message === 'Planned a pull request' && comment === 'unchanged');
  addComment(fake.state, pull, ALICE, '/plumb approve 123456');
  await plumb.untilEvent(({ message, command }) => message === 'Answered a command' && command === 'approve');
  assert.equal(ours(pull).length, 3);
  assert.equal(answers(), 2);
  assert.deepEqual(
    plumb.events.filter(({ message }) => /may not write/.test(String(message))).map(({ user }) => user),
    ['bob'],
  );

  pull.state = 'closed';
  await looks(2);
  const before = asked(/comments/);
  await looks(2);
  assert.equal(asked(/comments/), before);
});

interface World extends AsyncDisposable {
  readonly plumb: EngineFixture;
  readonly fake: FakeHost;
  /** Opens a pull request with these files on top of main. */
  open(number: number, files: Files, more?: Partial<FakePull>): Promise<FakePull>;
  push(pull: FakePull, files: Files): Promise<void>;
  deliver(
    number: number,
    given?: { readonly secret?: string; readonly comment?: string; readonly by?: FakeUser },
  ): Promise<number>;
  untilPlanned(head: string): Promise<EngineEvent>;
  /** What was said of a commit, in order. */
  statuses(head: string): readonly string[];
}

type Files = Readonly<Record<string, string | null>>;

/** Two healthy applications of one repository, `shop` for `prod` and `other`; by default the host is asked by delivery only. */
async function openWorld(
  interval = '1h',
  kind: HostKind = 'gitea',
  { webhook = true }: { readonly webhook?: boolean } = {},
): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const fake = opening.use(await startFakeHost(kind));
  const { project } = fake.state;
  const plumb = opening.use(
    await startFixture({ prefix: 'pulls', listen: { port: 0 }, webhook: false }, async ({ git, ...made }) => {
      await git.create(project);
      await git.commit(project, {
        'shop/one.yaml': configMap('one'),
        'shop/key.yaml': secret('old'),
        'shop/kept.yaml': configMap('kept'),
        'other/two.yaml': configMap('two'),
      });
      await made.create('v1', 'secrets', { metadata: { name: 'hook' }, stringData: { token: HOOK_SECRET } });
      await made.create('v1', 'secrets', { metadata: { name: 'host' }, stringData: { token: fake.state.token } });
      await made.create('v1', 'secrets', { metadata: { name: 'vars' }, stringData: { password: 'CANARY-variable' } });
      await made.repository('shop', {
        url: git.url(project),
        interval: '1h',
        ...(webhook ? { webhook: { secretRef: { name: 'hook' } } } : {}),
        pullRequests: { secretRef: { name: 'host' }, host: kind, api: fake.address.api, interval },
      });
      const environments = [{ name: 'prod', namespace: made.namespace }];
      const render = { substitute: { from: [{ kind: 'Secret', name: 'vars' }] } };
      await made.application('shop', { source: { repository: 'shop', path: 'shop' }, environments, render });
      await made.application('other', { source: { repository: 'shop', path: 'other' } });
      await made.until('shop', isHealthy);
      await made.until('other', isHealthy);
    }),
  );
  const move = async (number: number, branch: string, files: Files): Promise<string> => {
    const head = await plumb.git.commit(project, files, { branch });
    for (const ref of ['pull', 'merge-requests']) {
      await plumb.git.git(project, ['update-ref', `refs/${ref}/${number}/head`, head]);
    }
    return head;
  };
  const opened = opening.move();
  return {
    plumb,
    fake,
    async open(number, files, more = {}) {
      const branch = `change-${number}`;
      await plumb.git.git(project, ['branch', branch, 'main']);
      const head = await move(number, branch, files);
      return addPull(fake.state, number, { head, branch, files: pathsOf(files), ...more });
    },
    async push(pull, files) {
      pull.head = await move(pull.number, pull.branch, files);
      pull.files.push(...pathsOf(files));
    },
    async deliver(number, { secret: key = HOOK_SECRET, comment, by = ALICE } = {}) {
      const user = { id: by.id, login: by.login };
      const pull = { number, head: { sha: fake.state.pulls.get(number)?.head }, base: { ref: 'main' } };
      const repository = { full_name: project };
      const of = fake.state.pulls.get(number);
      const written = comment === undefined || of === undefined ? undefined : addComment(fake.state, of, by, comment);
      const body = JSON.stringify(
        comment === undefined
          ? { action: 'synchronized', repository, sender: user, pull_request: pull }
          : {
              action: 'created',
              repository,
              is_pull: true,
              issue: { number },
              comment: { id: written?.id, body: comment, user },
            },
      );
      const signature = createHmac('sha256', key).update(body).digest('hex');
      const event = comment === undefined ? 'pull_request' : 'issue_comment';
      const headers = { 'x-hub-signature-256': `sha256=${signature}`, 'x-gitea-event': event };
      const url = `${plumb.engine.url}/hooks/${plumb.namespace}/shop`;
      return (await fetch(url, { method: 'POST', headers, body })).status;
    },
    untilPlanned: (head) =>
      plumb.untilEvent(({ message, commit }) => message === 'Planned a pull request' && commit === head.slice(0, 7)),
    statuses: (head) =>
      fake.server.seen.flatMap(({ method, url, body }) => {
        if (method !== 'POST' || !url.pathname.endsWith(`/statuses/${head}`)) return [];
        const { context, state } = JSON.parse(body) as { context: string; state: string };
        return [`${context} ${state}`];
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** What Plumb wrote, in order. */
function ours(pull: FakePull): readonly string[] {
  return pull.comments.filter(({ author }) => author === PLUMB).map(({ body }) => body);
}

function pathsOf(files: Files): { readonly path: string }[] {
  return Object.keys(files).map((path) => ({ path }));
}

function secret(value: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: key\nstringData:\n  password: CANARY-${value}\n`;
}
