import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metrics } from './metrics.ts';

test('every state of a target is exposed from the start, so that an alert on one can begin and end', () => {
  const metrics = new Metrics();

  const exposed = metrics.expose();

  assert.match(exposed, /^plumb_app_state\{state="Failed"\} 0$/m);
  assert.match(exposed, /^plumb_app_state\{state="Healthy"\} 0$/m);
});

test('a collector sets gauges at each exposition, and counters add up', () => {
  const metrics = new Metrics();
  let depth = 3;
  metrics.collect(() => metrics.set('plumb_queue_depth', depth));

  metrics.add('plumb_write_total', 2, { action: 'create', result: 'ok' });
  metrics.add('plumb_write_total', 1, { action: 'create', result: 'ok' });
  const first = metrics.expose();
  depth = 0;

  assert.match(first, /^plumb_queue_depth 3$/m);
  assert.match(first, /^plumb_write_total\{action="create",result="ok"\} 3$/m);
  assert.match(metrics.expose(), /^plumb_queue_depth 0$/m);
});
