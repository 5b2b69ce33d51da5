import { createHash } from 'node:crypto';
import process from 'node:process';
import { PlumbError } from '@plumb/core';
import { exitOf, killGroup, startGit, type GitChild } from './git-process.ts';

export interface GitObject {
  readonly oid: string;
  readonly type: string;
  readonly sizeBytes: number;
  /** Undefined where only the header was asked for, or where the object is larger than the limit. */
  readonly bytes: Buffer | undefined;
}

export interface ObjectQuery {
  /** An object id, or a name that git resolves (`refs/plumb/…^{commit}`); it holds no line end. */
  readonly name: string;
  readonly want: 'header' | 'contents';
  /** Larger contents are skipped. Default: no limit. */
  readonly limitBytes?: number;
}

/**
 * A repository on disk does not serve, mostly because it is damaged. It never leaves the package: a mirror is made anew,
 * once; of a repository of the user it is told.
 */
export class UnusableRepository extends Error {
  override readonly name = 'UnusableRepository';
}

/** The process ended without a word: it was killed, which says nothing about the repository. */
class ReaderEnded extends Error {
  override readonly name = 'ReaderEnded';
}

interface Pending {
  readonly query: ObjectQuery;
  readonly resolve: (object: GitObject | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Session {
  readonly child: GitChild;
  readonly ended: Promise<void>;
  readonly pending: Pending[];
  /** What is to be written once all that was ready has asked: many small reads are one write. */
  unwritten: string;
}

/**
 * Reads objects through one long-lived `git cat-file`, so that a read costs a line on a pipe and no process. The process
 * is started by the first read and again after it died. It has no remote and no credentials: what is missing is missing.
 */
export class ObjectReader implements AsyncDisposable {
  readonly #folder: string;
  #session: Session | undefined;
  #isDisposed = false;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Each object in the order of the queries; undefined where it is not stored. The content is held against its id. */
  async read(
    queries: readonly ObjectQuery[],
    { signal }: { readonly signal: AbortSignal },
  ): Promise<readonly (GitObject | undefined)[]> {
    signal.throwIfAborted();
    if (queries.length === 0) return [];
    try {
      return await this.#ask(queries, signal);
    } catch (error) {
      if (!(error instanceof ReaderEnded)) throw error;
      return this.#ask(queries, signal);
    }
  }

  async #ask(queries: readonly ObjectQuery[], signal: AbortSignal): Promise<readonly (GitObject | undefined)[]> {
    if (this.#isDisposed) throw new Error('the mirror is closed');
    const session = (this.#session ??= this.#start());
    const answers = queries.map(
      (query) =>
        new Promise<GitObject | undefined>((resolve, reject) => session.pending.push({ query, resolve, reject })),
    );
    const lines = queries.map(({ name, want }) => `${want === 'header' ? 'info' : 'contents'} ${name}\n`);
    if (session.unwritten === '') process.nextTick(() => this.#write(session));
    session.unwritten += lines.join('');
    return untilAborted(Promise.all(answers), signal);
  }

  #write(session: Session): void {
    session.child.stdin.write(`${session.unwritten}flush\n`);
    session.unwritten = '';
  }

  /** Ends the process; the next read starts a new one. */
  async close(): Promise<void> {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    killGroup(session.child);
    await session.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.close();
  }

  #start(): Session {
    const child = startGit({ folder: this.#folder, args: ['cat-file', '--batch-command', '--buffer'] });
    const pending: Pending[] = [];
    let stderr = '';
    const parse = answerParser(pending, () => killGroup(child));
    child.stdin.on('error', () => {});
    child.stdout.on('data', parse);
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = `${stderr}${chunk}`.slice(-4096);
    });
    const end = (cause: unknown): void => {
      if (this.#session?.child === child) this.#session = undefined;
      for (const { reject } of pending.splice(0)) reject(cause);
    };
    const ended = exitOf(child).then(
      () => end(endReason(stderr)),
      (error: unknown) => end(error),
    );
    return { child, ended, pending, unwritten: '' };
  }
}

/** A reader that ends while it is asked has met an object that it cannot read, unless git is too old for the command. */
function endReason(stderr: string): Error {
  if (/unknown option|usage: git cat-file/.test(stderr)) {
    return new PlumbError('PrerequisiteMissing', 'this git has no "cat-file --batch-command"', {
      fix: 'Install git 2.36 or newer.',
    });
  }
  return stderr.trim() === '' ? new ReaderEnded('git cat-file was ended') : new UnusableRepository(stderr.trim());
}

/** https://git-scm.com/docs/git-cat-file#_batch_output: `<oid> <type> <size>`, then the contents and a line end. */
function answerParser(pending: Pending[], stop: () => void): (chunk: Buffer) => void {
  let header = '';
  let body: { readonly oid: string; readonly type: string; readonly bytes: Buffer; readonly size: number } | undefined;
  let skipping = 0;
  let filled = 0;

  function settle(object: GitObject | undefined): void {
    pending.shift()?.resolve(object);
  }

  function onHeader(line: string): void {
    const query = pending[0]?.query;
    const [, oid, type, sizeText] = /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(line) ?? [];
    if (oid === undefined || type === undefined || query === undefined) return settle(undefined);
    const sizeBytes = Number(sizeText);
    if (query.want === 'header') return settle({ oid, type, sizeBytes, bytes: undefined });
    if (sizeBytes > (query.limitBytes ?? Infinity)) {
      skipping = sizeBytes + 1;
      return settle({ oid, type, sizeBytes, bytes: undefined });
    }
    body = { oid, type, bytes: Buffer.allocUnsafe(sizeBytes + 1), size: sizeBytes };
    filled = 0;
  }

  function onBody({ oid, type, bytes, size }: NonNullable<typeof body>): void {
    body = undefined;
    const content = bytes.subarray(0, size);
    const hash = createHash(oid.length === 40 ? 'sha1' : 'sha256').update(`${type} ${size}\0`);
    if (hash.update(content).digest('hex') === oid) return settle({ oid, type, sizeBytes: size, bytes: content });
    pending.shift()?.reject(new UnusableRepository(`object ${oid} does not match its id`));
    stop();
  }

  return (chunk) => {
    let at = 0;
    while (at < chunk.length) {
      if (skipping > 0) {
        const count = Math.min(skipping, chunk.length - at);
        skipping -= count;
        at += count;
      } else if (body) {
        const count = chunk.copy(body.bytes, filled, at);
        filled += count;
        at += count;
        if (filled === body.bytes.length) onBody(body);
      } else {
        const end = chunk.indexOf(10, at);
        header += chunk.toString('utf8', at, end < 0 ? chunk.length : end);
        at = end < 0 ? chunk.length : end + 1;
        if (end < 0) continue;
        const line = header;
        header = '';
        onHeader(line);
      }
    }
  };
}

/** The promise's outcome, or the abort where that comes first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
