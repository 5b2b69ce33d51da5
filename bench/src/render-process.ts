// The renderer alone, reading files out of a mirror as the engine does: its times, and its memory, are what is measured.
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import type { SourceTree } from '@plumb/core';
import { systemClock } from '@plumb/engine';
import { openMirror, parseGitUrl } from '@plumb/git';
import { createRenderer, openDiskCache, type Renderer, type RenderOutcome } from '@plumb/render';
import { answerRequests } from './ipc.ts';
import { NAMESPACE, RELEASE } from './render-corpus.ts';

export interface RenderStart {
  readonly url: string;
  readonly commit: string;
  readonly folder: string;
}

export interface ManyRenders {
  readonly path: string;
  readonly count: number;
  /** Releases are numbered from here: no two renders have the same input. */
  readonly from: number;
  /** What is rendered instead every so often. */
  readonly between?: { readonly path: string; readonly every: number };
}

export interface ManyFigures {
  readonly seconds: number;
  readonly rssMiB: number;
  /** Of all threads together; it never shrinks while a thread lives. */
  readonly linearMiB: number;
}

/** As many as there are threads, and one more each so that none waits for the next. */
const IN_FLIGHT = 4;
const { signal } = new AbortController();
const CACHE_KEY = Buffer.alloc(32, 7);

const resources = new AsyncDisposableStack();
const linearBytes = new Map<Worker, number>();
let tree: SourceTree | undefined;
let warm: Renderer | undefined;
let cacheFolder = '';

// The sandbox says with every reply how much memory it holds.
process.on('worker', (worker) => {
  worker.on('message', (reply: { readonly memoryBytes?: number }) => {
    if (typeof reply.memoryBytes === 'number') linearBytes.set(worker, reply.memoryBytes);
  });
  worker.on('exit', () => linearBytes.delete(worker));
});

async function render(renderer: Renderer, path: string, release = RELEASE): Promise<RenderOutcome> {
  if (tree === undefined) throw new Error('nothing is opened');
  const outcome = await renderer.render({ tree, path, release, namespace: NAMESPACE, signal });
  if (!outcome.ok) throw new Error(`${path}: ${outcome.error.map(({ message }) => message).join('; ')}`);
  return outcome;
}

function open(): Renderer {
  return (warm ??= resources.use(createRenderer({ clock: systemClock })));
}

answerRequests(
  {
    async open(argument) {
      const { url, commit, folder } = argument as RenderStart;
      const mirror = resources.use(
        await openMirror({
          url: parseGitUrl(url),
          folder: join(folder, 'mirror'),
          credentials: () => Promise.resolve({ kind: 'none' }),
          signal,
        }),
      );
      if (!(await mirror.hasCommit(commit, { signal }))) await mirror.fetch(['HEAD'], { signal });
      await mirror.prefetch(commit, [''], { signal });
      tree = mirror.at(commit);
      cacheFolder = join(folder, 'cache');
    },
    /** Milliseconds of one render without a cache; the first of a process compiles the module and starts a thread. */
    async render(path) {
      const startedAt = performance.now();
      await render(open(), String(path));
      return performance.now() - startedAt;
    },
    /** Milliseconds of a render that is on disk already, and in nobody's memory. */
    async recall(path) {
      const cache = openDiskCache({ folder: cacheFolder, key: CACHE_KEY, clock: systemClock });
      await using renderer = createRenderer({ clock: systemClock, cache });
      const startedAt = performance.now();
      const { isCached } = await render(renderer, String(path));
      const ms = performance.now() - startedAt;
      return { ms, isCached };
    },
    async many(argument): Promise<ManyFigures> {
      const { path, count, from, between } = argument as ManyRenders;
      const numbers = Array.from({ length: count }, (_, index) => from + index).values();
      const startedAt = performance.now();
      await Promise.all(
        Array.from({ length: IN_FLIGHT }, async () => {
          for (const number of numbers) {
            const isBetween = between !== undefined && number % between.every === 0;
            await render(open(), isBetween ? between.path : path, `${RELEASE}-${number}`);
          }
        }),
      );
      return {
        seconds: (performance.now() - startedAt) / 1_000,
        rssMiB: process.memoryUsage.rss() / 2 ** 20,
        linearMiB: linearBytes.values().reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20,
      };
    },
  },
  () => resources.disposeAsync(),
);
