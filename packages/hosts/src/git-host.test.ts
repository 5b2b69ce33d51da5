// One table of behaviours for all kinds of host: a new kind has to pass it as it is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOn, KINDS, openFakeHost } from '../test/fake-host.ts';
import { addComment, addPull, ALICE, BOB, commit, fakeUser, PLUMB, time } from '../test/fake-state.ts';
import type { CommitStatus } from './host.ts';
import { proposePullRequest } from './propose.ts';
import { stickyMarker } from './sticky-comment.ts';

const { signal } = new AbortController();
const MARKER = stickyMarker('shop');
const BODY = `### A plan\n\n${MARKER}\n`;

for (const kind of KINDS) {
  test(`${kind}: a pull request is told in full, with where its head can be fetched`, async () => {
    await using fixture = await openFakeHost(kind);
    addPull(fixture.fake.state, 7, { head: commit('a'), base: 'release/1.x', isDraft: true });

    const pull = await fixture.host.pullRequest(7, { signal });

    const refs = { gitlab: 'refs/merge-requests/7/head', bitbucket: 'refs/heads/change-7' };
    assert.deepEqual(
      { ...pull, url: '', activity: '', updatedAtMs: Math.floor(pull.updatedAtMs / 1000) * 1000 },
      {
        number: 7,
        title: 'Change 7',
        state: 'open',
        isDraft: true,
        author: { id: idOn(kind, ALICE), name: 'alice' },
        head: commit('a'),
        branch: 'change-7',
        headRef: (refs as Record<string, string>)[kind] ?? 'refs/pull/7/head',
        isFromFork: false,
        base: 'release/1.x',
        updatedAtMs: Date.parse(time(7)),
        activity: '',
        url: '',
      },
    );
    assert.match(pull.url, /^https:\/\/.*7$/);
  });

  test(`${kind}: a pull request from a fork is told as one, and closed and merged ones apart`, async () => {
    await using fixture = await openFakeHost(kind);
    addPull(fixture.fake.state, 1, { isFromFork: true });
    addPull(fixture.fake.state, 2, { state: 'closed' });
    addPull(fixture.fake.state, 3, { state: 'merged' });

    const pulls = await Promise.all([1, 2, 3].map((number) => fixture.host.pullRequest(number, { signal })));

    assert.deepEqual(
      pulls.map(({ state, isFromFork }) => [state, isFromFork]),
      [
        ['open', true],
        ['closed', false],
        ['merged', false],
      ],
    );
    assert.equal(pulls[0]?.headRef === undefined, kind === 'bitbucket');
  });

  test(`${kind}: all open pull requests are read, page by page, the one that changed last first`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.pageSize = 2;
    for (const number of [1, 2, 3, 4, 5]) addPull(state, number);
    addPull(state, 6, { state: 'merged' });

    const pulls = await fixture.host.openPullRequests({ signal });

    assert.deepEqual(
      pulls.map(({ number }) => number),
      [5, 4, 3, 2, 1],
    );
  });

  test(`${kind}: what did not change since is not read: no page beyond it`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state, server } = fixture.fake;
    state.pageSize = 2;
    for (const number of [1, 2, 3, 4, 5, 6]) addPull(state, number);

    const pulls = await fixture.host.openPullRequests({ sinceMs: Date.parse(time(4)), signal });

    assert.deepEqual(
      pulls.map(({ number }) => number),
      [6, 5, 4],
    );
    const lists = server.seen.filter(({ url }) => /(?:pulls|merge_requests|pullrequests)$/.test(url.pathname));
    assert.equal(lists.length, 2);
  });

  test(`${kind}: a pull request without a commit hides no other, and is not found by itself`, async () => {
    await using fixture = await openFakeHost(kind);
    for (const number of [1, 2, 3]) addPull(fixture.fake.state, number);
    addPull(fixture.fake.state, 2, { head: '' });

    const pulls = await fixture.host.openPullRequests({ signal });

    assert.deepEqual(
      pulls.map(({ number }) => number),
      [3, 1],
    );
    await assert.rejects(fixture.host.pullRequest(2, { signal }), { code: 'HostNotFound' });
  });

  test(`${kind}: a pull request is opened between two branches, and proposed once however often that is asked`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    const branch = 'plumb/keep-1';
    state.branches = new Map([[branch, commit('c')]]);
    addPull(state, 4, { branch, base: 'release' });
    addPull(state, 5, { branch, isFromFork: true });
    addPull(state, 6, { branch, state: 'closed' });
    const wanted = { title: 'Keep it', body: 'It runs **so**.', branch, base: 'main' };

    const first = await proposePullRequest(fixture.host, wanted, { signal });
    const second = await proposePullRequest(fixture.host, { ...wanted, title: 'Again' }, { signal });

    const pull = state.pulls.get(7);
    assert.deepEqual(
      [pull?.title, pull?.body, pull?.branch, pull?.base, pull?.author],
      ['Keep it', 'It runs **so**.', branch, 'main', PLUMB],
    );
    assert.deepEqual([first.number, first.outcome, second], [7, 'created', { ...first, outcome: 'found' }]);
    assert.equal(first.url, (await fixture.host.pullRequest(7, { signal })).url);
  });

  test(`${kind}: a pull request from a branch that is not there is refused`, async () => {
    await using fixture = await openFakeHost(kind);
    const wanted = { title: 'Keep it', body: '', branch: 'nowhere', base: 'main' };

    await assert.rejects(fixture.host.createPullRequest(wanted, { signal }), { code: 'HostRefused' });
  });

  test(`${kind}: all changed files are listed, of renamed ones both names`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.pageSize = 2;
    const files = [
      { path: 'a.yaml' },
      { path: 'b/new.yaml', before: 'b/old.yaml' },
      { path: 'c.yaml' },
      { path: 'd ü.yaml' },
    ];
    addPull(state, 1, { files });

    const { paths, isComplete } = await fixture.host.changedFiles(1, { signal });

    assert.deepEqual(paths.toSorted(), ['a.yaml', 'b/new.yaml', 'b/old.yaml', 'c.yaml', 'd ü.yaml']);
    assert.ok(isComplete);
  });

  test(`${kind}: statuses of several contexts stand beside each other, and a newer one replaces its own`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    addPull(state, 1, { head: commit('a') });
    const status: CommitStatus = {
      commit: commit('a'),
      context: 'plumb/plan/prod',
      state: 'pending',
      description: 'being planned',
      url: 'https://plumb.example/plans/1',
    };

    await fixture.host.setStatus(status, { signal });
    await fixture.host.setStatus(status, { signal });
    await fixture.host.setStatus({ ...status, context: 'plumb/plan/dev', state: 'error' }, { signal });
    await fixture.host.setStatus({ ...status, state: 'success', description: '1 to change' }, { signal });

    const success = kind === 'bitbucket' ? 'SUCCESSFUL' : 'success';
    const error = { github: 'error', gitea: 'error', gitlab: 'failed', bitbucket: 'FAILED' }[kind];
    assert.deepEqual(
      state.statuses.map(({ context, state: word, description, url }) => [context, word, description, url]),
      [
        ['plumb/plan/dev', error, 'being planned', 'https://plumb.example/plans/1'],
        ['plumb/plan/prod', success, '1 to change', 'https://plumb.example/plans/1'],
      ],
    );
  });

  test(`${kind}: a long description is cut to 140 characters, and a status needs no link`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    addPull(state, 1, { head: commit('a') });
    const context = `plumb/plan/${'long-name-'.repeat(5)}`;

    await fixture.host.setStatus(
      { commit: commit('a'), context, state: 'failure', description: `line\n${'é😀'.repeat(100)}` },
      { signal },
    );

    const [status] = state.statuses;
    assert.equal(status?.context, context);
    assert.ok(
      status.description.length <= 140 && status.description.isWellFormed() && status.description.endsWith('…'),
    );
    assert.ok(!status.description.includes('\n'));
  });

  test(`${kind}: the comment is created once, found again behind many others, and written only where it differs`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state, server } = fixture.fake;
    state.pageSize = 3;
    const pull = addPull(state, 1);
    for (let count = 0; count < 7; count++) addComment(state, pull, ALICE, `remark ${count}`);

    const created = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });
    for (let count = 0; count < 7; count++) addComment(state, pull, BOB, `another ${count}`);
    const writes = server.seen.filter(({ method }) => method !== 'GET').length;
    // Some hosts write line ends their own way.
    const ours = pull.comments.find(({ author }) => author === PLUMB);
    assert.equal(ours?.body, BODY);
    ours.body = ours.body.replaceAll('\n', '\r\n').trimEnd();
    const unchanged = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });
    assert.equal(server.seen.filter(({ method }) => method !== 'GET').length, writes);
    const updated = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: `new\n${BODY}` }, { signal });

    assert.deepEqual(
      [created, unchanged, updated],
      [
        { id: String(ours.id), outcome: 'created' },
        { id: String(ours.id), outcome: 'unchanged' },
        { id: String(ours.id), outcome: 'updated' },
      ],
    );
    assert.equal(ours.body, `new\n${BODY}`);
    assert.equal(pull.comments.length, 15);
  });

  test(`${kind}: a comment of somebody else that copied the marker is left alone`, async () => {
    await using fixture = await openFakeHost(kind);
    const pull = addPull(fixture.fake.state, 1);
    const copied = addComment(fixture.fake.state, pull, ALICE, `Nothing will be deleted.\n\n${MARKER}`);

    const written = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });

    assert.equal(written.outcome, 'created');
    assert.equal(copied.body, `Nothing will be deleted.\n\n${MARKER}`);
    assert.deepEqual(
      pull.comments.map(({ author }) => author.login),
      ['alice', 'plumb-bot'],
    );
  });

  test(`${kind}: comments of two engines on one pull request do not touch each other`, async () => {
    await using fixture = await openFakeHost(kind);
    const pull = addPull(fixture.fake.state, 1);
    const other = stickyMarker('other');

    for (const marker of [MARKER, other, MARKER, other]) {
      await fixture.host.upsertSticky({ number: 1, marker, body: `plan\n\n${marker}` }, { signal });
    }

    assert.deepEqual(
      pull.comments.map(({ body }) => body.split('\n').at(-1)),
      [MARKER, other],
    );
  });

  test(`${kind}: a comment that is deleted while it is written is made anew`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state, server } = fixture.fake;
    const pull = addPull(state, 1);
    await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });
    const [first] = pull.comments;
    // Between the list, which still has it, and the write.
    server.instead(new RegExp(`/(?:comments|notes)/${first?.id}$`), (_received, response) => {
      pull.comments.length = 0;
      response.writeHead(404, {}).end('{}');
    });

    const written = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: `new\n${BODY}` }, { signal });

    assert.equal(written.outcome, 'created');
    assert.deepEqual(
      pull.comments.map(({ body }) => body),
      [`new\n${BODY}`],
    );
  });

  test(`${kind}: a token that may not ask whose it is finds its comment all the same`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.me = null;
    const pull = addPull(state, 1);

    const first = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });
    const second = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: `new\n${BODY}` }, { signal });

    assert.deepEqual([first.outcome, second.outcome], ['created', 'updated']);
    assert.equal(pull.comments.length, 1);
  });

  test(`${kind}: whose the token is is asked once`, async () => {
    await using fixture = await openFakeHost(kind);

    assert.equal(await fixture.host.account({ signal }), idOn(kind, PLUMB));
    assert.equal(await fixture.host.account({ signal }), idOn(kind, PLUMB));
    assert.equal(fixture.fake.server.seen.length, 1);
  });

  test(`${kind}: who we are can be said where the token may not ask`, async () => {
    await using fixture = await openFakeHost(kind, { account: idOn(kind, PLUMB) });
    const { state } = fixture.fake;
    state.me = null;
    const pull = addPull(state, 1);
    addComment(state, pull, fakeUser('renovate', 77, true), `copied\n\n${MARKER}`);
    const ours = addComment(state, pull, PLUMB, `old\n\n${MARKER}`);

    const written = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });

    assert.deepEqual(written, { id: String(ours.id), outcome: 'updated' });
  });

  test(`${kind}: an answer to a comment is one of its own, and a comment can be acknowledged twice`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    const pull = addPull(state, 1);
    const asked = addComment(state, pull, ALICE, '/plumb plan');

    await fixture.host.acknowledge(1, String(asked.id), { signal });
    await fixture.host.acknowledge(1, String(asked.id), { signal });
    await fixture.host.reply(1, 'no such environment', { signal });

    assert.equal(pull.comments.at(-1)?.body, 'no such environment');
    assert.equal(state.reactions[0]?.content, kind === 'bitbucket' ? undefined : 'eyes');
  });

  test(`${kind}: comments are told with who wrote them and when, and whether they were edited since`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.pageSize = 2;
    const pull = addPull(state, 1);
    const [before] = await fixture.host.openPullRequests({ signal });
    addComment(state, pull, ALICE, '/plumb plan');
    const edited = addComment(state, pull, BOB, 'fine');
    edited.editedAt = time(50);
    addComment(state, pull, BOB, '');
    if (kind === 'bitbucket') addComment(state, pull, BOB, 'gone').isDeleted = true;

    const comments = await fixture.host.comments(1, { signal });
    const [after] = await fixture.host.openPullRequests({ signal });

    const at = Date.parse(time(1));
    assert.deepEqual(
      comments.map(({ id, user, body, writtenAtMs, isEdited }) => [id, user.id, body, writtenAtMs, isEdited]),
      [
        ['100', idOn(kind, ALICE), '/plumb plan', at + 1_000, false],
        ['101', idOn(kind, BOB), 'fine', at + 2_000, true],
        ['102', idOn(kind, BOB), '', at + 3_000, false],
      ],
    );
    assert.notEqual(before?.activity, after?.activity);
  });

  test(`${kind}: the permission of a user is what the host says, and none for a stranger`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    const users = (['read', 'write', 'admin'] as const).map((permission, index) => {
      const user = fakeUser(permission, 50 + index);
      state.users.push(user);
      state.permissions.set(user.login, permission);
      return user;
    });

    const asked = [...users, BOB, fakeUser('stranger', 99)];
    const permissions = await Promise.all(
      asked.map((user) => fixture.host.permissionOf({ id: idOn(kind, user) }, { signal })),
    );

    assert.deepEqual(permissions, ['read', 'write', 'admin', 'none', 'none']);
  });

  test(`${kind}: an id that tries to be something else is the id of nobody`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.permissions.set('alice', 'admin');

    for (const id of ['', '../../user', 'x/../alice', 'a?b=c', `${idOn(kind, ALICE)}/..`, '{"', '0 OR 1']) {
      assert.equal(await fixture.host.permissionOf({ id }, { signal }), 'none', id);
    }
  });

  test(`${kind}: the approvals that stand are told with their commit, and not those that were taken back`, async () => {
    await using fixture = await openFakeHost(kind);
    const { state } = fixture.fake;
    state.pageSize = 2;
    const [carol, dave, erin] = ['carol', 'dave', 'erin'].map((login, index) => fakeUser(login, 60 + index));
    assert.ok(carol && dave && erin);
    const [old, head] = [commit('a'), commit('b')];
    addPull(state, 1, {
      head,
      pushes: [
        { commit: old, at: time(1) },
        { commit: head, at: time(5) },
      ],
      reviews: [
        { user: ALICE, verdict: 'approved', commit: old, at: time(2) },
        { user: BOB, verdict: 'approved', commit: old, at: time(3) },
        { user: carol, verdict: 'approved', commit: old, at: time(4), isDismissed: true },
        { user: dave, verdict: 'approved', commit: old, at: time(4) },
        { user: dave, verdict: 'refused', commit: head, at: time(6) },
        { user: BOB, verdict: 'approved', commit: head, at: time(7) },
        { user: ALICE, verdict: 'commented', commit: head, at: time(8) },
        { user: erin, verdict: 'commented', commit: head, at: time(9) },
      ],
    });

    const approvals = await fixture.host.reviews(1, { signal });

    assert.deepEqual(
      approvals.toSorted((left, right) => left.user.name.localeCompare(right.user.name)),
      [
        { user: { id: idOn(kind, ALICE), name: 'alice' }, commit: old, atMs: Date.parse(time(2)) },
        { user: { id: idOn(kind, BOB), name: 'bob' }, commit: head, atMs: Date.parse(time(7)) },
      ],
    );
  });
}

