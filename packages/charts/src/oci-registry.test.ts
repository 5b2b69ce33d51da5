import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TEST_CA } from '@plumb/test-support';
import { chartArchive } from '../test/chart-archive.ts';
import { openTestCharts } from '../test/charts-fixture.ts';
import { answer, basic, redirect, startLoopbackServer } from '../test/loopback-server.ts';
import { startOciRegistry, type OciRegistryServer, type RegistryOptions } from '../test/oci-registry-server.ts';

const { signal } = new AbortController();
const alice = { username: 'alice', password: 's3cret' };
const login = basic('alice', 's3cret');
const anonymous = { credentials: {}, signal };
const asAlice = { credentials: alice, signal };
const byToken = { auth: { scheme: 'bearer', authorization: login } } as const;

test('an exact version is the tag of that name, and needs no list', async () => {
  await using server = await registryWith({}, '1.0.0', '1.1.0');
  await using fixture = await openTestCharts();

  const chart = await fixture.charts.resolve(sourceOf(server, '1.0.0'), anonymous);

  assert.equal(chart.version, '1.0.0');
  assert.deepEqual(Buffer.from(chart.bytes), archive('1.0.0'));
  assert.deepEqual(
    server.seen.map(({ path }) => path),
    ['/v2/charts/web/manifests/1.0.0', `/v2/charts/web/blobs/${chart.digest}`],
  );
});

test('a range is chosen from all pages of tags; what is no version is passed over', async () => {
  await using server = await registryWith(
    { pageSize: 2 },
    '1.0.0',
    'latest',
    '1.3.0',
    '1.1.0',
    'sha256-abc.sig',
    '2.0.0-rc.1',
    '1.2.0',
  );
  await using fixture = await openTestCharts();

  assert.equal((await fixture.charts.resolve(sourceOf(server, '^1'), anonymous)).version, '1.3.0');
  assert.equal((await fixture.charts.resolve(sourceOf(server, ''), anonymous)).version, '1.3.0');
  assert.equal((await fixture.charts.resolve(sourceOf(server, '>=2.0.0-0'), anonymous)).version, '2.0.0-rc.1');
  assert.equal(server.seen.filter(({ path }) => path.includes('/tags/list')).length, 4);
});

test('a "+" of the version is a "_" of the tag', async () => {
  await using server = await registryWith({}, '1.0.0_b1');
  await using fixture = await openTestCharts();

  assert.equal((await fixture.charts.resolve(sourceOf(server, '1.0.0+b1'), anonymous)).version, '1.0.0+b1');
  assert.equal((await fixture.charts.resolve(sourceOf(server, '^1'), anonymous)).version, '1.0.0+b1');
});

test('a version whose tag has a "v" in front is found in the list', async () => {
  await using server = await registryWith({}, 'v1.0.0');
  await using fixture = await openTestCharts();

  assert.equal((await fixture.charts.resolve(sourceOf(server, '1.0.0'), anonymous)).version, 'v1.0.0');
});

test('what is not there is told apart: the chart, or the version', async () => {
  await using server = await registryWith({}, '1.0.0', '1.1.0');
  await using fixture = await openTestCharts();

  await assert.rejects(fixture.charts.resolve(sourceOf(server, '2.0.0'), anonymous), {
    code: 'ChartVersionMissing',
    message: /"2\.0\.0": the newest are 1\.1\.0, 1\.0\.0$/,
  });
  await assert.rejects(fixture.charts.resolve({ ...sourceOf(server, '1.0.0'), name: 'api' }, anonymous), {
    code: 'ChartNotFound',
  });
});

test('a token is fetched once for a chart, with the password, and renewed when it ends or is revoked', async () => {
  await using server = await registryWith({ ...byToken, tokenLifetimeS: 60 }, '1.0.0', '1.1.0', '1.2.0', '1.3.0');
  await using fixture = await openTestCharts();
  const tokens = (): number => server.seen.filter(({ path }) => path.startsWith('/token')).length;

  await fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice);
  await fixture.charts.resolve(sourceOf(server, '1.1.0'), asAlice);
  assert.equal(tokens(), 1);
  const first = server.seen.find(({ path }) => path.startsWith('/token'));
  assert.equal(first?.path, '/token?service=fake+registry&scope=repository%3Acharts%2Fweb%3Apull');
  assert.equal(first.authorization, login);

  fixture.clock.advance(60_000);
  await fixture.charts.resolve(sourceOf(server, '1.2.0'), asAlice);
  assert.equal(tokens(), 2);

  server.revokeTokens();
  await fixture.charts.resolve(sourceOf(server, '1.3.0'), asAlice);
  assert.equal(tokens(), 3);
  const toRegistry = server.seen.filter(({ path }) => path.startsWith('/v2/'));
  assert.ok(
    toRegistry.every(({ authorization }) => authorization?.startsWith('Bearer ') ?? true),
    'never the password',
  );
});

test('a registry that asks for a password gets it', async () => {
  await using server = await registryWith({ auth: { scheme: 'basic', authorization: login } }, '1.0.0');
  await using fixture = await openTestCharts();

  await fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice);

  assert.deepEqual(
    server.seen.map(({ authorization }) => authorization),
    [undefined, login, login],
  );
});

