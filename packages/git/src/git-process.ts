import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { PlumbError } from '@plumb/core';

export interface GitRun {
  readonly folder: string;
  /** Fixed words only: nothing that came from outside. Such values go through `config` (environment) or `input`. */
  readonly args: readonly string[];
  /** Added to the fixed configuration, through the environment: it is in no argument list and on no disk. */
  readonly config?: readonly (readonly [key: string, value: string])[];
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal: AbortSignal;
}

export interface GitOutcome {
  /** The exit code; -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** What a server may print at most: 1,000,000 refs fit. */
const MAX_STDOUT_BYTES = 128 * 1024 * 1024;
const MAX_STDERR_CHARACTERS = 64 * 1024;

/** A proxy and the machine's authorities are the machine's affair; everything else of the person's environment stays out. */
const INHERITED = [
  ...['PATH', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'],
  ...['http_proxy', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY', 'no_proxy', 'NO_PROXY'],
];

const FIXED_ENVIRONMENT: Readonly<Record<string, string>> = {
  // Not a folder: neither git, ssh nor curl (.netrc) finds anything of the person there.
  HOME: '/dev/null',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  // Without access to a remote (see openAccess) nothing may go out.
  GIT_ALLOW_PROTOCOL: '',
  GIT_NO_LAZY_FETCH: '1',
  GIT_NO_REPLACE_OBJECTS: '1',
};

/** https://git-scm.com/docs/git-config. The mirror is a cache: what it loses is fetched again, so nothing waits for the disk. */
const FIXED_CONFIG: readonly (readonly [string, string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.symlinks', 'false'],
  ['core.fsmonitor', 'false'],
  ['core.askPass', ''],
  ['core.fsync', 'none'],
  ['core.logAllRefUpdates', 'false'],
  ['credential.helper', ''],
  ['protocol.version', '2'],
  ['protocol.file.allow', 'never'],
  ['fetch.fsckObjects', 'true'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.writeCommitGraph', 'false'],
  ['advice.fetchShowForcedUpdates', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['http.followRedirects', 'false'],
  ['http.sslVerify', 'true'],
  ['http.lowSpeedLimit', '1'],
  ['http.lowSpeedTime', '30'],
];

/**
 * Runs git to its end: no shell, fixed environment, its own process group. An abort ends the whole group and is rethrown
 * once nothing of it runs any more.
 *
 * @throws {PlumbError} `PrerequisiteMissing` where there is no git, `GitFailed` where it prints without end.
 */
export async function runGit(run: GitRun): Promise<GitOutcome> {
  run.signal.throwIfAborted();
  const child = startGit(run);
  const stdout: Buffer[] = [];
  let stdoutBytes = 0;
  let stderr = '';
  const stop = (): void => killGroup(child);
  run.signal.addEventListener('abort', stop, { once: true });
  try {
    child.stdout.on('data', (chunk: Buffer) => {
      stdoutBytes += chunk.length;
      if (stdoutBytes <= MAX_STDOUT_BYTES) stdout.push(chunk);
      else stop();
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      if (stderr.length < MAX_STDERR_CHARACTERS) stderr += chunk;
    });
    // git may end before it has read all: its exit code and stderr tell more than the broken pipe.
    child.stdin.on('error', () => {});
    child.stdin.end(run.input);
    const code = await exitOf(child);
    run.signal.throwIfAborted();
    if (stdoutBytes > MAX_STDOUT_BYTES) {
      throw new PlumbError('GitFailed', `git ${run.args[0]}: the answer is larger than ${MAX_STDOUT_BYTES} bytes`);
    }
    return { code, stdout: Buffer.concat(stdout), stderr };
  } finally {
    run.signal.removeEventListener('abort', stop);
  }
}

/** A git that runs, with pipes to and from it. */
export type GitChild = ChildProcessWithoutNullStreams;

/** Starts git with the fixed environment; the caller owns the process. */
export function startGit(run: Omit<GitRun, 'input' | 'signal'>): GitChild {
  return spawn('git', run.args, {
    cwd: '/',
    detached: true,
    shell: false,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: environment(run),
  });
}

/** Ends git and whatever it started. */
export function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

/** Resolves with the exit code when the process has ended and its output is read. */
export function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(
        missing
          ? new PlumbError('PrerequisiteMissing', 'git was not found in PATH', { fix: 'Install git 2.36 or newer.' })
          : error,
      );
    });
    child.once('close', (code) => resolve(code ?? -1));
  });
}

function environment(run: Pick<GitRun, 'folder' | 'config' | 'env'>): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  Object.assign(environment, FIXED_ENVIRONMENT, run.env);
  const config = [...FIXED_CONFIG, ...(run.config ?? [])];
  environment['GIT_DIR'] = run.folder;
  environment['GIT_CONFIG_COUNT'] = String(config.length);
  for (const [index, [key, value]] of config.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}
