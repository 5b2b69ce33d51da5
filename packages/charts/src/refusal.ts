import { PlumbError } from '@plumb/core';
import type { Arrival } from './follow.ts';
import { shown } from './source.ts';

/** An answer that is not the one hoped for, as the domain's error. What the host wrote beside the status is not repeated. */
export function refusal(answer: Arrival): PlumbError {
  const message = `GET ${shown(answer.url)}: the host answered ${answer.status}`;
  switch (answer.status) {
    case 401:
    case 403:
      return new PlumbError('ChartRepositoryUnauthorized', message);
    case 404:
    case 410:
      return new PlumbError('ChartNotFound', message);
    default:
      return new PlumbError('ChartRepositoryUnreachable', message, { retryAfterMs: retryAfterMs(answer) });
  }
}

/** Seconds only: a date would have to be compared with the clock of the host. */
function retryAfterMs({ headers }: Arrival): number | undefined {
  const after = headers['retry-after'];
  return typeof after === 'string' && /^\d{1,6}$/.test(after) ? Number(after) * 1000 : undefined;
}
