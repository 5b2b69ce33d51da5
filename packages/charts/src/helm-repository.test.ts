import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { OTHER_CA, TEST_CA } from '@plumb/test-support';
import { chartArchive } from '../test/chart-archive.ts';
import { openTestCharts } from '../test/charts-fixture.ts';
import { startHelmRepository, type HelmRepositoryServer } from '../test/helm-repository-server.ts';
import { answer, basic, redirect, startLoopbackServer } from '../test/loopback-server.ts';
import { startOciRegistry } from '../test/oci-registry-server.ts';

const { signal } = new AbortController();
const alice = { username: 'alice', password: 's3cret' };
const login = basic('alice', 's3cret');
const anonymous = { credentials: {}, signal };

test('an exact version is fetched with its digest', async () => {
  await using server = await repositoryWith('1.0.0', '1.1.0');
  await using fixture = await openTestCharts();

  const chart = await fixture.charts.resolve({ url: server.url, name: 'web', version: '1.0.0' }, anonymous);

  assert.equal(chart.name, 'web');
  assert.equal(chart.version, '1.0.0');
  assert.deepEqual(Buffer.from(chart.bytes), archive('1.0.0'));
  assert.equal(chart.digest, `sha256:${createHash('sha256').update(archive('1.0.0')).digest('hex')}`);
  assert.deepEqual(await fixture.charts.read(chart.digest), chart.bytes);
});

test('a range is the newest that it means, prereleases where it names one', async () => {
  await using server = await repositoryWith('1.0.0', '1.2.0', '1.1.0', '2.0.0-rc.1', 'v1.3.0+b2');
  await using fixture = await openTestCharts();
  const versionOf = async (version: string): Promise<string> =>
    (await fixture.charts.resolve({ url: `${server.url}/`, name: 'web', version }, anonymous)).version;

  assert.equal(await versionOf('>=1.0, <1.3'), '1.2.0');
  assert.equal(await versionOf(''), 'v1.3.0+b2');
  assert.equal(await versionOf('*'), 'v1.3.0+b2');
  assert.equal(await versionOf('>=1.0.0-0'), '2.0.0-rc.1');
  assert.equal(server.seen.filter(({ path }) => path.endsWith('index.yaml')).length, 1);
});

test('a version that is not there names the newest that are, a chart that is not there its name', async () => {
  await using server = await repositoryWith('1.0.0', '1.1.0', '2.0.0-rc.1');
  await using fixture = await openTestCharts();

  await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '^3' }, anonymous), {
    code: 'ChartVersionMissing',
    message: /\/stable\/web has no version that matches "\^3": the newest are 2\.0\.0-rc\.1, 1\.1\.0, 1\.0\.0$/,
  });
  await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'api', version: '' }, anonymous), {
    code: 'ChartNotFound',
    message: /\/stable\/api/,
  });
});

test('an archive that is not what the index promised is refused, whatever the promise looks like', async () => {
  await using server = await startHelmRepository();
  for (const [version, digest] of [
    ['1.0.0', 'f'.repeat(64)],
    ['1.1.0', 'sha256:nonsense'],
  ] as const) {
    server.publish({ name: 'web', version, bytes: archive(version), digest });
  }
  await using fixture = await openTestCharts();

  for (const version of ['1.0.0', '1.1.0']) {
    await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version }, anonymous), {
      code: 'ChartDigestMismatch',
    });
  }
});

test('an index without digests is taken, a page instead of an archive is not', async () => {
  await using server = await startHelmRepository();
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0'), digest: null });
  server.publish({ name: 'web', version: '1.1.0', bytes: Buffer.from('<html>sign in</html>'), digest: null });
  await using fixture = await openTestCharts();

  const chart = await fixture.charts.resolve({ url: server.url, name: 'web', version: '1.0.0' }, anonymous);

  assert.deepEqual(Buffer.from(chart.bytes), archive('1.0.0'));
  await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '1.1.0' }, anonymous), {
    code: 'ChartRepositoryInvalid',
    message: /no \.tgz/,
  });
});

test('credentials go to the host of the repository, and to no other that its index names', async () => {
  await using other = await startLoopbackServer(answer(200, archive('1.1.0')));
  await using server = await startHelmRepository({ authorization: login });
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0') });
  server.publish({ name: 'web', version: '1.1.0', bytes: archive('1.1.0'), url: `${other.origin}/web.tgz` });
  await using fixture = await openTestCharts();
  const options = { credentials: alice, signal };

  await fixture.charts.resolve({ url: server.url, name: 'web', version: '1.0.0' }, options);
  await fixture.charts.resolve({ url: server.url, name: 'web', version: '1.1.0' }, options);

  assert.deepEqual(
    server.seen.map(({ path, authorization }) => [path, authorization]),
    [
      ['/stable/index.yaml', login],
      ['/stable/web-1.0.0.tgz', login],
    ],
  );
  assert.deepEqual(other.seen, [{ path: '/web.tgz', authorization: undefined, ifNoneMatch: undefined }]);
});

