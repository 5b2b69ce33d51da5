import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from './clock.ts';

const DAY_MS = 86_400_000;

test('a timer of sixty days ends after sixty days, not at once', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  using _timer = systemClock.timer(60 * DAY_MS, () => (calls += 1));
  const days: number[] = [];
  for (let day = 1; day <= 61; day++) {
    t.mock.timers.tick(DAY_MS);
    if (calls > days.length) days.push(day);
  }

  // A tick of the mock shows what a timer of it sets with the end of the tick.
  assert.equal(calls, 1);
  assert.ok(days[0] === 60 || days[0] === 61, String(days));
});

test('a timer that is disposed of never ends, however long it was', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  const timer = systemClock.timer(60 * DAY_MS, () => (calls += 1));
  t.mock.timers.tick(30 * DAY_MS);
  timer[Symbol.dispose]();
  t.mock.timers.tick(60 * DAY_MS);

  assert.equal(calls, 0);
});
