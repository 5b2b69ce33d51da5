import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { ManualClock, realClock } from '@plumb/test-support';
import fc from 'fast-check';
import { openDiskCache } from './disk-cache.ts';
import type { CachedRender, RenderCache } from './render-cache.ts';

const KEY = 'a1'.repeat(32);
const secret = randomBytes(32);

let base: string;

before(async () => {
  base = await mkdtemp(join(tmpdir(), 'plumb-cache-'));
});

after(async () => {
  await rm(base, { recursive: true, force: true });
});

function newFolder(): Promise<string> {
  return mkdtemp(join(base, 'f-'));
}

/** A cache that has nothing in memory: it answers from the disk. */
function openCache(folder: string, more: { readonly key?: Uint8Array; readonly maxBytes?: number } = {}): RenderCache {
  return openDiskCache({ folder, key: secret, clock: new ManualClock(), ...more });
}

function renderOf(name: string, reads: Readonly<Record<string, string>> = { x: 'file 1' }): CachedRender {
  return {
    renderer: 'plain',
    reads: new Map(Object.entries(reads)),
    documents: [{ value: { kind: 'ConfigMap', metadata: { name } }, origin: { file: 'x.yaml', line: 1 } }],
    files: ['x.yaml'],
    valuesFiles: [],
    warnings: ['careful'],
    errors: [],
  };
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all((await filesIn(folder)).map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

async function onlyFile(folder: string): Promise<string> {
  const [file, ...more] = await filesIn(folder);
  assert.deepEqual(more, []);
  return file ?? assert.fail('there is no file');
}

test('what was stored is there, for this process and for the next', async () => {
  const folder = await newFolder();
  const cache = openCache(folder);
  const render = renderOf('a');

  await cache.store(KEY, render);

  assert.deepEqual(await cache.load(KEY), [render]);
  assert.deepEqual(await openCache(folder).load(KEY), [render]);
  assert.deepEqual(await cache.load('b2'.repeat(32)), []);
});

test('every field survives the way to the disk and back', async () => {
  const folder = await newFolder();
  const render: CachedRender = {
    renderer: 'helm',
    reads: new Map([
      ['\0capabilities', '-'],
      ['ü\n/x', 'tree 1'],
    ]),
    documents: [
      {
        value: { n: 1.5, s: 'ü', l: [null, true, { __proto__x: 1 }] },
        origin: { file: 'x', patches: ['p'] },
        hook: { events: ['pre-install'], weight: -1, deletePolicies: [] },
      },
    ],
    files: [],
    valuesFiles: ['app/values.yaml'],
    warnings: [],
    errors: [],
  };

  await openCache(folder).store(KEY, render);

  assert.deepEqual(await openCache(folder).load(KEY), [render]);
});

test('for each key the last four contents are kept, the newest first; the same content replaces itself', async () => {
  const folder = await newFolder();
  const cache = openCache(folder);

  for (const at of [1, 2, 3, 4, 5, 3]) await cache.store(KEY, renderOf(`r${at}`, { x: `file ${at}` }));

  const kept = (await openCache(folder).load(KEY)).map(({ reads }) => reads.get('x'));
  assert.deepEqual(kept, ['file 3', 'file 5', 'file 4', 'file 2']);
});

test('a file with any byte changed is as if it were not there, and is gone then', async () => {
  const folder = await newFolder();
  await openCache(folder).store(KEY, renderOf('a'));
  const file = await onlyFile(folder);
  const intact = await readFile(file);

  await fc.assert(
    fc.asyncProperty(fc.nat(intact.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
      const damaged = Buffer.from(intact);
      damaged[at] = (damaged[at] ?? 0) ^ change;
      await writeFile(file, damaged);

      assert.deepEqual(await openCache(folder).load(KEY), []);
      assert.deepEqual(await filesIn(folder), []);
    }),
    { numRuns: 200 },
  );
  await writeFile(file, intact);
  assert.deepEqual(await openCache(folder).load(KEY), [renderOf('a')]);
});

test('a file that is cut short, or is something else altogether, is as if it were not there', async () => {
  const folder = await newFolder();
  await openCache(folder).store(KEY, renderOf('a'));
  const file = await onlyFile(folder);
  const intact = await readFile(file);

  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.nat(intact.length - 1).map((length) => intact.subarray(0, length)),
        fc.uint8Array({ minLength: 1, maxLength: 100 }).map((tail) => Buffer.concat([intact, tail])),
        fc.uint8Array({ maxLength: 300 }),
      ),
      async (bytes) => {
        await writeFile(file, bytes);
        assert.deepEqual(await openCache(folder).load(KEY), []);
      },
    ),
    { numRuns: 200 },
  );
});

