import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { objectKey, PlumbError, type KubeObject } from '@plumb/core';
import { appliedOf, configMap, intentOf, manualClock, PAY, releaseOf, secret, SHOP } from '../test/samples.ts';
import { openLedger, openLedgerReadOnly, RELEASES_WITH_OBJECTS } from './index.ts';

const NOON = Date.UTC(2026, 0, 1, 12);

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-ledger-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function unavailable(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof PlumbError, String(error));
    assert.equal(error.code, 'LedgerUnavailable');
    assert.match(error.message, pattern);
    return true;
  };
}

test('what the engine keeps in mind is there after a restart, and the last word counts', async (t) => {
  const folder = await temporaryFolder(t);
  {
    await using ledger = await openLedger({ folder, clock: manualClock(NOON) });
    assert.equal(await ledger.setting('leaseVersion'), undefined);
    await ledger.saveSetting('leaseVersion', '7');
    await ledger.saveSetting('leaseVersion', '9');
  }
  await using ledger = await openLedger({ folder, clock: manualClock(NOON) });

  assert.equal(await ledger.setting('leaseVersion'), '9');
  assert.equal(await ledger.setting('frozenUntil'), undefined);
});

test('writes are recorded with their outcome, newest first, and survive reopening', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  const error = { code: 'Forbidden', message: 'no', fix: 'Grant it.' } as const;
  {
    await using ledger = await openLedger({ folder, clock });
    const [a = 0, b = 0] = await ledger.intend([intentOf(SHOP, 'a'), intentOf(SHOP, 'b')]);
    await ledger.intend([intentOf(PAY, 'c')]);
    clock.advance(5);
    await ledger.conclude([
      { seq: a, result: 'ok', resourceVersion: '7', uid: 'u', auditId: 'audit' },
      { seq: b, result: 'failed', error },
    ]);
  }

  await using reopened = await openLedger({ folder, clock });
  const writes = await reopened.writes({ limit: 10 });
  const open = await reopened.unconcluded();
  const next = await reopened.intend([intentOf(SHOP, 'd')]);

  assert.deepEqual(writes, [
    { ...intentOf(PAY, 'c'), seq: 3, at: NOON },
    { ...intentOf(SHOP, 'b'), seq: 2, at: NOON, outcome: { seq: 2, result: 'failed', error, at: NOON + 5 } },
    {
      ...intentOf(SHOP, 'a'),
      seq: 1,
      at: NOON,
      outcome: { seq: 1, result: 'ok', resourceVersion: '7', uid: 'u', auditId: 'audit', at: NOON + 5 },
    },
  ]);
  assert.deepEqual(open, [{ ...intentOf(PAY, 'c'), seq: 3, at: NOON }]);
  assert.deepEqual(next, [4]);
  assert.deepEqual(await reopened.unconcluded(PAY), open);
  assert.equal((await reopened.writes({ target: SHOP, limit: 1 }))[0]?.seq, 4);
});

test('a write keeps its first outcome', async (t) => {
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock: manualClock(NOON) });
  const [seq = 0] = await ledger.intend([intentOf(SHOP, 'a')]);

  await ledger.conclude([{ seq, result: 'ok' }]);
  await ledger.conclude([{ seq, result: 'unknown' }]);

  assert.equal((await ledger.writes({ limit: 1 }))[0]?.outcome?.result, 'ok');
});

