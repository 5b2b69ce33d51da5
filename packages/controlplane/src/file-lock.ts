import { DatabaseSync } from 'node:sqlite';
import type { Clock } from '@plumb/core';

const RETRY_MS = 500;
const SQLITE_BUSY = 5;

/**
 * Holds a lock file until disposed; waits while another process holds it. It is SQLite's lock on an empty database, that
 * is, one of the operating system: it ends with the process that holds it, however that ends, so none is ever left over.
 */
export async function lockFile(
  path: string,
  options: { readonly signal: AbortSignal; readonly clock: Clock; readonly onWait?: () => void },
): Promise<Disposable> {
  const { signal, clock, onWait } = options;
  for (let waiting = false; ; waiting = true) {
    const lock = tryLock(path);
    if (lock !== undefined) return lock;
    if (!waiting) onWait?.();
    await clock.sleep(RETRY_MS, { signal });
  }
}

function tryLock(path: string): Disposable | undefined {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return undefined;
    throw error;
  }
  return { [Symbol.dispose]: () => database.close() };
}
