import { fork } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A part of the measurement in a process of its own, so that its processor time is counted alone, or not at all. */
export interface Part extends AsyncDisposable {
  readonly pid: number;
  /** Asks it to do something, and waits for the answer; rejects with what it says went wrong, or when it ends. */
  ask(request: string, argument?: unknown): Promise<unknown>;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

export async function startPart(
  module: string,
  options: { readonly logFile: string; readonly execArgv?: readonly string[] },
): Promise<Part> {
  const log = await open(options.logFile, 'a');
  const path = fileURLToPath(new URL(module, import.meta.url));
  const child = fork(path, {
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
    // As bin/plumb.mjs starts the engine.
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', ...(options.execArgv ?? [])],
  });
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  const ended = once(child, 'exit');
  let asked = 0;
  child.on('message', (answer: Answer) => {
    const turn = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.error === undefined) turn?.resolve(answer.value);
    else turn?.reject(new Error(`${module}: ${answer.error}`));
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values())
      reject(new Error(`${module} ended (${signal ?? code}): see ${options.logFile}`));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${module} could not be started`);
  return {
    pid,
    ask(request, argument) {
      const id = ++asked;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        child.send({ id, request, argument });
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        if (child.connected) child.disconnect();
        await ended;
      }
      await log.close();
    },
  };
}

/** The other end: answers requests by name until the starter is gone; then `close` runs and the process ends. */
export function answerRequests(
  handlers: Readonly<Record<string, (argument: unknown) => Promise<unknown>>>,
  close: () => Promise<void> = () => Promise.resolve(),
): void {
  process.on('message', (message: { id: number; request: string; argument: unknown }) => {
    const handler = handlers[message.request];
    const answered =
      handler === undefined ? Promise.reject(new Error(`unknown: ${message.request}`)) : handler(message.argument);
    void answered.then(
      (value) => process.send?.({ id: message.id, value }),
      (error: unknown) =>
        process.send?.({
          id: message.id,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        }),
    );
  });
  process.on('disconnect', () => void close().finally(() => process.exit(0)));
}
