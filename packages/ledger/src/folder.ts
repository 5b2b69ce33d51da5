import { join } from 'node:path';

/** The files of a ledger. */
export interface LedgerFiles {
  readonly database: string;
  readonly key: string;
  readonly lock: string;
  readonly owner: string;
}

export function ledgerFiles(folder: string): LedgerFiles {
  return {
    database: join(folder, 'ledger.db'),
    key: join(folder, 'ledger.key'),
    lock: join(folder, 'ledger.lock'),
    owner: join(folder, 'ledger.pid'),
  };
}
