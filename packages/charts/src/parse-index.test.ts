import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@plumb/test-support';
import { parseIndex } from './parse-index.ts';

const job = { text: 'entries:\n  web:\n  - {version: 1.0.0, urls: [a]}\n', where: 'index.yaml' };

test('an index is read in a thread of its own', async () => {
  const clock = new ManualClock();

  const index = await parseIndex(job, { clock, signal: new AbortController().signal });

  assert.deepEqual([...index], [['web', [{ version: '1.0.0', url: 'a', digest: undefined }]]]);
  assert.equal(clock.pending, 0);
});

test('reading that takes too long, or is not wanted any more, is ended', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();

  const slow = parseIndex(job, { clock, signal: stop.signal });
  clock.advance(60_000);
  await assert.rejects(slow, { code: 'ChartRepositoryInvalid', message: /longer than 60 s/ });

  const unwanted = parseIndex(job, { clock, signal: stop.signal });
  stop.abort(new Error('not wanted'));
  await assert.rejects(unwanted, /^Error: not wanted$/);
});
