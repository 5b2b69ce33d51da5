// The engine's view of a cluster alone: what an object costs in memory, and how long reading many of them blocks.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { LiveIndex, systemClock, systemRandom } from '@plumb/engine';
import { connect } from '@plumb/kube';
import type { GroupKind } from '@plumb/core';
import { answerRequests } from './ipc.ts';

/** Of one reading of all objects of a kind. */
export interface ReadingFigures {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The longest time for which nothing else could happen. */
  readonly longestBlockMs: number;
  readonly objects: number;
  readonly heapMiB: number;
}

const { signal } = new AbortController();
const resources = new AsyncDisposableStack();
let index: LiveIndex | undefined;
let synced = (): void => {};

function opened(): LiveIndex {
  if (index === undefined) throw new Error('not connected');
  return index;
}

async function heapMiB(): Promise<number> {
  // Twice, with a turn in between: what weak references held goes at the second.
  globalThis.gc?.();
  await sleep(50);
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

async function read(begin: () => Promise<void>): Promise<ReadingFigures> {
  const heapBefore = await heapMiB();
  const done = new Promise<void>((resolve) => (synced = resolve));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  // The first turns tell nothing: what began before the meter does not count.
  await sleep(20);
  delay.reset();
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await begin();
  await done;
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  await sleep(20);
  delay.disable();
  return {
    seconds,
    cpuSeconds: (user + system) / 1_000_000,
    longestBlockMs: delay.max / 1_000_000,
    objects: opened().size,
    heapMiB: (await heapMiB()) - heapBefore,
  };
}

answerRequests(
  {
    async open(server) {
      const client = resources.use(
        connect(
          { server: String(server), namespace: 'default', context: 'bench', auth: { type: 'none' } },
          { clock: systemClock, random: systemRandom, userAgent: 'plumb-bench' },
        ),
      );
      index = resources.use(
        new LiveIndex({
          client,
          clock: systemClock,
          signal,
          isDrifted: () => false,
          changed: () => undefined,
          rewound: () => undefined,
          watchChanged: (groupKind: GroupKind) => {
            if (opened().watchOf(groupKind).state === 'synced') synced();
          },
        }),
      );
    },
    /** Reads all objects of a kind for the first time. */
    read: (kind) => read(() => opened().watch(kind as GroupKind)),
    /** Waits until the kind that was read last has been read once more, because its watch has expired. */
    reread: () => read(() => Promise.resolve()),
  },
  () => resources.disposeAsync(),
);
