import { PlumbError, type ErrorCode } from '@plumb/core';
import type { Answer, AnswerHeaders } from './connections.ts';

const SHORTEST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60 * 60_000;
/** What GitHub asks for where it names no time. */
const DEFAULT_WAIT_MS = 60_000;

/**
 * An answer that is not the one hoped for, as the domain's error. What the host wrote is looked at, but never repeated: it
 * may quote what was sent.
 *
 * @param nowMs milliseconds since the epoch, for hosts that send no date
 */
export function refusal(what: string, answer: Answer, nowMs: number): PlumbError {
  const { status, headers } = answer;
  const code = codeOf(answer);
  const waits = code === 'HostRateLimited' || code === 'HostUnreachable';
  const retryAfterMs = waits ? waitMs(headers, nowMs) : undefined;
  const message = `${what}: the host answered ${status}${code === 'HostRateLimited' ? ', too many requests' : ''}`;
  return new PlumbError(code, message, {
    retryAfterMs: code === 'HostRateLimited' ? (retryAfterMs ?? DEFAULT_WAIT_MS) : retryAfterMs,
  });
}

function codeOf(answer: Answer): ErrorCode {
  switch (answer.status) {
    case 401:
      return 'HostUnauthorized';
    case 403:
      return isRateLimit(answer) ? 'HostRateLimited' : 'HostUnauthorized';
    case 404:
    case 410:
      return 'HostNotFound';
    case 429:
      return 'HostRateLimited';
    default:
      return answer.status >= 500 ? 'HostUnreachable' : 'HostRefused';
  }
}

/** GitHub says 403 both where a right is missing and where there were too many requests, of which it has two kinds. */
function isRateLimit({ headers, body }: Answer): boolean {
  if (headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0') return true;
  return /rate limit/i.test(body.subarray(0, 4096).toString('utf8'));
}

/** `retry-after` in seconds, else when the count of requests begins anew, by the host's own clock. */
function waitMs(headers: AnswerHeaders, nowMs: number): number | undefined {
  const after = seconds(headers['retry-after']);
  if (after !== undefined) return within(after * 1_000);
  if (headers['x-ratelimit-remaining'] !== '0' && headers['ratelimit-remaining'] !== '0') return undefined;
  const reset = seconds(headers['x-ratelimit-reset'] ?? headers['ratelimit-reset']);
  if (reset === undefined) return undefined;
  const date = typeof headers['date'] === 'string' ? Date.parse(headers['date']) : Number.NaN;
  return within(reset * 1_000 - (Number.isNaN(date) ? nowMs : date));
}

function seconds(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,12}$/.test(header) ? Number(header) : undefined;
}

function within(ms: number): number {
  return Math.min(Math.max(ms, SHORTEST_WAIT_MS), LONGEST_WAIT_MS);
}
