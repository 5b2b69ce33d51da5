/** Reads one index and ends: an index of 20 MB takes a second, in which the engine could do nothing else. */
import { parentPort, workerData } from 'node:worker_threads';
import { PlumbError } from '@plumb/core';
import { readIndex, type ChartIndex } from './index-file.ts';

export interface IndexJob {
  readonly text: string;
  readonly where: string;
}

export type IndexOutcome =
  | { readonly ok: true; readonly index: ChartIndex }
  | { readonly ok: false; readonly fault: string };

function run({ text, where }: IndexJob): IndexOutcome {
  try {
    return { ok: true, index: readIndex(text, where) };
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return { ok: false, fault: thrown.message };
  }
}

parentPort?.postMessage(run(workerData as IndexJob));
