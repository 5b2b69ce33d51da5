import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { judgeDrift, targetKey, type Drift, type DriftPolicy, type JudgedDrift, type ObjectKey } from '@plumb/core';
import { openLedger, type Ledger } from '@plumb/ledger';
import { ManualClock } from '@plumb/test-support';
import { DriftBook } from './drift-book.ts';
import type { Inspected } from './inspect.ts';

const SHOP = targetKey({ namespace: 'default', application: 'shop', environment: '' });
const CART = targetKey({ namespace: 'default', application: 'cart', environment: '' });
const API = 'apps/Deployment/shop/api' as ObjectKey;
const WEB = 'apps/Deployment/shop/web' as ObjectKey;

function drift(key: ObjectKey, live: string | undefined): Drift {
  const by = { tier: 'none' } as const;
  const fields = live === undefined ? [] : [{ path: 'spec.a', git: 'git', live, owners: [], by }];
  return { key, kind: 'edited', fields, by, state: 's', resourceVersion: '1', desiredHash: 'h', foundAt: 1 };
}

function judged(one: Drift, policy: DriftPolicy = 'revert'): JudgedDrift {
  const rules = { policy: 'revert', rules: policy === 'revert' ? [] : [{ policy, reason: 'r' }] } as const;
  return judgeDrift(one, {}, { rules, holds: [], heal: undefined }, 1);
}

/** As the reconciler tells it: what was found, and what was decided over it. */
function found(key: ObjectKey, live: string | undefined, policy?: DriftPolicy): Parameters<DriftBook['found']>[2] {
  const one = drift(key, live);
  // Only events that arrive later are told from the evidence.
  return [{ inspected: { drift: one } as Inspected, judged: judged(one, policy) }];
}

/** A book over a real ledger. */
async function openBook(t: TestContext): Promise<{ readonly book: DriftBook; readonly ledger: Ledger }> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-drift-book-'));
  const clock = new ManualClock();
  const ledger = await openLedger({ folder, clock });
  t.after(async () => {
    await ledger[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return { book: bookOver(ledger, clock), ledger };
}

function bookOver(ledger: Ledger, clock = new ManualClock()): DriftBook {
  return new DriftBook({ ledger, clock, eventsFor: () => [] });
}

/** `api value open`, oldest first. */
async function told(ledger: Ledger): Promise<readonly string[]> {
  const records = await ledger.drifts({ limit: 100 });
  return records.toReversed().map(({ object, fields, end, standing }) => {
    const state = end?.outcome ?? standing?.policy ?? 'open';
    return `${object.split('/').at(-1)} ${fields.map(({ live }) => live).join()} ${state}`;
  });
}

test('a drift that is found twice is one record, and another one of the object ends it', async (t) => {
  const { book, ledger } = await openBook(t);

  const first = await book.found(SHOP, 1, found(API, 'x'));
  const again = await book.found(SHOP, 1, found(API, 'x'));
  await book.found(SHOP, 1, found(API, 'y'));

  assert.deepEqual([first.length, again.length], [1, 0]);
  assert.deepEqual(await told(ledger), ['api x superseded', 'api y open']);
});

test('a drift whose value is back ends as gone', async (t) => {
  const { book, ledger } = await openBook(t);
  await book.found(SHOP, 1, found(API, 'x'));

  await book.found(SHOP, 1, found(API, undefined));

  assert.deepEqual(await told(ledger), ['api x gone']);
  assert.equal(book.isOpen(API), false);
});

test('a drift that a rule ignores is no record', async (t) => {
  const { book, ledger } = await openBook(t);

  const news = await book.found(SHOP, 1, found(API, 'x', 'ignore'));

  assert.deepEqual([news, await told(ledger)], [[], []]);
});

for (const [how, tell] of [
  ['as it stands', (book: DriftBook) => book.stands(SHOP, [judged(drift(API, 'x'), 'ignore')])],
  ['when it is looked into again', (book: DriftBook) => book.found(SHOP, 1, found(API, 'x', 'ignore'))],
] as const) {
  test(`an open drift that a later rule ignores ends as ignored, ${how}`, async (t) => {
    const { book, ledger } = await openBook(t);
    await book.found(SHOP, 1, [...found(API, 'x', 'report'), ...found(WEB, 'x', 'report')]);

    await tell(book);

    assert.deepEqual(await told(ledger), ['api x ignored', 'web x report']);
    assert.deepEqual([book.isOpen(API), book.openOf(SHOP)], [false, [WEB]]);
  });
}

test('nothing is written of a drift that stands as before', async () => {
  const updates: unknown[] = [];
  const book = new DriftBook({
    ledger: {
      recordDrifts: async (fresh) => fresh.map((_one, index) => index + 1),
      updateDrifts: async (news) => void updates.push(news),
      drifts: async () => [],
    },
    clock: new ManualClock(),
    eventsFor: () => [],
  });
  await book.found(SHOP, 1, found(API, 'x', 'report'));

  await book.found(SHOP, 1, found(API, 'x', 'report'));
  await book.stands(SHOP, [judged(drift(API, 'x'), 'report')]);

  assert.deepEqual(updates, []);
});

test('the decision by which a drift stands follows its rule, and goes with it', async (t) => {
  const { book, ledger } = await openBook(t);
  await book.found(SHOP, 1, found(API, 'x'));

  await book.stands(SHOP, [judged(drift(API, 'x'), 'report')]);
  const reported = await told(ledger);
  await book.stands(SHOP, [judged(drift(API, 'x'))]);

  assert.deepEqual([reported, await told(ledger)], [['api x report'], ['api x open']]);
});

test('after a restart what was open is still open, of each target', async (t) => {
  const { book, ledger } = await openBook(t);
  await book.found(SHOP, 1, [...found(API, 'x'), ...found(WEB, 'y', 'report')]);
  await book.found(CART, 1, found('/ConfigMap/cart/one' as ObjectKey, 'z'));
  await book.ended(SHOP, [API], 'healed');

  const later = bookOver(ledger);
  await later.recall();
  const again = await later.found(SHOP, 1, found(WEB, 'y', 'report'));

  assert.deepEqual([later.openOf(SHOP), later.openOf(CART)], [[WEB], ['/ConfigMap/cart/one']]);
  assert.deepEqual(again, []);
  assert.deepEqual(await told(ledger), ['api x healed', 'web y report', 'one z open']);
});
