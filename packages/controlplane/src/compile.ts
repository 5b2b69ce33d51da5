import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { PlumbError, type Clock } from '@plumb/core';

const MINIMUM_GO = '1.26';
const REPORT_INTERVAL_MS = 15_000;
const KEPT_LINES = 30;
const WHAT_ELSE_SERVES =
  'Or use a cluster you have (--context NAME), or ready binaries: KUBEBUILDER_ASSETS=FOLDER with etcd and ' +
  'kube-apiserver, or PLUMB_CONTROLPLANE=FILE.';

export interface Compilation {
  readonly sources: string;
  readonly flags: readonly string[];
  readonly target: Readonly<Record<string, string>>;
  readonly output: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly report: (line: string) => void;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Builds a Go program with the `go` on the PATH and tells how far it is. `PrerequisiteMissing` when Go is absent or too
 * old; `ControlPlaneFailed` with the compiler's last lines when it fails.
 */
export async function compile(compilation: Compilation): Promise<void> {
  const { sources, flags, target, output, signal, clock, report, environment } = compilation;
  // A go.work or cgo of the machine would make another binary.
  const env = { ...environment, ...target, CGO_ENABLED: '0', GOWORK: 'off' };
  await requireGo({ sources, env, signal });

  report('Building the embedded Kubernetes control plane: once, about 7.5 minutes on two cores, 3 GB of memory.');
  report('It fetches about 90 MB of Go modules and is kept in your cache folder.');
  const begun = clock.monotonic();
  const seconds = (): number => Math.round((clock.monotonic() - begun) / 1000);
  let progress = (): string => 'fetching the Go modules';
  using _reports = every(REPORT_INTERVAL_MS, clock, () => report(`  ${formatSeconds(seconds())}: ${progress()}`));
  const total = await countPackages({ sources, env, signal });
  const child = spawn('go', ['build', '-v', ...flags, '-o', output, '.'], {
    cwd: sources,
    env,
    signal,
    killSignal: 'SIGINT', // go itself ends the compilers it runs
    stdio: ['ignore', 'ignore', 'pipe'],
  });

  let compiled = 0;
  progress = () => (compiled === 0 ? 'compiling' : `compiled ${compiled} of at most ${total} packages`);
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    // -v names each package as its compilation begins; what holds a blank is a message.
    if (!line.includes(' ')) compiled += 1;
    else errors.push(line);
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  if (code !== 0) {
    const last = errors.slice(-KEPT_LINES).join('\n');
    throw new PlumbError('ControlPlaneFailed', `go build failed with exit code ${code ?? 'none'}:\n${last}`, {
      fix: `See what go says. ${WHAT_ELSE_SERVES}`,
    });
  }
  report(`Built the control plane in ${formatSeconds(seconds())}.`);
}

interface GoCall {
  readonly sources: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

const run = promisify(execFile);

/** In the folder of the sources, so that `go` itself judges (or fetches) the version that go.mod asks for. */
async function requireGo({ sources, env, signal }: GoCall): Promise<void> {
  try {
    await run('go', ['list', '-mod=readonly', '-m'], { cwd: sources, env, signal });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const why = missing ? 'go is not on the PATH' : `go refuses: ${textOf(cause)}`;
    throw new PlumbError('PrerequisiteMissing', `the embedded control plane has to be built, and ${why}`, {
      fix: `Install Go ${MINIMUM_GO} or later. ${WHAT_ELSE_SERVES}`,
      cause,
    });
  }
}

/** How many packages there are to compile at most; fetches the modules on the way. */
async function countPackages({ sources, env, signal }: GoCall): Promise<number> {
  try {
    const { stdout } = await run('go', ['list', '-mod=readonly', '-deps', '.'], {
      cwd: sources,
      env,
      signal,
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout.trimEnd().split('\n').length;
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new PlumbError('ControlPlaneFailed', `the Go modules cannot be fetched: ${textOf(cause)}`, {
      fix: `Check that a Go module proxy can be reached (go env GOPROXY). ${WHAT_ELSE_SERVES}`,
      cause,
    });
  }
}

function textOf(failure: unknown): string {
  if (failure instanceof Error && 'stderr' in failure && typeof failure.stderr === 'string') {
    return failure.stderr.trim().split('\n').slice(-KEPT_LINES).join('\n');
  }
  return String(failure);
}

function every(intervalMs: number, clock: Clock, callback: () => void): Disposable {
  let timer = clock.timer(intervalMs, tick);
  function tick(): void {
    timer = clock.timer(intervalMs, tick);
    callback();
  }
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}

function formatSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
