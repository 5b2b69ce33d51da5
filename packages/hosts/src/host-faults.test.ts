import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlumbError } from '@plumb/core';
import { ManualClock, OTHER_CA, TEST_CA } from '@plumb/test-support';
import { KINDS, openFakeHost, startFakeHost } from '../test/fake-host.ts';
import { addPull, commit } from '../test/fake-state.ts';
import { answer } from '../test/loopback-server.ts';
import { openHost } from './open-host.ts';

const { signal } = new AbortController();

async function failureOf(promise: Promise<unknown>): Promise<PlumbError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof PlumbError, `${String(thrown)}`);
  return thrown;
}

for (const kind of KINDS) {
  test(`${kind}: each refusal has its code, and repeats neither the token nor what the host wrote`, async () => {
    await using fixture = await openFakeHost(kind);
    const { server, state } = fixture.fake;
    const cases: readonly (readonly [status: number, code: string])[] = [
      [400, 'HostRefused'],
      [401, 'HostUnauthorized'],
      [403, 'HostUnauthorized'],
      [404, 'HostNotFound'],
      [409, 'HostRefused'],
      [422, 'HostRefused'],
      [429, 'HostRateLimited'],
      [500, 'HostUnreachable'],
      [502, 'HostUnreachable'],
      [503, 'HostUnreachable'],
    ];

    for (const [status, code] of cases) {
      server.instead(/./, answer(status, `it was ${state.token} and CANARY-secret`));
      const error = await failureOf(fixture.host.pullRequest(1, { signal }));
      assert.equal(error.code, code, String(status));
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`, /CANARY/);
      assert.match(error.message, new RegExp(`^GET http://127\\.0\\.0\\.1:\\d+/.*: the host answered ${status}`));
    }
  });

  test(`${kind}: a wrong token is told as one`, async () => {
    await using fixture = await openFakeHost(kind, { token: 'CANARY-other' });
    addPull(fixture.fake.state, 1);

    const error = await failureOf(fixture.host.openPullRequests({ signal }));

    assert.equal(error.code, 'HostUnauthorized');
    assert.doesNotMatch(`${error.message}${error.fix}`, /CANARY/);
  });

  test(`${kind}: a pull request that does not exist is not found`, async () => {
    await using fixture = await openFakeHost(kind);

    for (const call of [
      fixture.host.pullRequest(99, { signal }),
      fixture.host.changedFiles(99, { signal }),
      fixture.host.reviews(99, { signal }),
      fixture.host.reply(99, 'hello', { signal }),
    ]) {
      assert.equal((await failureOf(call)).code, 'HostNotFound');
    }
  });

  test(`${kind}: a body that is cut off is no answer, and neither is a page of HTML or another shape`, async () => {
    await using fixture = await openFakeHost(kind);
    const { server } = fixture.fake;

    server.instead(/./, (_received, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"number": 1', () => response.destroy());
    });
    assert.equal((await failureOf(fixture.host.pullRequest(1, { signal }))).code, 'HostUnreachable');
    for (const body of ['{"number": 1', '<html>sign in</html>', '', '[]', '{"number":"1"}', 'null']) {
      server.instead(/./, answer(200, body));
      assert.equal((await failureOf(fixture.host.pullRequest(1, { signal }))).code, 'HostAnswerInvalid', body);
    }
  });

  test(`${kind}: an answer that does not come is given up after 30 s, and after an abort at once`, async () => {
    await using fixture = await openFakeHost(kind);
    const asked = Promise.withResolvers<void>();
    fixture.fake.server.instead(/./, () => asked.resolve());
    const slow = failureOf(fixture.host.pullRequest(1, { signal }));
    await asked.promise;
    fixture.clock.advance(30_000);

    const error = await slow;
    assert.equal(error.code, 'HostUnreachable');
    assert.match(error.message, /not complete after 30 s/);

    const stop = new AbortController();
    const reason = new Error('the engine stops');
    fixture.fake.server.instead(/./, () => stop.abort(reason));
    await assert.rejects(fixture.host.pullRequest(1, { signal: stop.signal }), (thrown) => thrown === reason);
    assert.equal(fixture.clock.pending, 0);
  });

  test(`${kind}: a host that always has one more page is not followed for ever`, async () => {
    await using fixture = await openFakeHost(kind);
    addPull(fixture.fake.state, 1);
    const pages = { values: [], next: `${fixture.fake.server.origin}/x?page=2` };
    const link = `<${fixture.fake.server.origin}/x?page=2>; rel="next"`;
    fixture.fake.server.instead(/(?:comments|notes)$/, answer(200, kind === 'bitbucket' ? pages : '[]', { link }), {
      always: true,
    });

    const sticky = { number: 1, marker: '[//]: # (plumb-plan:x)', body: '[//]: # (plumb-plan:x)' };
    const error = await failureOf(fixture.host.upsertSticky(sticky, { signal }));

    assert.equal(error.code, 'HostAnswerInvalid');
    assert.equal(fixture.fake.server.seen.length, 100);
  });
}

