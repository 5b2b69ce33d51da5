import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { decodeHold, type Application, type Hold } from '@plumb/api';
import { fieldAt, PlumbError, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { ManualClock } from '@plumb/test-support';
import { HoldReminders } from './hold-reminders.ts';

const MINUTE = 60_000;
const APPLICATION = {
  apiVersion: 'plumb.dev/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'default' },
} as Application;

function open(fails: readonly PlumbError[] = []) {
  const clock = new ManualClock();
  const sent: KubeObject[] = [];
  const said: string[] = [];
  const errors = [...fails];
  const world = { mayAct: true };
  const reminders = new HoldReminders({
    writer: {
      apply: async (object) => {
        const error = errors.shift();
        if (error !== undefined) throw error;
        sent.push(object);
        return {} as Awaited<ReturnType<KubeClient['apply']>>;
      },
    },
    clock,
    ledger: { drifts: async () => [] },
    holder: 'engine-1',
    application: () => APPLICATION,
    mayAct: () => world.mayAct,
    log: ({ code }) => said.push(String(code)),
  });
  reminders.start();
  return Object.assign(world, {
    clock,
    sent,
    said,
    reminders,
    hold(forMs: number, reason = 'INC-9', uid = 'u'): Hold {
      const decoded = decodeHold({
        apiVersion: 'plumb.dev/v1alpha1',
        kind: 'Hold',
        metadata: { name: 'inc', namespace: 'default', uid },
        spec: {
          application: 'shop',
          allowEdits: true,
          until: new Date(clock.now() + forMs).toISOString(),
          by: 'dana',
          reason,
        },
      });
      assert.ok(decoded.ok);
      return decoded.value;
    },
    async pass(ms: number): Promise<void> {
      clock.advance(ms);
      for (let turn = 0; turn < 5; turn++) await setImmediate();
    },
  });
}

test('a hold is announced a quarter of an hour before its end, and one that is shorter is not', async () => {
  const world = open();
  world.reminders.changed(world.hold(14 * MINUTE, 'short', 's'));
  world.reminders.changed(world.hold(60 * MINUTE));
  await world.pass(44 * MINUTE);
  assert.equal(world.sent.length, 0);

  await world.pass(MINUTE);
  await world.pass(30 * MINUTE);

  assert.deepEqual(
    world.sent.map((event) => fieldAt(event, 'reason')),
    ['HoldEnding'],
  );
});

test('what does not arrive is tried again once a minute, until it does or the hold has ended', async () => {
  const passing = open([new PlumbError('ServerError', 'busy'), new PlumbError('ServerError', 'busy')]);
  const forbidden = open(Array.from({ length: 100 }, () => new PlumbError('Forbidden', 'no')));
  for (const world of [passing, forbidden]) {
    world.reminders.changed(world.hold(60 * MINUTE));
    await world.pass(45 * MINUTE);
    for (let minutes = 0; minutes < 30; minutes++) await world.pass(MINUTE);
  }

  assert.deepEqual([passing.sent.length, passing.said], [1, ['ServerError', 'ServerError']]);
  assert.deepEqual([forbidden.sent.length, forbidden.said.length, forbidden.clock.pending], [0, 15, 0]);
});

test('an engine without its lease says it once it has that again, and a hold that was lifted is not announced', async () => {
  const world = open();
  world.mayAct = false;
  world.reminders.changed(world.hold(60 * MINUTE));
  await world.pass(45 * MINUTE);
  world.mayAct = true;
  await world.pass(1_000);
  const lifted = open();
  const hold = lifted.hold(60 * MINUTE);
  lifted.reminders.changed(hold);
  lifted.reminders.removed(hold);
  await lifted.pass(50 * MINUTE);

  assert.deepEqual([world.sent.length, lifted.sent.length, lifted.clock.pending], [1, 0, 0]);
});

test('a long reason in any script is cut to what an Event takes, between characters', async () => {
  const world = open();
  world.reminders.changed(world.hold(60 * MINUTE, '長'.repeat(1_000)));
  await world.pass(45 * MINUTE);

  const note = String(fieldAt(world.sent[0] ?? APPLICATION, 'note'));
  assert.ok(Buffer.byteLength(note) <= 1_024 && Buffer.byteLength(note) > 1_000, String(Buffer.byteLength(note)));
  assert.match(note, /長…$/);
});