test('an intent is there after the process was killed between it and its outcome, and the lock is free', async (t) => {
  const folder = await temporaryFolder(t);
  const child = spawn(process.execPath, [join(import.meta.dirname, '../test/intend-and-hang.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await assert.rejects(
    openLedger({ folder, clock: manualClock(NOON) }),
    (error) => error instanceof PlumbError && error.code === 'LedgerBusy' && error.message.includes(String(child.pid)),
  );

  child.kill('SIGKILL');
  await once(child, 'exit');
  await using ledger = await openLedger({ folder, clock: manualClock(NOON) });
  const open = await ledger.unconcluded();

  assert.deepEqual(
    open.map(({ seq, object }) => ({ seq, object })),
    [{ seq: 2, object: '/ConfigMap/team/b' }],
  );
});

test('a ledger has one writer at a time, and readers beside it', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  {
    await using ledger = await openLedger({ folder, clock });
    await using reader = await openLedgerReadOnly(folder);
    await ledger.saveRelease(releaseOf(SHOP, [configMap('a')]));

    await assert.rejects(openLedger({ folder, clock }), { code: 'LedgerBusy' });
    assert.equal((await reader.latestRelease(SHOP))?.number, 1);
    assert.deepEqual(
      (await reader.releaseObjects(SHOP, 1))?.map(({ object }) => object),
      [configMap('a')],
    );
  }

  await using again = await openLedger({ folder, clock });
  assert.deepEqual(await again.targets(), [SHOP]);
});

test('releases are numbered for each target and concluded once they are judged', async (t) => {
  const clock = manualClock(NOON);
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock });

  const first = await ledger.saveRelease(releaseOf(SHOP, [configMap('a')], 'c1'));
  const second = await ledger.saveRelease(releaseOf(SHOP, [configMap('a')], 'c2'));
  const other = await ledger.saveRelease(releaseOf(PAY, [], 'c2'));
  clock.advance(1000);
  await ledger.concludeRelease(SHOP, 1, 'superseded');
  await ledger.concludeRelease(SHOP, 2, 'failed', 'Deployment/api crashed');

  assert.deepEqual([first.number, second.number, other.number], [1, 2, 1]);
  const { objects, ...header } = releaseOf(SHOP, [configMap('a')], 'c2');
  assert.deepEqual(await ledger.releases(SHOP, { limit: 1 }), [
    {
      ...header,
      number: 2,
      objectCount: objects.length,
      startedAt: NOON,
      concludedAt: NOON + 1000,
      outcome: 'failed',
      message: 'Deployment/api crashed',
    },
  ]);
  const latest = await ledger.latestReleases();
  assert.deepEqual(
    [...latest].map(([target, { number, outcome }]) => [target, number, outcome]),
    [
      [PAY, 1, 'running'],
      [SHOP, 2, 'failed'],
    ],
  );
  assert.deepEqual(await ledger.releaseObjects(PAY, 1), []);
  assert.equal(await ledger.releaseObjects(PAY, 2), undefined);
});

test('whatever is saved as a release is read back the same', async (t) => {
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock: manualClock(NOON) });
  const object = fc
    .tuple(fc.constantFrom('Secret', 'ConfigMap'), fc.string({ minLength: 1 }), fc.jsonValue(), fc.integer())
    .map(([kind, name, body, size]): KubeObject => {
      // Through JSON: there, -0 is 0.
      const plain: unknown = JSON.parse(JSON.stringify(body));
      const padding = 'x'.repeat(Math.abs(size) % 2000);
      return { apiVersion: 'v1', kind, metadata: { name }, body: plain, padding };
    });
  const release = fc.record({ target: fc.constantFrom(SHOP, PAY), objects: fc.array(object, { maxLength: 5 }) });

  await fc.assert(
    fc.asyncProperty(fc.array(release, { maxLength: 8 }), async (releases) => {
      const saved: { target: typeof SHOP; number: number; objects: readonly KubeObject[] }[] = [];
      for (const { target, objects } of releases) {
        const { number } = await ledger.saveRelease(releaseOf(target, objects));
        saved.push({ target, number, objects });
      }

      for (const { target, number, objects } of saved) {
        const read = await ledger.releaseObjects(target, number);
        assert.deepEqual(read, releaseOf(target, objects).objects);
      }
    }),
    { numRuns: 30 },
  );
});

test('an object that many releases hold is stored once', async (t) => {
  const folder = await temporaryFolder(t);
  await using ledger = await openLedger({ folder, clock: manualClock(NOON) });
  const large = configMap('large', {
    noise: Array.from({ length: 20_000 }, (_, i) => (i * 2_654_435_761) % 997).join(),
  });

  await ledger.saveRelease(releaseOf(SHOP, [large]));
  await ledger.saveRelease(releaseOf(SHOP, [{ ...large }]));
  await ledger.saveRelease(releaseOf(PAY, [large]));

  const database = await readAll(folder);
  assert.ok(database.length < 400_000, `${database.length} bytes`);
});

test('only the newest releases and the last healthy one keep their objects', async (t) => {
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock: manualClock(NOON) });
  const constant = configMap('constant');
  await ledger.saveRelease(releaseOf(PAY, [configMap('r2')]));

  for (let number = 1; number <= RELEASES_WITH_OBJECTS + 5; number++) {
    await ledger.saveRelease(releaseOf(SHOP, [constant, configMap(`r${number}`)]));
    if (number === 2 || number === 3) await ledger.concludeRelease(SHOP, number, 'healthy');
  }

  assert.equal(await ledger.releaseObjects(SHOP, 2), undefined);
  assert.equal(await ledger.releaseObjects(SHOP, 5), undefined);
  for (const number of [3, 6, RELEASES_WITH_OBJECTS + 5]) {
    assert.deepEqual(
      (await ledger.releaseObjects(SHOP, number))?.map(({ object }) => object),
      [constant, configMap(`r${number}`)],
    );
  }
  assert.equal((await ledger.releaseObjects(PAY, 1))?.length, 1);
  assert.equal((await ledger.releases(SHOP, { limit: 100 })).length, RELEASES_WITH_OBJECTS + 5);
});