test('a rate limit is told with how long to wait, whichever way the host says it', async () => {
  await using fixture = await openFakeHost('github');
  const { server } = fixture.fake;
  const date = new Date(1_700_000_000_000).toUTCString();
  const reset = (seconds: number): string => String(1_700_000_000 + seconds);
  const ours = String(fixture.clock.now() / 1000 + 45);
  const cases: readonly (readonly [number, Readonly<Record<string, string>>, string, number])[] = [
    [429, { 'retry-after': '7' }, '', 7_000],
    [403, { 'retry-after': '5' }, '', 5_000],
    [403, { 'retry-after': '61' }, 'You have exceeded a secondary rate limit', 61_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(120), date }, '', 120_000],
    [429, { 'ratelimit-remaining': '0', 'ratelimit-reset': reset(30), date }, '', 30_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': ours, date: 'never' }, '', 45_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(-5), date }, '', 1_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset(999_999), date }, '', 3_600_000],
    [403, {}, 'API rate limit exceeded for user ID 1.', 60_000],
    [429, { 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' }, '', 60_000],
  ];

  for (const [status, headers, body, waitMs] of cases) {
    server.instead(/./, answer(status, body, headers));
    const error = await failureOf(fixture.host.pullRequest(1, { signal }));
    assert.deepEqual([error.code, error.retryAfterMs], ['HostRateLimited', waitMs], JSON.stringify(headers));
  }
});

test('a host that is busy says when to come back', async () => {
  await using fixture = await openFakeHost('gitea');
  fixture.fake.server.instead(/./, answer(503, '', { 'retry-after': '20' }));

  const error = await failureOf(fixture.host.pullRequest(1, { signal }));

  assert.deepEqual([error.code, error.retryAfterMs], ['HostUnreachable', 20_000]);
});

test('a repository that was renamed is followed at its host, without changing a write into a read', async () => {
  await using fixture = await openFakeHost('github');
  const { state, server } = fixture.fake;
  addPull(state, 1, { head: commit('a') });
  const to = (path: string) => `${server.origin}/api/v3/repos/acme/shop/${path}`;
  server.instead(/\/pulls\/1$/, answer(301, '', { location: to('pulls/1') }));
  server.instead(/\/statuses\//, answer(307, '', { location: to(`statuses/${commit('a')}`) }));
  const status = { commit: commit('a'), context: 'plumb/plan', state: 'success', description: 'ok' } as const;

  assert.equal((await fixture.host.pullRequest(1, { signal })).number, 1);
  await fixture.host.setStatus(status, { signal });
  assert.equal(state.statuses.length, 1);

  server.instead(/\/statuses\//, answer(302, '', { location: to(`statuses/${commit('a')}`) }));
  assert.equal((await failureOf(fixture.host.setStatus(status, { signal }))).code, 'RedirectBlocked');
});

test('the token is never led to another host, by a redirect or by the address of a next page', async () => {
  await using fixture = await openFakeHost('github');
  await using thief = await startFakeHost('github');
  const { server, state } = fixture.fake;
  for (const number of [1, 2, 3]) addPull(state, number);
  state.pageSize = 2;

  server.instead(/\/pulls\/1$/, answer(302, '', { location: `${thief.server.origin}/api/v3/repos/acme/shop/pulls/1` }));
  assert.equal((await failureOf(fixture.host.pullRequest(1, { signal }))).code, 'RedirectBlocked');
  const query = { state: 'open', sort: 'updated', direction: 'desc' };
  server.instead(/\/pulls$/, (_received, response) => {
    response
      .writeHead(200, {
        link: `<${thief.server.origin}/api/v3/repos/acme/shop/pulls?${new URLSearchParams({ ...query, page: '2' }).toString()}>; rel="next"`,
      })
      .end('[]');
  });
  const pulls = await fixture.host.openPullRequests({ signal });

  assert.deepEqual(
    pulls.map(({ number }) => number),
    [1],
  );

  assert.deepEqual(thief.server.seen, []);
});

test('a redirect that goes in a circle ends', async () => {
  await using fixture = await openFakeHost('gitlab');
  fixture.fake.server.instead(/./, answer(302, '', { location: '/api/v4/again' }), { always: true });

  assert.equal((await failureOf(fixture.host.pullRequest(1, { signal }))).code, 'RedirectBlocked');
  assert.equal(fixture.fake.server.seen.length, 4);
});

test('an answer that is too large is not read to its end', async () => {
  await using fixture = await openFakeHost('gitea');
  fixture.fake.server.instead(/./, (_received, response) => {
    response.writeHead(200);
    const chunk = Buffer.alloc(1024 * 1024, 32);
    const more = (): void => {
      if (!response.destroyed) response.write(chunk, more);
    };
    more();
  });
  fixture.fake.server.instead(/./, answer(200, '', { 'content-length': String(17 * 1024 * 1024) }));

  for (let count = 0; count < 2; count++) {
    const error = await failureOf(fixture.host.pullRequest(1, { signal }));
    assert.equal(error.code, 'HostAnswerInvalid');
    assert.match(error.message, /larger than 16 MiB/);
  }
});

test('a host that is not there is unreachable, and says so without the token', async () => {
  const fake = await startFakeHost('github');
  await fake[Symbol.asyncDispose]();
  await using host = openHost({
    address: fake.address,
    credentials: { token: 'CANARY' },
    clock: new ManualClock(),
  });

  const error = await failureOf(host.pullRequest(1, { signal }));

  assert.equal(error.code, 'HostUnreachable');
  assert.match(error.message, /ECONNREFUSED/);
  assert.doesNotMatch(error.message, /CANARY/);
});

test('a certificate is checked, against an authority of the user as well', async () => {
  await using fake = await startFakeHost('github', { tls: true });
  addPull(fake.state, 1);
  const open = (caPem?: string) =>
    openHost({
      address: fake.address,
      credentials: { token: fake.state.token, ...(caPem === undefined ? {} : { caPem }) },
      clock: new ManualClock(),
    });

  await using trusting = open(TEST_CA);
  assert.equal((await trusting.pullRequest(1, { signal })).number, 1);
  for (const caPem of [undefined, OTHER_CA]) {
    await using wary = open(caPem);
    assert.equal((await failureOf(wary.pullRequest(1, { signal }))).code, 'TlsUntrusted');
  }
  assert.throws(() => open('no certificate'), { code: 'SecretInvalid' });
});

test('a user name makes the token a password on Bitbucket', async () => {
  await using fake = await startFakeHost('bitbucket');
  addPull(fake.state, 1);
  await using host = openHost({
    address: fake.address,
    credentials: { token: fake.state.token, username: 'plumb@example.com' },
    clock: new ManualClock(),
  });

  assert.equal((await host.pullRequest(1, { signal })).number, 1);
});

test('a filter that Bitbucket does not understand gives nobody the right of somebody else', async () => {
  await using fixture = await openFakeHost('bitbucket');
  const rows = { values: [{ permission: 'admin', user: { uuid: '{00000000-0000-4000-8000-000000000009}' } }] };
  fixture.fake.server.instead(/permissions/, answer(200, rows));

  const id = '{00000000-0000-4000-8000-000000000002}';
  assert.equal(await fixture.host.permissionOf({ id }, { signal }), 'none');
});