test('who has no right is told so, after one more try', async () => {
  for (const auth of [byToken.auth, { scheme: 'basic', authorization: login } as const]) {
    await using server = await registryWith({ auth }, '1.0.0');
    await using fixture = await openTestCharts();

    for (const credentials of [{}, { ...alice, password: 'wr0ng' }]) {
      await assert.rejects(
        fixture.charts.resolve(sourceOf(server, '1.0.0'), { credentials, signal }),
        (error: Error & { code?: string }) =>
          error.code === 'ChartRepositoryUnauthorized' && !error.message.includes('wr0ng'),
      );
    }
  }
});

test('a token that the registry does not take is not tried for ever', async () => {
  await using tokens = await startLoopbackServer(answer(200, '{"access_token": "worthless"}'));
  await using server = await registryWith({ ...byToken, realm: `${tokens.origin}/token` }, '1.0.0');
  await using fixture = await openTestCharts();

  await assert.rejects(fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice), {
    code: 'ChartRepositoryUnauthorized',
  });

  assert.equal(tokens.seen.length, 1);
  assert.equal(server.seen.length, 2);
});

test('a password goes to no token server over plain http, and to none that another host names', async () => {
  await using server = await registryWith({ ...byToken, realm: 'http://tokens.example.com/token' }, '1.0.0');
  await using fixture = await openTestCharts();
  await assert.rejects(fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice), { code: 'RedirectBlocked' });

  await using tokens = await startLoopbackServer(answer(200, '{"token": "t"}'));
  const challenge = { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` };
  await using other = await startLoopbackServer(answer(401, '', challenge));
  server.at('/v2/charts/web/manifests/1.0.0', redirect(`${other.origin}/manifest`));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice), {
    code: 'ChartRepositoryUnauthorized',
  });
  assert.equal(other.seen.length, 1);
  assert.deepEqual(tokens.seen, []);
});

test('a registry over TLS names no token server without', async () => {
  await using tokens = await startLoopbackServer(answer(200, '{"token": "t"}'));
  await using server = await registryWith({ ...byToken, realm: `${tokens.origin}/token`, tls: true }, '1.0.0');
  await using fixture = await openTestCharts();

  await assert.rejects(
    fixture.charts.resolve(sourceOf(server, '1.0.0'), { credentials: { ...alice, caPem: TEST_CA }, signal }),
    { code: 'RedirectBlocked' },
  );

  assert.deepEqual(tokens.seen, []);
});

test('an archive on another host is fetched there without a token', async () => {
  await using storage = await startLoopbackServer(answer(200, archive('1.0.0')));
  await using server = await registryWith(byToken, '1.0.0');
  await using fixture = await openTestCharts();
  const { digest } = await fixture.charts.resolve(sourceOf(server, '1.0.0'), asAlice);
  await using again = await openTestCharts();
  server.at(`/v2/charts/web/blobs/${digest}`, redirect(`${storage.origin}/blob?signature=abc`));

  await again.charts.resolve(sourceOf(server, '1.0.0'), asAlice);

  assert.deepEqual(storage.seen, [{ path: '/blob?signature=abc', authorization: undefined, ifNoneMatch: undefined }]);
});

test('what is not a chart, not what was promised or too large is refused', async () => {
  await using server = await registryWith({});
  server.push('charts/web', '1.0.0', archive('1.0.0'), { configType: 'application/vnd.oci.image.config.v1+json' });
  server.push('charts/web', '1.1.0', archive('1.1.0'), { served: archive('6.6.6') });
  server.push('charts/web', '1.2.0', archive('1.2.0'), { size: 21 * 1024 * 1024 });
  server.at('/v2/charts/web/manifests/1.3.0', answer(200, '<html>sign in</html>'));
  await using fixture = await openTestCharts();
  const expected = {
    '1.0.0': 'ChartRepositoryInvalid',
    '1.1.0': 'ChartDigestMismatch',
    '1.2.0': 'ChartTooLarge',
    '1.3.0': 'ChartRepositoryInvalid',
  };

  for (const [version, code] of Object.entries(expected)) {
    await assert.rejects(fixture.charts.resolve(sourceOf(server, version), anonymous), { code }, version);
  }
});

test('a list of tags that never ends, leaves the host or is none is refused', async () => {
  await using server = await registryWith({}, '1.0.0');
  await using fixture = await openTestCharts();
  const list = '/v2/charts/web/tags/list';

  server.at(list, answer(200, '{"tags": ["1.0.0"]}', { link: `<${list}?n=1>; rel="next"` }));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, ''), anonymous), /more than 100 pages/);

  server.at(list, answer(200, '{"tags": ["1.0.0"]}', { link: '<https://example.com/next>; rel="next"' }));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, ''), anonymous), /another host/);

  server.at(list, answer(200, '{"tags": 1}'));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, ''), anonymous), { code: 'ChartRepositoryInvalid' });

  server.at(list, answer(200, '{"tags": null}'));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, ''), anonymous), {
    code: 'ChartVersionMissing',
    message: /has no release: it has no version at all/,
  });

  server.at(list, answer(500));
  await assert.rejects(fixture.charts.resolve(sourceOf(server, ''), anonymous), { code: 'ChartRepositoryUnreachable' });
});

function sourceOf(server: OciRegistryServer, version: string) {
  return { url: `oci://${server.host}/charts`, name: 'web', version };
}

function archive(version: string): Buffer {
  return chartArchive({ name: 'web', version });
}

async function registryWith(options: RegistryOptions, ...tags: readonly string[]): Promise<OciRegistryServer> {
  const server = await startOciRegistry(options);
  for (const tag of tags) server.push('charts/web', tag, archive(tag.replaceAll('_', '+')));
  return server;
}