test('what is known of applied objects is one row an object, added, changed and removed', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  const hash = { ...appliedOf('Secret', 's'), desiredHash: 'other' };
  {
    await using ledger = await openLedger({ folder, clock });
    await ledger.saveApplied(SHOP, [appliedOf('ConfigMap', 'a'), appliedOf('Secret', 's')], []);
    await ledger.saveApplied(SHOP, [hash, appliedOf('ConfigMap', 'b')], [appliedOf('ConfigMap', 'a').key]);
    await ledger.saveApplied(PAY, [appliedOf('ConfigMap', 'a')], []);
  }

  await using ledger = await openLedger({ folder, clock });
  const all = await ledger.appliedAll();

  assert.deepEqual(await ledger.applied(SHOP), [appliedOf('ConfigMap', 'b'), hash]);
  assert.deepEqual([...all.keys()].toSorted(), [PAY, SHOP].toSorted());
  assert.deepEqual(all.get(SHOP), await ledger.applied(SHOP));
});

test('a batch is concluded as a whole or not at all', async (t) => {
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock: manualClock(NOON) });
  await ledger.saveRelease(releaseOf(SHOP, [configMap('a')]));
  const [seq = 0] = await ledger.intend([intentOf(SHOP, 'a')]);
  const outcomes = [{ seq, result: 'ok' as const }];
  const unstorable = { ...appliedOf('ConfigMap', 'b'), release: 1.5 };

  await assert.rejects(ledger.concludeBatch({ target: SHOP, outcomes, applied: [unstorable] }));
  const before = await ledger.unconcluded();
  await ledger.concludeBatch({
    target: SHOP,
    outcomes,
    applied: [appliedOf('ConfigMap', 'a')],
    removed: [objectKey({ group: '', kind: 'ConfigMap', namespace: 'team', name: 'gone' })],
    release: { number: 1, outcome: 'healthy' },
  });

  assert.equal(before.length, 1);
  assert.deepEqual(await ledger.unconcluded(), []);
  assert.deepEqual(await ledger.applied(SHOP), [appliedOf('ConfigMap', 'a')]);
  assert.equal((await ledger.latestRelease(SHOP))?.outcome, 'healthy');
});

test('a target that is forgotten leaves only the record of its writes', async (t) => {
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock: manualClock(NOON) });
  const shared = configMap('shared');
  await ledger.saveRelease(releaseOf(SHOP, [shared, configMap('a')]));
  await ledger.saveRelease(releaseOf(PAY, [shared]));
  await ledger.saveApplied(SHOP, [appliedOf('ConfigMap', 'a')], []);
  await ledger.intend([intentOf(SHOP, 'a')]);

  await ledger.forgetTarget(SHOP);

  assert.deepEqual(await ledger.targets(), [PAY]);
  assert.deepEqual(await ledger.applied(SHOP), []);
  assert.equal((await ledger.writes({ target: SHOP, limit: 9 })).length, 1);
  assert.equal((await ledger.releaseObjects(PAY, 1))?.length, 1);
});

test('the values of Secrets and the hashes that would confirm a guess are nowhere in the files', async (t) => {
  const folder = await temporaryFolder(t);
  const canary = 'canary-7f3a9c';
  const wide = `${canary}-${'w'.repeat(2000)}`;
  const secretIntent = {
    ...intentOf(SHOP, 's'),
    object: appliedOf('Secret', 's').key,
    desiredHash: `${canary}-intent`,
  };
  await using ledger = await openLedger({ folder, clock: manualClock(NOON) });

  await ledger.saveRelease(releaseOf(SHOP, [secret('s', canary), secret('wide', wide), configMap('visible-marker')]));
  await ledger.saveApplied(SHOP, [{ ...appliedOf('Secret', 's'), desiredHash: `${canary}-applied` }], []);
  await ledger.intend([secretIntent]);

  const bytes = await readAll(folder);
  assert.ok(!bytes.includes(canary));
  assert.ok(bytes.includes('visible-marker'));
  const objects = await ledger.releaseObjects(SHOP, 1);
  assert.deepEqual(objects?.map(({ object }) => object).slice(0, 2), [secret('s', canary), secret('wide', wide)]);
  assert.equal((await ledger.applied(SHOP))[0]?.desiredHash, `${canary}-applied`);
  assert.equal((await ledger.unconcluded())[0]?.desiredHash, `${canary}-intent`);
});

test('only the owner can read the database and its key', async (t) => {
  const folder = await temporaryFolder(t);
  await using ledger = await openLedger({ folder, clock: manualClock(NOON) });
  await ledger.saveRelease(releaseOf(SHOP, []));

  for (const file of ['ledger.db', 'ledger.db-wal', 'ledger.key']) {
    assert.equal((await stat(join(folder, file))).mode & 0o777, 0o600, file);
  }
});