test('a redirect to another host is followed without credentials, even where it leads back', async () => {
  await using server = await repositoryWith('1.0.0');
  await using other = await startLoopbackServer(redirect(`${server.origin}/back.tgz`));
  server.at('/stable/web-1.0.0.tgz', redirect('/moved.tgz'));
  server.at('/moved.tgz', redirect(`${other.origin}/elsewhere?signature=abc`));
  server.at('/back.tgz', answer(200, archive('1.0.0')));
  await using fixture = await openTestCharts();

  const chart = await fixture.charts.resolve(
    { url: server.url, name: 'web', version: '1.0.0' },
    { credentials: alice, signal },
  );

  assert.deepEqual(Buffer.from(chart.bytes), archive('1.0.0'));
  assert.deepEqual(
    [...server.seen, ...other.seen].map(({ path, authorization }) => [path, authorization]),
    [
      ['/stable/index.yaml', login],
      ['/stable/web-1.0.0.tgz', login],
      ['/moved.tgz', login],
      ['/back.tgz', undefined],
      ['/elsewhere?signature=abc', undefined],
    ],
  );
});

test('a redirect that leads too far, nowhere or to plain http is not followed', async () => {
  await using server = await repositoryWith('1.0.0');
  await using fixture = await openTestCharts();
  const locations = [
    '/stable/index.yaml',
    'http://[',
    'http://charts.example.com/x',
    'https://u:p@127.0.0.1/x',
    'ftp://h/x',
  ];

  for (const location of locations) {
    server.at('/stable/index.yaml', redirect(location));
    await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '' }, anonymous), {
      code: 'RedirectBlocked',
    });
  }
  assert.equal(server.seen.length, 6 + locations.length - 1);
});

test('an https repository leads to plain http neither by a redirect nor by its index', async () => {
  await using plain = await startLoopbackServer(answer(200, archive('1.0.0')));
  await using server = await startHelmRepository({ tls: true });
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0'), url: `${plain.origin}/web.tgz` });
  server.publish({ name: 'web', version: '1.1.0', bytes: archive('1.1.0') });
  server.publish({ name: 'web', version: '1.2.0', bytes: archive('1.2.0'), url: `oci://${plain.host}/web:1.2.0` });
  server.at('/stable/web-1.1.0.tgz', redirect(`${plain.origin}/web.tgz`));
  await using fixture = await openTestCharts();

  for (const version of ['1.0.0', '1.1.0', '1.2.0']) {
    await assert.rejects(
      fixture.charts.resolve({ url: server.url, name: 'web', version }, { credentials: { caPem: TEST_CA }, signal }),
      { code: 'RedirectBlocked' },
    );
  }
  assert.deepEqual(plain.seen, []);
});

test('a certificate is checked, and an authority of the Secret counts', async () => {
  await using server = await startHelmRepository({ tls: true });
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0') });
  await using fixture = await openTestCharts();
  const source = { url: server.url, name: 'web', version: '1.0.0' };
  const trusting = (caPem: string) => fixture.charts.resolve(source, { credentials: { caPem }, signal });

  assert.equal((await trusting(TEST_CA)).version, '1.0.0');
  await assert.rejects(fixture.charts.resolve({ ...source, version: '' }, anonymous), { code: 'TlsUntrusted' });
  await assert.rejects(
    fixture.charts.resolve({ ...source, version: '' }, { credentials: { caPem: OTHER_CA }, signal }),
    {
      code: 'TlsUntrusted',
    },
  );
  await assert.rejects(
    fixture.charts.resolve({ ...source, version: '' }, { credentials: { caPem: 'no PEM' }, signal }),
    {
      code: 'SecretInvalid',
    },
  );
});

