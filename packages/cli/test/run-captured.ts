import { realClock } from '@plumb/test-support';
import { runCli } from '../src/cli.ts';
import type { Environment } from '../src/style.ts';

export interface CapturedRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Default: a UTF-8 locale and nothing else. */
  readonly env?: Environment;
  readonly cwd?: string;
  /** Where state and caches go; default nowhere that exists. */
  readonly home?: string;
  readonly signal?: AbortSignal;
}

/** One command line in this process, with its streams caught. */
export async function runCaptured(inputs: readonly string[], options: RunOptions = {}): Promise<CapturedRun> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(inputs, {
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    env: { LANG: 'C.UTF-8', ...options.env },
    cwd: options.cwd ?? '/nonexistent',
    home: options.home ?? '/nonexistent',
    clock: realClock,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout, stderr };
}
