import { type ErrorCode, type Health } from '@plumb/core';

/** A rule that cannot answer says so, and holds nothing up: the object has a health, with the code of the error. */
export function unknown(code: ErrorCode, message: string): Health {
  return { status: 'Unknown', message: `${code}: ${message}` };
}
