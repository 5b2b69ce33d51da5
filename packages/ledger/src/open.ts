import { chmod, mkdir, stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { PlumbError, type Clock } from '@plumb/core';
import { ledgerUnavailable } from './database.ts';
import { ledgerFiles } from './folder.ts';
import { SqliteLedger, type Ledger } from './ledger.ts';
import { SqliteReader, type LedgerReader } from './reader.ts';
import { keyUnusable, openVault, type Vault } from './vault.ts';
import { takeWriterLock } from './writer-lock.ts';

/** A reader may hold a lock for a moment, when it is the first to open the file or the last to close it. */
const BUSY_TIMEOUT_MS = 2000;

/**
 * Opens the ledger in a folder, which is made where it is missing, as its only writer.
 * Errors: `LedgerUnavailable` (the disk, a right, a damaged file), `LedgerBusy` (another process writes to it).
 */
export async function openLedger({
  folder,
  clock,
}: {
  readonly folder: string;
  readonly clock: Clock;
}): Promise<Ledger> {
  const files = ledgerFiles(folder);
  await using opening = new AsyncDisposableStack();
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = opening.use(await takeWriterLock(files));
    const isNew = !(await exists(files.database));
    const vault = await openVault(files.key, { create: isNew });
    const database = opening.adopt(new DatabaseSync(files.database, { timeout: BUSY_TIMEOUT_MS }), (opened) =>
      opened.close(),
    );
    await chmod(files.database, 0o600);
    // A crash of the process loses nothing. See docs/decisions/011 for what a power cut may lose, and why that is safe.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF');
    // Only who writes has to: who reads starts without what it takes.
    const { migrate } = await import('./migrations.ts');
    await migrate(database);
    checkKey(database, vault, files.key);
    const ledger = new SqliteLedger({
      file: files.database,
      database,
      clock,
      lock,
      openedVault: vault,
      vault: async () => vault,
    });
    opening.move();
    return ledger;
  } catch (error) {
    throw ledgerUnavailable(files.database, error);
  }
}

/** Opens the ledger in a folder for reading, also while an engine writes to it. Error: `LedgerUnavailable`. */
export async function openLedgerReadOnly(folder: string): Promise<LedgerReader> {
  const files = ledgerFiles(folder);
  try {
    if (!(await exists(files.database))) {
      throw new PlumbError('LedgerUnavailable', `There is no ledger in ${folder}`, {
        fix: 'Start the engine once with "plumb up", or name the state folder that it uses.',
        where: { file: files.database },
      });
    }
    const database = new DatabaseSync(files.database, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    let vault: Promise<Vault> | undefined;
    async function openCheckedVault(): Promise<Vault> {
      const opened = await openVault(files.key, { create: false });
      if (storedFingerprint(database) !== opened.fingerprint) throw wrongKey(files.key);
      return opened;
    }
    return new SqliteReader({ file: files.database, database, vault: () => (vault ??= openCheckedVault()) });
  } catch (error) {
    throw ledgerUnavailable(files.database, error);
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 'ENOENT') return false;
    throw error;
  }
}

/** Another key would read nothing and find nothing: better to say so at once. */
function checkKey(database: DatabaseSync, vault: Vault, keyFile: string): void {
  const stored = storedFingerprint(database);
  if (stored === undefined) {
    database.prepare("INSERT INTO setting (name, value) VALUES ('key', ?)").run(vault.fingerprint);
  } else if (stored !== vault.fingerprint) {
    throw wrongKey(keyFile);
  }
}

function storedFingerprint(database: DatabaseSync): unknown {
  return database.prepare("SELECT value FROM setting WHERE name = 'key'").get()?.['value'];
}

function wrongKey(keyFile: string): PlumbError {
  return keyUnusable(keyFile, 'is not the one that this ledger was written with');
}