test('github and gitlab say that there are more files than they list', async () => {
  await using gitlab = await openFakeHost('gitlab');
  addPull(gitlab.fake.state, 1, { files: [{ path: 'a' }], overflows: true });
  await using github = await openFakeHost('github');
  addPull(github.fake.state, 1, { files: Array.from({ length: 3_000 }, (_, index) => ({ path: `${index}` })) });

  assert.equal((await gitlab.host.changedFiles(1, { signal })).isComplete, false);
  assert.equal((await github.host.changedFiles(1, { signal })).isComplete, false);
});

test('an app on GitHub, which may not ask who it is, takes no comment of a person for its own', async () => {
  await using fixture = await openFakeHost('github');
  const { state } = fixture.fake;
  state.me = null;
  const pull = addPull(state, 1);
  addComment(state, pull, ALICE, `copied\n\n${MARKER}`);

  const written = await fixture.host.upsertSticky({ number: 1, marker: MARKER, body: BODY }, { signal });

  assert.equal(written.outcome, 'created');
});

test('bitbucket tells two long contexts apart that begin alike, in the 40 characters that it takes', async () => {
  await using fixture = await openFakeHost('bitbucket');
  addPull(fixture.fake.state, 1, { head: commit('a') });
  const contexts = ['one', 'two'].map((end) => `plumb/plan/checkout-and-payments-in-production-${end}`);

  for (const context of contexts) {
    const status = { commit: commit('a'), context, state: 'success', description: 'ok' } as const;
    await fixture.host.setStatus(status, { signal });
  }

  const keys = fixture.fake.server.seen
    .filter(({ method }) => method === 'POST')
    .map(({ body }) => JSON.parse(body).key);
  assert.equal(new Set(keys).size, 2);
});

