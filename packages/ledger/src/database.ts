import type { DatabaseSync } from 'node:sqlite';
import { PlumbError } from '@plumb/core';

/**
 * Runs `work` as one transaction. It is synchronous from the first statement to the last, so nothing else that uses this
 * connection can come in between.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // Some errors (a full disk) make SQLite roll back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** https://www.sqlite.org/rescode.html: the primary codes that have a next step of their own. */
const FIXES: Readonly<Record<number, string>> = {
  8: 'Give the user that runs Plumb the right to write the file and its folder.',
  11: 'Move the file away and start again: the history in it is lost, but no object in a cluster is.',
  13: 'Free space on the disk.',
  14: 'Give the user that runs Plumb the right to open the file and its folder.',
  26: 'Move the file away and start again: the history in it is lost, but no object in a cluster is.',
};

/** A failure of SQLite or of the file system as `LedgerUnavailable`; everything else as it is. */
export function ledgerUnavailable(file: string, thrown: unknown): unknown {
  if (thrown instanceof PlumbError || !(thrown instanceof Error)) return thrown;
  const { code, errcode } = thrown as { readonly code?: unknown; readonly errcode?: unknown };
  const fromSqlite = code === 'ERR_SQLITE_ERROR' || code === 'ERR_INVALID_STATE';
  const fromFileSystem = 'syscall' in thrown;
  if (!fromSqlite && !fromFileSystem) return thrown;
  return new PlumbError('LedgerUnavailable', `The ledger ${file} cannot be used: ${thrown.message}`, {
    // The low byte is the primary code.
    fix: typeof errcode === 'number' ? FIXES[errcode & 0xff] : undefined,
    where: { file },
    cause: thrown,
  });
}
