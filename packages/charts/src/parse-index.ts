import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PlumbError, type Clock } from '@plumb/core';
import type { ChartIndex } from './index-file.ts';
import type { IndexJob, IndexOutcome } from './index-worker.ts';

const PARSE_TIMEOUT_MS = 60_000;
/** Some fifteen times the largest index: what a parser makes of a text is that much larger than the text. */
const MAX_HEAP_MB = 1024;

/**
 * An `index.yaml` as its entries, read in a thread of its own that is bounded in time and memory.
 *
 * @throws {PlumbError} `ChartRepositoryInvalid`
 */
export async function parseIndex(
  job: IndexJob,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ChartIndex> {
  const slow = new AbortController();
  using _timer = options.clock.timer(PARSE_TIMEOUT_MS, () => slow.abort());
  const worker = new Worker(new URL('./index-worker.ts', import.meta.url), {
    workerData: job,
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  });
  try {
    const [outcome] = (await once(worker, 'message', {
      signal: AbortSignal.any([options.signal, slow.signal]),
    })) as [IndexOutcome];
    if (outcome.ok) return outcome.index;
    throw new PlumbError('ChartRepositoryInvalid', outcome.fault);
  } catch (thrown) {
    options.signal.throwIfAborted();
    if (slow.signal.aborted) throw invalid(job, `that took longer than ${PARSE_TIMEOUT_MS / 1000} s`, thrown);
    if (isOutOfMemory(thrown)) throw invalid(job, `that took more than ${MAX_HEAP_MB} MiB`, thrown);
    throw thrown;
  } finally {
    await worker.terminate();
  }
}

function isOutOfMemory(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function invalid({ where }: IndexJob, fault: string, cause: unknown): PlumbError {
  return new PlumbError('ChartRepositoryInvalid', `${where} cannot be read: ${fault}`, { cause });
}
