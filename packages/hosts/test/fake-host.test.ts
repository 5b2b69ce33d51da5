// What the contract does not see, because Plumb keeps to it: the fakes refuse what the hosts refuse.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, startFakeHost, type FakeHost } from './fake-host.ts';
import { addComment, addPull, ALICE, commit } from './fake-state.ts';

async function ask(fake: FakeHost, path: string, init: { readonly method?: string; readonly body?: object } = {}) {
  const { token } = fake.state;
  const headers = {
    authorization: fake.kind === 'gitea' ? `token ${token}` : `Bearer ${token}`,
    'private-token': token,
  };
  const body = init.body === undefined ? {} : { body: JSON.stringify(init.body) };
  const answer = await fetch(`${fake.address.api}${path}`, {
    method: init.method ?? 'GET',
    headers,
    ...body,
    redirect: 'manual',
  });
  const text = await answer.text();
  return { status: answer.status, link: answer.headers.get('link'), body: text === '' ? undefined : JSON.parse(text) };
}

for (const kind of KINDS) {
  test(`${kind}: who does not show the token is not let in, and an address that it does not have is not there`, async () => {
    await using fake = await startFakeHost(kind);

    assert.equal((await fetch(`${fake.address.api}/user`)).status, 401);
    assert.equal((await ask(fake, '/nothing')).status, 404);
    assert.equal((await ask(fake, '/user')).status, 200);
    fake.state.me = null;
    assert.equal((await ask(fake, '/user')).status, 403);
  });

  test(`${kind}: an override answers once, or always`, async () => {
    await using fake = await startFakeHost(kind);
    fake.server.instead(/\/user$/, (_received, response) => void response.writeHead(500).end());

    assert.equal((await ask(fake, '/user')).status, 500);
    assert.equal((await ask(fake, '/user')).status, 200);
    assert.equal(fake.server.seen.length, 2);
  });
}

test('github refuses a long description, a long comment and a state that it does not know', async () => {
  await using fake = await startFakeHost('github');
  addPull(fake.state, 1);
  const status = (body: object) => ask(fake, `/repos/acme/shop/statuses/${commit('a')}`, { method: 'POST', body });

  const right = { context: 'c', state: 'success', description: 'd' };
  assert.equal((await status(right)).status, 201);
  assert.equal((await status({ ...right, description: 'd'.repeat(141) })).status, 422);
  assert.equal((await status({ ...right, state: 'failed' })).status, 422);
  const comment = { method: 'POST', body: { body: 'x'.repeat(65_537) } };
  assert.equal((await ask(fake, '/repos/acme/shop/issues/1/comments', comment)).status, 422);
});

test('gitlab does not make pending what is pending, and lists notes the newest first unless asked', async () => {
  await using fake = await startFakeHost('gitlab');
  const pull = addPull(fake.state, 1);
  addComment(fake.state, pull, ALICE, 'first');
  addComment(fake.state, pull, ALICE, 'second');
  const project = `/projects/${encodeURIComponent('acme/platform/shop')}`;
  const status = () =>
    ask(fake, `${project}/statuses/${commit('a')}`, {
      method: 'POST',
      body: { name: 'c', state: 'pending', description: '' },
    });

  assert.deepEqual([(await status()).status, (await status()).status], [201, 400]);
  assert.equal((await ask(fake, `${project}/merge_requests/1/notes`)).body[0].body, 'second');
});

test('gitea gives out no more than 50 at once', async () => {
  await using fake = await startFakeHost('gitea');
  addPull(fake.state, 1, { files: Array.from({ length: 51 }, (_, index) => ({ path: `${index}` })) });

  const { body, link } = await ask(fake, '/repos/acme/shop/pulls/1/files?limit=100');

  assert.equal(body.length, 50);
  assert.match(link ?? '', /page=2/);
});

test('bitbucket refuses a long key and a status without a link, and leads on to the list of files', async () => {
  await using fake = await startFakeHost('bitbucket');
  addPull(fake.state, 1);
  const right = { key: 'k', name: 'n', state: 'SUCCESSFUL', description: 'd', url: 'https://plumb.example' };
  const status = async (body: object) =>
    (await ask(fake, `/repositories/acme/shop/commit/${commit('a')}/statuses/build`, { method: 'POST', body })).status;

  assert.deepEqual(
    [await status(right), await status({ ...right, key: 'k'.repeat(41) }), await status({ ...right, url: undefined })],
    [201, 400, 400],
  );
  assert.equal((await ask(fake, '/repositories/acme/shop/pullrequests/1/diffstat')).status, 302);
});
