import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { decodeHold, type Hold, type HoldStatus } from '@plumb/api';
import { openLedger, type Ledger } from '@plumb/ledger';
import { ManualClock } from '@plumb/test-support';
import { HoldBook } from './hold-book.ts';

const HOUR = 3_600_000;

function holdOf(uid: string, clock: ManualClock, spec: object = {}, status?: HoldStatus): Hold {
  const decoded = decodeHold({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Hold',
    metadata: {
      name: `h-${uid}`,
      namespace: 'default',
      uid,
      creationTimestamp: new Date(clock.now()).toISOString(),
    },
    spec: {
      application: 'shop',
      environment: 'prod',
      allowEdits: true,
      until: new Date(clock.now() + HOUR).toISOString(),
      by: 'dana',
      reason: 'INC-9',
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  });
  assert.ok(decoded.ok);
  return decoded.value;
}

async function open(t: TestContext): Promise<{ ledger: Ledger; clock: ManualClock; book: HoldBook }> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-hold-book-'));
  const clock = new ManualClock();
  const ledger = await openLedger({ folder, clock });
  t.after(async () => {
    await ledger[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { ledger, clock, book: new HoldBook({ ledger, clock }) };
}

test('a hold is on record with who, why and of what, and stays there when it is deleted', async (t) => {
  const { ledger, clock, book } = await open(t);
  const object = { kind: 'Deployment', name: 'shop' };
  const hold = holdOf('a', clock, { object, fields: ['spec.replicas'], atEnd: 'pull-request' });
  await book.seen(hold);
  await book.seen({ ...hold, status: { state: 'Proposed', message: '1 edited field in a pull request.' } });
  clock.advance(60_000);
  await book.removed(hold);

  const [record, ...others] = await ledger.holds({ limit: 10 });

  const since = clock.now() - 60_000;
  assert.equal(others.length, 0);
  assert.deepEqual(record, {
    uid: 'a',
    target: 'default/shop/prod',
    name: 'h-a',
    covers: 'Deployment/shop spec.replicas',
    by: 'dana',
    reason: 'INC-9',
    since,
    until: since + HOUR,
    atEnd: 'pull-request',
    outcome: '1 edited field in a pull request.',
    liftedAt: since + 60_000,
  });
});

test('a hold that has ended by itself and is deleted later was not lifted', async (t) => {
  const { ledger, clock, book } = await open(t);
  const hold = holdOf('a', clock);
  await book.seen(hold);
  clock.advance(2 * HOUR);
  await book.removed(hold);

  const [record] = await ledger.holds({ limit: 10 });
  assert.deepEqual([record?.uid, record?.liftedAt], ['a', undefined]);
});

test('what was lifted while no engine looked is known at the next start, and only that', async (t) => {
  const { ledger, clock, book } = await open(t);
  const [kept, gone] = [holdOf('kept', clock), holdOf('gone', clock)];
  for (const hold of [kept, gone]) await book.seen(hold);
  await book.seen(holdOf('over', clock, { until: new Date(clock.now() + 1_000).toISOString() }));
  clock.advance(60_000);

  const later = new HoldBook({ ledger, clock });
  await later.seen(kept);
  await later.allSeen();

  const records = await ledger.holds({ limit: 10 });
  assert.deepEqual(
    records.map(({ uid, liftedAt }) => [uid, liftedAt !== undefined]),
    [
      ['gone', true],
      ['kept', false],
      ['over', false],
    ],
  );
});

test('a hold that is there is not taken for lifted while it is still being written, and is written again where that failed', async (t) => {
  const { ledger, clock, book } = await open(t);
  const hold = holdOf('a', clock);
  await book.seen(hold);

  const later = new HoldBook({ ledger, clock });
  const written = later.seen(hold);
  await later.allSeen();
  await written;
  const [record] = await ledger.holds({ limit: 10 });
  let isFull = true;
  const failing = new HoldBook({
    ledger: {
      liftHold: (uid) => ledger.liftHold(uid),
      holds: (query) => ledger.holds(query),
      recordHold: async (given) => {
        if (isFull) throw new Error('the disk is full');
        await ledger.recordHold(given);
      },
    },
    clock,
  });
  await assert.rejects(failing.seen(hold), /disk is full/);
  isFull = false;

  assert.deepEqual([record?.uid, record?.liftedAt], ['a', undefined]);
  assert.equal(await failing.seen(hold), true);
});
