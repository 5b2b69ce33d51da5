import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.ts';
import { countRequests, requestsBetween, totalOf, type RequestCounts } from './api-requests.ts';
import type { Usage } from './process-usage.ts';
import { rounded } from './result.ts';

/** What one phase took. `requests` leaves out watches and leases. */
export interface PhaseFigures {
  readonly seconds: number;
  /** The same writes by a bare loop. */
  readonly floorSeconds: number;
  readonly requests: number;
  readonly requestsByVerb: Readonly<Record<string, number>>;
  readonly engineCpuSeconds: number;
  readonly peakRssMiB: number;
  readonly readMiB: number;
  readonly writtenMiB: number;
}

/** The requests so far, once a second has passed without a new one. */
export async function settled(api: Api): Promise<RequestCounts> {
  let before = countRequests(await api.text('/metrics'));
  for (;;) {
    await sleep(1_000);
    const now = countRequests(await api.text('/metrics'));
    if (totalOf(requestsBetween(before, now)) === 0) return now;
    before = now;
  }
}

export function phaseOf(seconds: number, before: Usage, after: Usage, requests: RequestCounts): PhaseFigures {
  return {
    seconds,
    floorSeconds: 0,
    requests: totalOf(requests),
    requestsByVerb: Object.fromEntries(requests),
    engineCpuSeconds: after.cpuSeconds - before.cpuSeconds,
    peakRssMiB: after.peakRssMiB,
    readMiB: after.readMiB - before.readMiB,
    writtenMiB: after.writtenMiB - before.writtenMiB,
  };
}

/** A phase in one line, for people. */
export function phaseLine({ seconds, requests, engineCpuSeconds, peakRssMiB }: PhaseFigures): string {
  const [time, cpu] = [rounded(seconds), rounded(engineCpuSeconds)];
  return `${time} s, ${rounded(requests)} requests, ${cpu} CPU-s, peak ${Math.round(peakRssMiB)} MiB`;
}
