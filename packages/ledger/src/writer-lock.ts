import { readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { PlumbError } from '@plumb/core';
import type { LedgerFiles } from './folder.ts';

/**
 * Makes this the only writer. The lock is a transaction that stays open on an empty database: the operating system drops
 * it with the process, however that ends, so there is no stale lock to judge and no process id that may have been reused.
 * Error: `LedgerBusy` while another process (or this one) holds it.
 */
export async function takeWriterLock(files: LedgerFiles): Promise<Disposable> {
  const lock = new DatabaseSync(files.lock);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    const SQLITE_BUSY = 5;
    if ((error as { readonly errcode?: unknown }).errcode !== SQLITE_BUSY) throw error;
    const owner = await readFile(files.owner, 'utf8').catch(() => 'unknown');
    throw new PlumbError('LedgerBusy', `The ledger ${files.database} is in use by the process ${owner.trim()}`, {
      where: { file: files.database },
    });
  }
  // Only for the message above.
  await writeFile(files.owner, `${process.pid}\n`);
  return { [Symbol.dispose]: () => lock.close() };
}
