import { PlumbError } from '@plumb/core';

/** JSON that the ledger itself stored. Error: `LedgerUnavailable`. */
export function decodeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PlumbError('LedgerUnavailable', 'The ledger holds JSON that cannot be read', { cause });
  }
}