test('what was written with another key, or under another name, is not read', async () => {
  const folder = await newFolder();
  const other = 'b2'.repeat(32);
  await openCache(folder).store(KEY, renderOf('a'));
  const file = await onlyFile(folder);
  const renamed = join(folder, other.slice(0, 2), other);
  await mkdir(dirname(renamed), { recursive: true });
  await writeFile(renamed, await readFile(file));

  assert.deepEqual(await openCache(folder).load(other), []);
  assert.deepEqual(await openCache(folder, { key: randomBytes(32) }).load(KEY), []);
});

test('damage is mended by the next store', async () => {
  const folder = await newFolder();
  await openCache(folder).store(KEY, renderOf('a'));
  await writeFile(await onlyFile(folder), 'broken');

  await openCache(folder).store(KEY, renderOf('b'));

  assert.deepEqual(await openCache(folder).load(KEY), [renderOf('b')]);
});

test('the folder may be deleted at any time', async () => {
  const folder = await newFolder();
  const cache = openCache(folder);
  await cache.store(KEY, renderOf('a'));
  await rm(folder, { recursive: true });

  assert.deepEqual(await openCache(folder).load(KEY), []);
  await cache.store(KEY, renderOf('b', { x: 'file 2' }));

  const kept = await openCache(folder).load(KEY);
  assert.equal(kept[0]?.reads.get('x'), 'file 2');
});

test('a folder that cannot be written keeps nothing on the disk, and breaks nothing', async () => {
  const file = join(await newFolder(), 'a-file');
  await writeFile(file, '');
  const cache = openCache(join(file, 'below'));

  await cache.store(KEY, renderOf('a'));

  assert.deepEqual(await openCache(join(file, 'below')).load(KEY), []);
});

test('the folder keeps its size: what was not used for longest goes first', async () => {
  const folder = await newFolder();
  const maxBytes = 64 * 1024;
  const keyOf = (at: number) => at.toString(16).padStart(64, '0');
  const open = () => openDiskCache({ folder, key: secret, clock: realClock, maxBytes });
  for (let at = 0; at < 40; at++) {
    // Does not compress.
    await open().store(keyOf(at), { ...renderOf('a'), warnings: [randomBytes(6 * 1024).toString('base64')] });
    await open().load(keyOf(0));
  }

  assert.ok((await bytesIn(folder)) <= maxBytes);
  const kept = await Promise.all([0, 1, 39].map(async (at) => (await open().load(keyOf(at))).length));
  assert.deepEqual(kept, [1, 0, 1]);
});

test('one cache keeps its size too, however often it stores', async () => {
  const folder = await newFolder();
  const maxBytes = 64 * 1024;
  const cache = openCache(folder, { maxBytes });

  for (let at = 0; at < 60; at++) {
    const render = { ...renderOf('a'), warnings: [randomBytes(3 * 1024).toString('base64')] };
    await cache.store(at.toString(16).padStart(64, '0'), render);
  }

  assert.ok((await bytesIn(folder)) <= maxBytes);
});

test('nothing that was rendered can be read on the disk, and nobody else may try', async () => {
  const folder = await newFolder();
  const canary = 'c4n4ry-in-clear-text';
  const render = renderOf(canary, { [canary]: canary });

  await openCache(folder).store(KEY, { ...render, warnings: [canary.repeat(100)], files: [canary] });

  const file = await onlyFile(folder);
  const bytes = await readFile(file);
  for (const text of [canary, Buffer.from(canary).toString('base64').slice(0, 24), 'ConfigMap', 'x.yaml']) {
    assert.equal(bytes.includes(text), false, text);
  }
  assert.equal(file.includes(canary), false);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.equal((await stat(dirname(file))).mode & 0o777, 0o700);
});

test('the same render is never on the disk in the same bytes twice', async () => {
  const [one, two] = [await newFolder(), await newFolder()];
  await openCache(one).store(KEY, renderOf('a'));
  await openCache(two).store(KEY, renderOf('a'));

  assert.notDeepEqual(await readFile(await onlyFile(one)), await readFile(await onlyFile(two)));
});

test('memory is bounded by what a render unpacks to, however small it is on the disk', async () => {
  const folder = await newFolder();
  const cache = openCache(folder);
  const other = 'b2'.repeat(32);
  const large = { ...renderOf('a'), warnings: ['a'.repeat(5 * 1024 * 1024)] };
  await cache.store(KEY, large);
  await cache.store(other, large);
  await rm(folder, { recursive: true });

  assert.deepEqual(await cache.load(KEY), []);
  assert.deepEqual(await cache.load(other), [large]);
});
