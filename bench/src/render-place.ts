import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPart } from './ipc.ts';
import { corpusFiles, writeFiles } from './render-corpus.ts';

/** What is rendered, as files for the binaries and as a commit for ourselves. */
export interface RenderPlace extends AsyncDisposable {
  readonly folder: string;
  readonly corpusFolder: string;
  /** An empty one, for programs that look for settings there. */
  readonly home: string;
  readonly url: string;
  readonly commit: string;
  logFile(name: string): string;
}

/** An environment variable: leave the folder with the logs where it is, and say where. */
const KEEP = 'PLUMB_BENCH_KEEP';
const REPOSITORY = 'corpus';

/** A folder for everything that is written, and a server with the corpus; both are gone at the end. */
export async function openRenderPlace(): Promise<RenderPlace> {
  await using opening = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'plumb-bench-'));
  if (process.env[KEEP] === undefined) opening.defer(() => rm(folder, { recursive: true, force: true }));
  else process.stderr.write(`${folder}\n`);
  const [corpusFolder, home] = [join(folder, 'corpus'), join(folder, 'home')];
  const logFile = (name: string): string => join(folder, `${name}.log`);
  await mkdir(home);
  const files = corpusFiles();
  await writeFiles(corpusFolder, files);
  const git = opening.use(await startPart('./git-process.ts', { logFile: logFile('git') }));
  const url = String(await git.ask('create', REPOSITORY));
  const commit = String(await git.ask('commit', { name: REPOSITORY, files, message: 'Add the corpus' }));
  const closing = opening.move();
  return { folder, corpusFolder, home, url, commit, logFile, [Symbol.asyncDispose]: () => closing.disposeAsync() };
}