test('bitbucket asks for the full id of a commit once', async () => {
  await using fixture = await openFakeHost('bitbucket');
  addPull(fixture.fake.state, 1, { head: commit('a') });

  await fixture.host.openPullRequests({ signal });
  await fixture.host.openPullRequests({ signal });

  const asked = fixture.fake.server.seen.filter(({ url }) => /\/commit\//.test(url.pathname));
  assert.equal(asked.length, 1);
});

test('a member of a GitLab project whose account is blocked may do nothing', async () => {
  await using fixture = await openFakeHost('gitlab');
  fixture.fake.server.instead(/\/members\/all\/2$/, (_received, response) => {
    response.writeHead(200).end(JSON.stringify({ id: 2, username: 'alice', state: 'blocked', access_level: 50 }));
  });

  assert.equal(await fixture.host.permissionOf({ id: '2' }, { signal }), 'none');
});

test('gitlab files a status under the branch of its merge request', async () => {
  await using fixture = await openFakeHost('gitlab');
  addPull(fixture.fake.state, 1, { head: commit('a') });
  const status = { commit: commit('a'), context: 'plumb/plan', state: 'success', description: 'ok' } as const;

  await fixture.host.setStatus({ ...status, branch: 'change-1' }, { signal });
  await fixture.host.setStatus(status, { signal });

  const refs = fixture.fake.server.seen.map(({ body }) => JSON.parse(body).ref);
  assert.deepEqual(refs, ['change-1', undefined]);
});

test('a fork on Bitbucket that may not be read hides no other pull request', async () => {
  await using fixture = await openFakeHost('bitbucket');
  addPull(fixture.fake.state, 1);
  addPull(fixture.fake.state, 2, { isFromFork: true });
  fixture.fake.server.instead(/\/repositories\/fork\/shop\/commit\//, (_received, response) => {
    response.writeHead(403).end('{}');
  });

  const pulls = await fixture.host.openPullRequests({ signal });

  assert.deepEqual(
    pulls.map(({ number }) => number),
    [1],
  );
});

test('a status that GitLab refuses for another reason than being pending already is a refusal', async () => {
  await using fixture = await openFakeHost('gitlab');
  const status = { commit: commit('a'), context: 'plumb/plan', state: 'pending', description: '' } as const;
  fixture.fake.server.instead(/\/statuses\/a/, (_received, response) => void response.writeHead(400).end('{}'));

  await assert.rejects(fixture.host.setStatus(status, { signal }), { code: 'HostRefused' });
});

test('a commit of a fork whose id begins like another is not taken for it', async () => {
  await using fixture = await openFakeHost('bitbucket');
  const forged = `${'a'.repeat(12)}${'b'.repeat(28)}`;
  addPull(fixture.fake.state, 1, { head: commit('a') });
  addPull(fixture.fake.state, 2, { head: forged, isFromFork: true });
  fixture.fake.server.instead(/\/repositories\/fork\/shop\/commit\//, (_received, response) => {
    response.writeHead(200).end(JSON.stringify({ hash: forged }));
  });

  const pulls = await fixture.host.openPullRequests({ signal });

  assert.deepEqual(
    pulls.map(({ number, head }) => [number, head]),
    [
      [2, forged],
      [1, commit('a')],
    ],
  );
});
