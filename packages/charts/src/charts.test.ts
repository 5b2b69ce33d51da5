import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { chartArchive } from '../test/chart-archive.ts';
import { openTestCharts } from '../test/charts-fixture.ts';
import { startHelmRepository } from '../test/helm-repository-server.ts';
import { answer } from '../test/loopback-server.ts';
import { startOciRegistry } from '../test/oci-registry-server.ts';
import { openCharts } from './charts.ts';

const { signal } = new AbortController();
const anonymous = { credentials: {}, signal };

test('an exact version that was fetched before needs no request, after a restart as well', async () => {
  await using server = await repository();
  await using fixture = await openTestCharts();
  const first = await fixture.charts.resolve(webAt(server.url, '1.0.0'), anonymous);
  const requests = server.seen.length;

  const second = await fixture.charts.resolve(webAt(server.url, '1.0.0'), anonymous);
  await using restarted = openCharts(fixture);
  const third = await restarted.resolve(webAt(server.url, '1.0.0'), anonymous);

  assert.deepEqual([second.digest, third.digest], [first.digest, first.digest]);
  assert.deepEqual(Buffer.from(third.bytes), Buffer.from(first.bytes));
  assert.equal(server.seen.length, requests);
});

test('a range asks no more often than the answer may grow old, and then only whether it has changed', async () => {
  await using server = await repository();
  await using fixture = await openTestCharts();
  const resolve = (maxAgeMs?: number) =>
    fixture.charts.resolve(webAt(server.url, '^1'), { ...anonymous, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) });

  assert.equal((await resolve()).version, '1.0.0');
  const requests = server.seen.length;
  await resolve();
  assert.equal(server.seen.length, requests);

  await resolve(0);
  fixture.clock.advance(5 * 60_000);
  await resolve();
  const [asked, askedAgain, ...rest] = server.seen.slice(requests);
  assert.match(asked?.ifNoneMatch ?? '', /^"\w+"$/);
  assert.equal(askedAgain?.ifNoneMatch, asked?.ifNoneMatch);
  assert.deepEqual(rest, []);

  server.publish({ name: 'web', version: '1.1.0', bytes: archive('1.1.0') });
  assert.equal((await resolve()).version, '1.0.0');
  fixture.clock.advance(5 * 60_000);
  assert.equal((await resolve()).version, '1.1.0');
});

test('a version that was just published is found, however young the kept answer is', async () => {
  await using server = await repository();
  await using registry = await startOciRegistry();
  registry.push('web', '1.0.0', archive('1.0.0'));
  await using fixture = await openTestCharts();
  const urls = [server.url, `oci://${registry.host}`];
  for (const url of urls) await fixture.charts.resolve(webAt(url, '^1'), anonymous);
  server.publish({ name: 'web', version: '2.0.0', bytes: archive('2.0.0') });
  registry.push('web', '2.0.0', archive('2.0.0'));

  for (const url of urls) {
    assert.equal((await fixture.charts.resolve(webAt(url, '^2'), anonymous)).version, '2.0.0');
  }
});

test('a version that is published once more with other bytes is noticed by its digest', async () => {
  await using server = await startHelmRepository();
  let bytes = chartArchive({ name: 'web', version: '1.0.0', note: 'first' });
  server.publish({
    name: 'web',
    version: '1.0.0',
    get bytes() {
      return bytes;
    },
  });
  await using fixture = await openTestCharts();
  const first = await fixture.charts.resolve(webAt(server.url, '^1'), anonymous);
  bytes = chartArchive({ name: 'web', version: '1.0.0', note: 'second' });

  const second = await fixture.charts.resolve(webAt(server.url, '^1'), { ...anonymous, maxAgeMs: 0 });

  assert.notEqual(second.digest, first.digest);
  assert.deepEqual(Buffer.from(second.bytes), bytes);
});

test('what others fetched with their password is not handed to who has none', async () => {
  await using server = await startHelmRepository({ authorization: 'Basic Ym90OnB3' });
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0') });
  await using fixture = await openTestCharts();
  await fixture.charts.resolve(webAt(server.url, '1.0.0'), {
    credentials: { username: 'bot', password: 'pw' },
    signal,
  });

  for (const version of ['1.0.0', '^1']) {
    await assert.rejects(fixture.charts.resolve(webAt(server.url, version), anonymous), {
      code: 'ChartRepositoryUnauthorized',
    });
  }
});

