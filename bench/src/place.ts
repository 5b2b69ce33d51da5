import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster, type Cluster } from '@plumb/controlplane';
import { systemClock } from '@plumb/engine';

/** An environment variable: leave the folder with the logs where it is, and say where. */
export const KEEP = 'PLUMB_BENCH_KEEP';

export interface Place extends AsyncDisposable {
  readonly cluster: Cluster;
  readonly stateFolder: string;
  readonly cacheFolder: string;
  logFile(name: string): string;
}

export interface Logs extends AsyncDisposable {
  readonly folder: string;
  logFile(name: string): string;
}

/** A folder for everything that is written, gone at the end. */
export async function openLogs(): Promise<Logs> {
  const folder = await mkdtemp(join(tmpdir(), 'plumb-bench-'));
  const isKept = process.env[KEEP] !== undefined;
  if (isKept) process.stderr.write(`${folder}\n`);
  return {
    folder,
    logFile: (name) => join(folder, `${name}.log`),
    [Symbol.asyncDispose]: () => (isKept ? Promise.resolve() : rm(folder, { recursive: true, force: true })),
  };
}

/** A fresh cluster, and a folder for everything that is written; both are gone at the end. */
export async function openPlace(): Promise<Place> {
  await using opening = new AsyncDisposableStack();
  const logs = opening.use(await openLogs());
  const { folder, logFile } = logs;
  const [stateFolder, cacheFolder] = [join(folder, 'state'), join(folder, 'cache')];
  await Promise.all([mkdir(stateFolder), mkdir(cacheFolder)]);
  const cluster = opening.use(
    await startCluster({
      clock: systemClock,
      signal: new AbortController().signal,
      report: (text) => process.stderr.write(`${text}\n`),
    }),
  );
  const closing = opening.move();
  return {
    cluster,
    stateFolder,
    cacheFolder,
    logFile,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}