test('an answer that is no success has its code, and repeats neither body nor secret', async () => {
  await using server = await repositoryWith('1.0.0');
  await using fixture = await openTestCharts();
  const expected = [
    [401, 'ChartRepositoryUnauthorized'],
    [403, 'ChartRepositoryUnauthorized'],
    [404, 'ChartRepositoryInvalid'],
    [500, 'ChartRepositoryUnreachable'],
    [503, 'ChartRepositoryUnreachable'],
    [304, 'ChartRepositoryUnreachable'],
  ] as const;

  for (const [status, code] of expected) {
    server.at('/stable/index.yaml', (request, response) => {
      answer(status, `you sent ${request.headers.authorization}`, { 'retry-after': '7' })(request, response);
    });
    await assert.rejects(
      fixture.charts.resolve({ url: server.url, name: 'web', version: '' }, { credentials: alice, signal }),
      (error: Error & { code?: string; retryAfterMs?: number }) =>
        error.code === code &&
        !/s3cret|you sent/.test(`${error.message} ${String(error.cause)}`) &&
        (code !== 'ChartRepositoryUnreachable' || error.retryAfterMs === 7000),
      `${status}`,
    );
  }
});

test('an archive that the index names and the host does not have is a chart that is not found', async () => {
  await using server = await repositoryWith('1.0.0');
  server.at('/stable/web-1.0.0.tgz', answer(404));
  await using fixture = await openTestCharts();

  await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '1.0.0' }, anonymous), {
    code: 'ChartNotFound',
    message: /web-1\.0\.0\.tgz: the host answered 404/,
  });
});

test('a page or broken YAML instead of an index is said, not read as an empty one', async () => {
  await using server = await repositoryWith('1.0.0');
  await using fixture = await openTestCharts();

  for (const body of ['<!doctype html><title>Sign in</title>', 'entries: [', '', 'hello']) {
    server.at('/stable/index.yaml', answer(200, body));
    await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '' }, anonymous), {
      code: 'ChartRepositoryInvalid',
    });
  }
});

test('an answer that is cut short is an error, of an index and of an archive', async () => {
  await using server = await repositoryWith('1.0.0');
  await using fixture = await openTestCharts();
  for (const path of ['/stable/web-1.0.0.tgz', '/stable/index.yaml']) {
    server.at(path, (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('entries: {}', () => response.destroy());
    });

    await assert.rejects(
      fixture.charts.resolve({ url: server.url, name: 'web', version: '1.0.0' }, { ...anonymous, maxAgeMs: 0 }),
      { code: 'ChartRepositoryUnreachable' },
    );
  }
});

test('an archive that is too large is refused, by what it says of itself and by what comes', async () => {
  await using server = await repositoryWith('1.0.0');
  await using fixture = await openTestCharts();
  const source = { url: server.url, name: 'web', version: '1.0.0' };

  server.at('/stable/web-1.0.0.tgz', (_request, response) => {
    response.writeHead(200, { 'content-length': String(21 * 1024 * 1024) });
    response.flushHeaders();
  });
  await assert.rejects(fixture.charts.resolve(source, anonymous), { code: 'ChartTooLarge', message: /20 MiB/ });

  server.at('/stable/web-1.0.0.tgz', (_request, response) => {
    const endless = (): void => void response.write(Buffer.alloc(1024 * 1024), (error) => error ?? endless());
    endless();
  });
  await assert.rejects(fixture.charts.resolve(source, anonymous), { code: 'ChartTooLarge', message: /20 MiB/ });
});

test('a host that cannot be reached is named', async () => {
  const server = await startHelmRepository();
  await server[Symbol.asyncDispose]();
  await using fixture = await openTestCharts();

  await assert.rejects(fixture.charts.resolve({ url: server.url, name: 'web', version: '' }, anonymous), {
    code: 'ChartRepositoryUnreachable',
    message: `GET ${server.url}/index.yaml: connect ECONNREFUSED ${server.host}`,
  });
});

test('an index may lead to a registry, which is shown no credentials of another host', async () => {
  await using registry = await startOciRegistry();
  registry.push('charts/web', '1.0.0_b1', archive('1.0.0+b1'));
  await using server = await startHelmRepository({ authorization: login });
  const url = `oci://${registry.host}/charts/web:1.0.0_b1`;
  server.publish({ name: 'web', version: '1.0.0+b1', bytes: archive('1.0.0+b1'), url });
  await using fixture = await openTestCharts();

  const chart = await fixture.charts.resolve(
    { url: server.url, name: 'web', version: '1.0.0+b1' },
    { credentials: alice, signal },
  );

  assert.deepEqual(Buffer.from(chart.bytes), archive('1.0.0+b1'));
  assert.deepEqual(
    registry.seen.map(({ authorization }) => authorization),
    [undefined, undefined],
  );
});

function archive(version: string): Buffer {
  return chartArchive({ name: 'web', version });
}

async function repositoryWith(...versions: readonly string[]): Promise<HelmRepositoryServer> {
  const server = await startHelmRepository();
  for (const version of versions) server.publish({ name: 'web', version, bytes: archive(version) });
  return server;
}
