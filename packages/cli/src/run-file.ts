import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeJsonObject } from './decode-json.ts';

/** What a running `plumb up` tells the other verbs, so that they find its cluster. */
export interface RunFile {
  readonly pid: number;
  /** Of the engine's listener. */
  readonly url: string | undefined;
  /** What `KUBECONFIG` has to be to reach the cluster; undefined where the usual kubeconfig was used. */
  readonly kubeconfig: string | undefined;
  readonly context: string;
  readonly server: string;
  readonly stateFolder: string;
  /** RFC 3339. */
  readonly startedAt: string;
}

/** Writes the run file; disposing removes it. Only its owner may read it. */
export async function announceRun(folder: string, run: RunFile): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${run.pid}.json`);
  await writeFile(file, `${JSON.stringify(run)}\n`, { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

/** The engines that run on this machine, newest first. What a killed one left behind does not count. */
export async function listRuns(folder: string): Promise<readonly RunFile[]> {
  const names = await readdir(folder).catch(() => []);
  const runs: RunFile[] = [];
  for (const name of names.filter((file) => file.endsWith('.json'))) {
    const run = decodeRun(await readFile(join(folder, name), 'utf8').catch(() => ''));
    if (run !== undefined && isAlive(run.pid)) runs.push(run);
  }
  return runs.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
}

function decodeRun(text: string): RunFile | undefined {
  const { pid, url, kubeconfig, context, server, stateFolder, startedAt } = decodeJsonObject(text) ?? {};
  if (typeof pid !== 'number' || typeof context !== 'string' || typeof server !== 'string') return undefined;
  if (typeof stateFolder !== 'string' || typeof startedAt !== 'string') return undefined;
  return {
    pid,
    url: typeof url === 'string' ? url : undefined,
    kubeconfig: typeof kubeconfig === 'string' ? kubeconfig : undefined,
    context,
    server,
    stateFolder,
    startedAt,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // The process is there, and belongs to somebody else.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
