import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PlumbError } from '@plumb/core';

/** A running program of a control plane. Disposing stops it (SIGTERM) and waits until it is gone. */
export interface Component extends AsyncDisposable {
  readonly pid: number;
  /** The first line of its standard output; undefined when it ended without one. */
  readonly firstLine: Promise<string | undefined>;
  /** Resolves when the process is gone, however it ended. */
  readonly exited: Promise<void>;
  /** The last lines of its standard error, oldest first. */
  lastErrors(): readonly string[];
  /** From now on it does not keep this process alive. */
  unref(): void;
}

const KEPT_LINES = 30;

/**
 * Starts a program of a control plane, without a shell and with a pipe as its standard input, which closes when this
 * process is gone. `ControlPlaneFailed` when it cannot be started.
 */
export async function startComponent(
  program: string,
  args: readonly string[],
  options: { readonly workDir?: string } = {},
): Promise<Component> {
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A process group of its own: Ctrl-C in the terminal reaches us alone, so that we stop before the cluster does.
    detached: true,
    ...(options.workDir === undefined ? {} : { cwd: options.workDir }),
  });
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    if (errors.length > KEPT_LINES) errors.shift();
  });
  const firstLine = new Promise<string | undefined>((resolve) => {
    createInterface({ input: child.stdout }).on('line', resolve);
    void exited.then(() => resolve(undefined));
  });

  try {
    await once(child, 'spawn');
  } catch (cause) {
    throw new PlumbError('ControlPlaneFailed', `cannot start ${program}`, { cause });
  }
  const { pid } = child;
  if (pid === undefined) throw new PlumbError('ControlPlaneFailed', `cannot start ${program}`);
  const pipes = [child.stdin, child.stdout, child.stderr].filter((pipe) => pipe instanceof Socket);

  return {
    pid,
    firstLine,
    exited,
    lastErrors: () => errors,
    unref() {
      for (const handle of [child, ...pipes]) handle.unref();
    },
    async [Symbol.asyncDispose]() {
      for (const handle of [child, ...pipes]) handle.ref();
      child.kill('SIGTERM');
      await exited;
    },
  };
}
