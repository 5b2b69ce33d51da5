import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '@plumb/test-support';
import { ChartCache, digestOf } from './cache.ts';
import { parseSource } from './source.ts';

const place = parseSource({ url: 'https://charts.example.com', name: 'web', version: '' });
const alice = { username: 'alice', password: 'pw' };

test('an archive is found by its digest, by another process as well', async () => {
  await using fixture = await openFolder();
  const digest = await fixture.open().write(Buffer.from('chart'));

  assert.deepEqual(Buffer.from((await fixture.open().read(digest)) ?? ''), Buffer.from('chart'));
  assert.equal(await fixture.open().read(digestOf(Buffer.from('other'))), undefined);
  assert.equal(await fixture.open().read('sha256:../../etc/passwd'), undefined);
});

test('a damaged archive is removed and not handed out', async () => {
  await using fixture = await openFolder();
  const cache = fixture.open();
  const digest = await cache.write(Buffer.from('chart'));
  await writeFile(join(fixture.folder, `${digest.slice(7)}.tgz`), 'chart, damaged');

  assert.equal(await cache.read(digest), undefined);
  assert.deepEqual(await readdir(fixture.folder), []);
});

test('the least recently used archives make room', async () => {
  await using fixture = await openFolder();
  const cache = fixture.open(250);
  const [first, second] = [
    await cache.write(Buffer.alloc(100, 1)),
    await fixture.later(() => cache.write(Buffer.alloc(100, 2))),
  ];
  await fixture.later(() => cache.read(first));

  const third = await fixture.later(() => cache.write(Buffer.alloc(100, 3)));

  assert.equal(await cache.read(second), undefined);
  assert.equal((await cache.read(first))?.length, 100);
  assert.equal((await cache.read(third))?.length, 100);
});

test('an archive larger than the cache is not kept', async () => {
  await using fixture = await openFolder();
  const cache = fixture.open(50);

  assert.equal(await cache.read(await cache.write(Buffer.alloc(100))), undefined);
});

test('what a version is, is remembered for the credentials by which it was learned, and for no others', async () => {
  await using fixture = await openFolder();
  const note = { version: 'v1.0.0', digest: digestOf(Buffer.from('chart')) };
  await fixture.open().remember(place, '1.0.0', alice, note);

  const later = fixture.open();

  assert.deepEqual(await later.recall(place, '1.0.0', alice), note);
  assert.equal(await later.recall(place, '1.0.0', { ...alice, password: 'guess' }), undefined);
  assert.equal(await later.recall(place, '1.0.0', {}), undefined);
  assert.equal(await later.recall(place, '1.0.1', alice), undefined);
  assert.equal(await later.recall({ ...place, name: 'api' }, '1.0.0', alice), undefined);
});

test('the folder may be deleted while it is in use', async () => {
  await using fixture = await openFolder();
  const cache = fixture.open();
  const digest = await cache.write(Buffer.from('chart'));
  await rm(fixture.folder, { recursive: true });

  assert.equal(await cache.read(digest), undefined);
  assert.equal(await cache.write(Buffer.from('chart')), digest);
  assert.equal((await cache.read(digest))?.length, 5);
});

test('two processes that write the same at once leave one whole file', async () => {
  await using fixture = await openFolder();
  const bytes = Buffer.alloc(100_000, 7);

  await Promise.all(Array.from({ length: 8 }, () => fixture.open().write(bytes)));

  assert.deepEqual(await readdir(fixture.folder), [`${digestOf(bytes).slice(7)}.tgz`]);
});

async function openFolder(): Promise<
  AsyncDisposable & {
    readonly folder: string;
    open(maxBytes?: number): ChartCache;
    later<T>(act: () => Promise<T>): Promise<T>;
  }
> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-charts-'));
  const clock = new ManualClock();
  return {
    folder,
    open: (maxBytes = 1e9) => new ChartCache({ folder, clock, maxBytes }),
    later(act) {
      clock.advance(1000);
      return act();
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
