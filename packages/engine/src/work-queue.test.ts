import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ManualClock } from '@plumb/test-support';
import { WorkQueue } from './work-queue.ts';

function gate(): { readonly opened: Promise<void>; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function queueOf(
  work: (key: string, o: { signal: AbortSignal }) => Promise<void>,
  concurrency = 2,
  clock = new ManualClock(),
) {
  const failures: unknown[] = [];
  const queue = new WorkQueue<string>({ clock, concurrency, work, failed: (_key, thrown) => failures.push(thrown) });
  return { queue, clock, failures };
}

test('a key that is added twice while it waits is worked on once', async () => {
  const runs: string[] = [];
  const first = gate();
  const { queue } = queueOf(async (key) => {
    runs.push(key);
    if (key === 'a') await first.opened;
  }, 1);

  queue.add('a');
  queue.add('b');
  queue.add('b');
  first.open();
  await settled();

  assert.deepEqual(runs, ['a', 'b']);
});

test('a key that is added while it is worked on is worked on once more afterwards', async () => {
  const runs: string[] = [];
  const first = gate();
  const { queue } = queueOf(async (key) => {
    runs.push(key);
    if (runs.length === 1) await first.opened;
  });

  queue.add('a');
  queue.add('a');
  queue.add('a');
  assert.deepEqual(runs, ['a']);
  first.open();
  await settled();

  assert.deepEqual(runs, ['a', 'a']);
});

test('no key runs twice at once, and all that were added run at least once after their last add', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }), async (keys) => {
      const running = new Set<string>();
      const startedAfter = new Map<string, number>();
      let added = 0;
      const { queue } = queueOf(async (key) => {
        assert.ok(!running.has(key));
        running.add(key);
        startedAfter.set(key, added);
        await Promise.resolve();
        running.delete(key);
      });

      const lastAdd = new Map<string, number>();
      for (const key of keys) {
        added += 1;
        lastAdd.set(key, added);
        queue.add(key);
        if (added % 3 === 0) await Promise.resolve();
      }
      while (queue.depth > 0) await Promise.resolve();

      for (const [key, at] of lastAdd) assert.ok((startedAfter.get(key) ?? 0) >= at);
    }),
  );
});

test('a key that failed is reported and tried again after the pause', async () => {
  let runs = 0;
  const { queue, clock, failures } = queueOf(async () => {
    runs += 1;
    if (runs === 1) throw new Error('lost');
    await Promise.resolve();
  });

  queue.add('a');
  await settled();
  assert.equal(runs, 1);
  assert.equal(failures.length, 1);
  clock.advance(5_000);
  await settled();

  assert.equal(runs, 2);
});

test('the earliest of two planned times wins', async () => {
  const at: number[] = [];
  const clock = new ManualClock();
  const { queue } = queueOf(async () => void at.push(clock.monotonic()), 1, clock);

  queue.addAt('a', 500);
  queue.addAt('a', 100);
  queue.addAt('a', 300);
  clock.advance(1_000);
  await settled();

  assert.deepEqual(at, [100]);
});

test('disposing aborts what runs, starts nothing more and waits for the end', async () => {
  const seen: string[] = [];
  const { queue, failures } = queueOf(async (key, { signal }) => {
    seen.push(key);
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  }, 1);

  queue.add('a');
  queue.add('b');
  await queue[Symbol.asyncDispose]();
  queue.add('c');
  await settled();

  assert.deepEqual(seen, ['a']);
  assert.deepEqual(failures, []);
});