test('a damaged or deleted file of the cache is fetched anew', async () => {
  await using server = await repository();
  await using fixture = await openTestCharts();
  const { digest } = await fixture.charts.resolve(webAt(server.url, '1.0.0'), anonymous);
  const path = join(fixture.folder, `${digest.slice(7)}.tgz`);

  await writeFile(path, 'damaged');
  assert.equal(await fixture.charts.read(digest), undefined);
  assert.equal((await fixture.charts.resolve(webAt(server.url, '1.0.0'), anonymous)).digest, digest);
  assert.notEqual(await fixture.charts.read(digest), undefined);

  await rm(fixture.folder, { recursive: true });
  assert.equal((await fixture.charts.resolve(webAt(server.url, '1.0.0'), anonymous)).digest, digest);
  assert.ok((await readdir(fixture.folder)).includes(`${digest.slice(7)}.tgz`));
});

test('calls for the same at the same time share one run; other charts share the index', async () => {
  await using server = await repository();
  server.publish({ name: 'api', version: '1.0.0', bytes: chartArchive({ name: 'api', version: '1.0.0' }) });
  await using fixture = await openTestCharts();

  const resolved = await Promise.all(
    ['web', 'web', 'api', 'web'].map((name) =>
      fixture.charts.resolve({ url: server.url, name, version: '^1' }, anonymous),
    ),
  );

  assert.deepEqual(
    resolved.map(({ name }) => name),
    ['web', 'web', 'api', 'web'],
  );
  assert.deepEqual(server.seen.map(({ path }) => path).toSorted(), [
    '/stable/api-1.0.0.tgz',
    '/stable/index.yaml',
    '/stable/web-1.0.0.tgz',
  ]);
});

test('who aborts leaves the shared run to the others; the last one ends it', async () => {
  await using server = await repository();
  const asked = Promise.withResolvers<() => void>();
  const ended = Promise.withResolvers<void>();
  server.at('/stable/web-1.0.0.tgz', (request, response) => {
    response.once('close', () => ended.resolve());
    asked.resolve(() => answer(200, archive('1.0.0'))(request, response));
  });
  await using fixture = await openTestCharts();
  const [leaving, staying] = [new AbortController(), new AbortController()];
  const source = webAt(server.url, '1.0.0');
  const left = fixture.charts.resolve(source, { credentials: {}, signal: leaving.signal });
  const stayed = fixture.charts.resolve(source, { credentials: {}, signal: staying.signal });
  const release = await asked.promise;

  leaving.abort(new Error('left'));
  await assert.rejects(left, /^Error: left$/);
  staying.abort(new Error('left as well'));
  await assert.rejects(stayed, /^Error: left as well$/);
  await ended.promise;
  release();

  server.at('/stable/web-1.0.0.tgz', answer(200, archive('1.0.0')));
  assert.equal((await fixture.charts.resolve(source, anonymous)).version, '1.0.0');
});

test('who stays gets the answer of a run that another one began', async () => {
  await using server = await repository();
  const asked = Promise.withResolvers<() => void>();
  server.at('/stable/web-1.0.0.tgz', (request, response) => {
    asked.resolve(() => answer(200, archive('1.0.0'))(request, response));
  });
  await using fixture = await openTestCharts();
  const leaving = new AbortController();
  const source = webAt(server.url, '1.0.0');
  const left = fixture.charts.resolve(source, { credentials: {}, signal: leaving.signal });
  const stayed = fixture.charts.resolve(source, anonymous);
  const release = await asked.promise;

  leaving.abort(new Error('left'));
  await assert.rejects(left, /left/);
  release();

  assert.equal((await stayed).version, '1.0.0');
});

test('a host that never finishes is given up on', async () => {
  await using server = await repository();
  await using fixture = await openTestCharts();
  server.at('/stable/index.yaml', (_request, response) => {
    response.writeHead(200);
    response.write('entries:', () => fixture.clock.advance(300_000));
  });

  await assert.rejects(fixture.charts.resolve(webAt(server.url, ''), anonymous), {
    code: 'ChartRepositoryUnreachable',
    message: /not complete after 300 s/,
  });
  assert.equal(fixture.clock.pending, 0);
});

test('closing ends what is on its way', async () => {
  await using server = await repository();
  const asked = Promise.withResolvers<void>();
  server.at('/stable/index.yaml', () => asked.resolve());
  const fixture = await openTestCharts();
  const resolved = fixture.charts.resolve(webAt(server.url, ''), anonymous);
  await asked.promise;

  const failed = assert.rejects(resolved, { name: 'AbortError' });
  await fixture[Symbol.asyncDispose]();
  await failed;

  await assert.rejects(fixture.charts.resolve(webAt(server.url, ''), anonymous), { name: 'AbortError' });
});

function webAt(url: string, version: string) {
  return { url, name: 'web', version };
}

function archive(version: string): Buffer {
  return chartArchive({ name: 'web', version });
}

async function repository() {
  const server = await startHelmRepository();
  server.publish({ name: 'web', version: '1.0.0', bytes: archive('1.0.0') });
  return server;
}