test('a damaged file is named with what to do, when it is opened or when the damage is met', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  const file = join(folder, 'ledger.db');
  {
    await using ledger = await openLedger({ folder, clock });
    for (let number = 0; number < 200; number++) await ledger.intend([intentOf(SHOP, `n${number}`)]);
  }
  const handle = await open(file, 'r+');
  const { size } = await handle.stat();
  await handle.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  await handle.close();

  await assert.rejects(
    async () => {
      await using ledger = await openLedger({ folder, clock });
      await ledger.writes({ limit: 1000 });
    },
    unavailable(/ledger\.db cannot be used/),
  );
  await writeFile(file, 'this is no database, and it is long enough to be looked at as one by anybody'.repeat(20));
  await assert.rejects(openLedger({ folder, clock }), (error: PlumbError) => {
    assert.match(error.fix, /Move the file away/);
    return unavailable(/ledger\.db cannot be used: file is not a database/)(error);
  });
});

test('a key that is missing or is another one is named before anything is read', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  const key = join(folder, 'ledger.key');
  {
    await using ledger = await openLedger({ folder, clock });
    await ledger.saveRelease(releaseOf(SHOP, [secret('s', 'x')]));
  }

  await rename(key, `${key}.away`);
  await assert.rejects(openLedger({ folder, clock }), unavailable(/key .* cannot be read/));
  await writeFile(key, Buffer.alloc(32, 1));
  await assert.rejects(openLedger({ folder, clock }), unavailable(/not the one that this ledger was written with/));
  await using reader = await openLedgerReadOnly(folder);
  assert.equal((await reader.latestRelease(SHOP))?.number, 1);
  await assert.rejects(reader.releaseObjects(SHOP, 1), unavailable(/not the one that this ledger was written with/));
});

test('a folder that cannot be written, or has no ledger to read, is named', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'plain');
  await writeFile(file, '');

  await assert.rejects(openLedger({ folder: join(file, 'state'), clock: manualClock(NOON) }), unavailable(/ENOTDIR/));
  await assert.rejects(openLedgerReadOnly(folder), unavailable(/There is no ledger in/));
});

async function readAll(folder: string): Promise<Buffer> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('ledger.db'));
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))));
}

test('what was allowed to go is known after a restart, and is forgotten with the target', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = manualClock(NOON);
  {
    await using ledger = await openLedger({ folder, clock });
    await ledger.allowDeletion(SHOP, { by: 'budget', ids: new Set(['x']) });
    await ledger.allowDeletion(SHOP, { by: 'approval', ids: new Set(['a 1', 'b 2']) });
    await ledger.allowDeletion(PAY, { by: 'budget', ids: new Set(['c 3']) });
    await ledger.allowDeletion(PAY, { by: 'budget', ids: new Set() });
    await ledger.allowReplacements(SHOP, new Set(['d 4']));
    await ledger.allowReplacements(PAY, new Set(['e 5']));
    await ledger.allowReplacements(PAY, new Set());
  }

  await using reopened = await openLedger({ folder, clock });
  assert.deepEqual(await reopened.allowedDeletion(SHOP), { by: 'approval', ids: new Set(['a 1', 'b 2']) });
  assert.equal(await reopened.allowedDeletion(PAY), undefined);
  assert.deepEqual(await reopened.allowedReplacements(SHOP), new Set(['d 4']));
  assert.deepEqual(await reopened.allowedReplacements(PAY), new Set());
  await reopened.forgetTarget(SHOP);
  assert.equal(await reopened.allowedDeletion(SHOP), undefined);
  assert.deepEqual(await reopened.allowedReplacements(SHOP), new Set());
});

test('deletions of the last minutes are counted by their reason, except those that were refused', async (t) => {
  const clock = manualClock(NOON);
  await using ledger = await openLedger({ folder: await temporaryFolder(t), clock });
  const deletion = (name: string, reason = 'removed') => {
    const { desiredHash: _desiredHash, ...intent } = intentOf(SHOP, name);
    return { ...intent, verb: 'delete' as const, reason };
  };
  await ledger.intend([deletion('old')]);
  clock.advance(1_000);
  const [refused = 0, done = 0] = await ledger.intend([
    deletion('refused'),
    deletion('done'),
    deletion('lost'),
    deletion('approved', 'approved'),
    intentOf(SHOP, 'applied'),
  ]);
  await ledger.conclude([
    { seq: refused, result: 'failed', error: { code: 'Forbidden', message: 'no', fix: 'Grant it.' } },
    { seq: done, result: 'ok' },
  ]);

  assert.deepEqual(await ledger.deletionsSince(NOON + 1_000, 'removed'), [NOON + 1_000, NOON + 1_000]);
});
