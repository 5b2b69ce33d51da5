import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ticksOf, usageOf } from './process-usage.ts';

test('processor time is that of the process and of its children that ended, whatever the process is called', () => {
  const stat = '42 (a) (b) S 1 42 42 0 -1 4194560 1 2 3 4 100 20 7 3 20 0 11 0 99 1 2';

  assert.equal(ticksOf(stat), 130);
});

test('a process can be read', { skip: process.platform === 'linux' ? false : 'there is no /proc' }, () => {
  const usage = usageOf(process.pid);

  assert.ok(usage.cpuSeconds > 0);
  assert.ok(usage.peakRssMiB > 10);
  assert.ok(usage.readMiB > 0);
});
