import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json, KubeObject } from '@plumb/core';
import { eventLines } from './event-lines.ts';

function event(uid: string, minute: number, more: Readonly<Record<string, Json>> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${uid}-${minute}` },
    involvedObject: { kind: 'Pod', name: uid, uid },
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off',
    lastTimestamp: `2026-01-01T10:${String(minute).padStart(2, '0')}:00Z`,
    ...more,
  };
}

const since = Date.parse('2026-01-01T10:00:00Z');

test('events that say the same are one line with their count and last time, the newest last', () => {
  const events = [event('a', 9, { count: 3 }), event('b', 5), event('a', 2), event('foreign', 9)];

  const lines = eventLines(events, { uids: new Set(['a', 'b']), since });

  assert.deepEqual(
    lines.map(({ object, count, at }) => `${object} ${count} ${at.slice(11, 16)}`),
    ['Pod/b 1 10:05', 'Pod/a 4 10:09'],
  );
});

test('events of the newer form have their times elsewhere; without any time, or too old, they are left out', () => {
  const newer = { lastTimestamp: null, eventTime: '2026-01-01T10:01:00.000000Z' };
  const series = { ...newer, reason: 'Other', series: { count: 7, lastObservedTime: '2026-01-01T10:08:00.000000Z' } };
  const events = [event('a', 0, newer), event('a', 0, series), event('a', 0, { lastTimestamp: null, reason: 'None' })];

  const lines = eventLines([...events, event('a', 0, { reason: 'Old', lastTimestamp: '2025-12-31T00:00:00Z' })], {
    uids: new Set(['a']),
    since,
  });

  assert.deepEqual(
    lines.map(({ reason, count }) => `${reason} ${count}`),
    ['BackOff 1', 'Other 7'],
  );
});
