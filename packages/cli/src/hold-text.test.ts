import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { restText, timeText } from './hold-text.ts';
import { checkedHold } from './hold-wish.ts';

const TIME = Date.parse('2026-01-31T23:30:00Z');

test('a time is told in UTC and as it is here, with the day where that is another', () => {
  assert.equal(timeText(TIME, 'UTC'), '2026-01-31 23:30 UTC');
  assert.equal(timeText(TIME, 'America/New_York'), '2026-01-31 23:30 UTC (18:30 GMT-5 here)');
  assert.equal(timeText(TIME, 'Asia/Kolkata'), '2026-01-31 23:30 UTC (2026-02-01 05:00 GMT+5:30 here)');
});

test('a zone that is no name is left out', () => {
  assert.equal(timeText(TIME, 'CET-1CEST,M3.5.0'), '2026-01-31 23:30 UTC');
});

test('what is left of a hold is told as people say it', () => {
  const spec = { application: 'shop', allowEdits: true, by: 'a', reason: 'b', atEnd: 'heal' } as const;
  const until = new Date(TIME).toISOString();
  assert.equal(restText({ ...spec, until }, TIME - 40 * 60_000), 'in 40m');
  assert.equal(restText({ ...spec, until }, TIME + 3_000), 'ended 3s ago');
});

test('an end of any zone is in the future and within seven days, or refused', () => {
  const week = 7 * 24 * 3_600_000;
  fc.assert(
    fc.property(fc.integer({ min: -2 * week, max: 2 * week }), fc.integer({ min: -12, max: 12 }), (offsetMs, hours) => {
      const end = TIME + offsetMs;
      const local = new Date(end + hours * 3_600_000).toISOString().replace('Z', '');
      const zone = `${hours < 0 ? '-' : '+'}${String(Math.abs(hours)).padStart(2, '0')}:00`;
      const wish = () => checkedHold({ until: `${local}${zone}`, reason: ' why ' }, TIME);
      if (offsetMs <= 0 || offsetMs > week) assert.throws(wish, { code: 'Usage' });
      else assert.deepEqual(wish(), { until: end, reason: 'why' });
    }),
  );
});
