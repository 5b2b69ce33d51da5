import { open, stat, type FileHandle } from 'node:fs/promises';
import { isAbort, readAuditEvents, type AuditEvent, type Clock } from '@plumb/core';

const LOOK_MS = 1_000;
const CHUNK_BYTES = 256 * 1024;
/** At the level Metadata an event has about 2 KiB. A longer line than this is passed over. */
const MAX_LINE_BYTES = 1024 * 1024;
/** What an engine that starts may still need from before it ran. */
const FIRST_BYTES = 4 * 1024 * 1024;
/** A backlog is caught up in steps, so that nothing else waits for it. */
const MAX_BYTES_A_LOOK = 16 * 1024 * 1024;

export interface AuditLogOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  take(events: readonly AuditEvent[]): Promise<unknown>;
  /** The file cannot be read; said again only after it could be read in between. */
  failed(reason: string): void;
}

interface LogFile {
  readonly handle: FileHandle;
  readonly inode: bigint;
  /** Up to where it is read. */
  offset: number;
}

/**
 * Follows the audit log of an API server from near its end: looks once a second, goes on in the new file after a rotation
 * when the old one is read to its end, and begins anew where the file became shorter.
 */
export class AuditLog implements AsyncDisposable {
  readonly #options: AuditLogOptions;
  readonly #splitter = new ForgivingLines();
  #file: LogFile | undefined;
  #isFirst = true;
  #hasFailed = false;
  #timer: Disposable | undefined;
  #looking: Promise<void> = Promise.resolve();
  #isOver = false;

  constructor(options: AuditLogOptions) {
    this.#options = options;
    this.#next(0);
  }

  /** Reads what there is now; what a look in the background begins is waited for. */
  async look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    await this.#looking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#timer?.[Symbol.dispose]();
    await this.#looking;
    await this.#file?.handle.close();
  }

  #next(ms: number): void {
    if (this.#isOver) return;
    this.#timer = this.#options.clock.timer(ms, () => {
      void this.look().then(() => this.#next(LOOK_MS));
    });
  }

  async #look(): Promise<void> {
    if (this.#isOver) return;
    try {
      await this.#read();
      this.#hasFailed = false;
    } catch (thrown) {
      if (isAbort(thrown, this.#options.signal)) return;
      if (!this.#hasFailed) this.#options.failed(thrown instanceof Error ? thrown.message : String(thrown));
      this.#hasFailed = true;
    }
  }

  async #read(): Promise<void> {
    const { path } = this.#options;
    this.#file ??= await this.#open();
    if (!(await this.#drain(this.#file))) return;
    const { ino, size } = await stat(path, { bigint: true });
    if (ino !== this.#file.inode) {
      // The rest of the old file has been written before the new one began.
      if (!(await this.#drain(this.#file))) return;
      await this.#file.handle.close();
      this.#splitter.reset();
      this.#file = undefined;
      this.#file = await this.#open();
      await this.#drain(this.#file);
    } else if (size < this.#file.offset) {
      this.#splitter.reset();
      this.#file.offset = 0;
      await this.#drain(this.#file);
    }
  }

  async #open(): Promise<LogFile> {
    const handle = await open(this.#options.path, 'r');
    const { ino, size } = await handle.stat({ bigint: true });
    const offset = this.#isFirst ? Math.max(0, Number(size) - FIRST_BYTES) : 0;
    this.#isFirst = false;
    return { handle, inode: ino, offset };
  }

  /** Answers whether the end of the file is reached. */
  async #drain(file: LogFile): Promise<boolean> {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    for (let read = 0; read < MAX_BYTES_A_LOOK && !this.#isOver;) {
      const { bytesRead } = await file.handle.read(chunk, 0, CHUNK_BYTES, file.offset);
      if (bytesRead === 0) return true;
      file.offset += bytesRead;
      read += bytesRead;
      const lines = this.#splitter.push(chunk.subarray(0, bytesRead));
      const events = lines.flatMap((line) => readAuditEvents(line) ?? []);
      if (events.length > 0) await this.#options.take(events);
    }
    return false;
  }
}

const NEWLINE = 10;

/** Cuts bytes into lines; the end of a line may come later. Lines that are too long are passed over, to their very end. */
class ForgivingLines {
  #open: Buffer[] = [];
  #openBytes = 0;
  #isSkipping = false;

  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      if (!this.#isSkipping) lines.push(Buffer.concat(this.#open).toString('utf8'));
      this.reset();
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    return lines;
  }

  reset(): void {
    this.#open = [];
    this.#openBytes = 0;
    this.#isSkipping = false;
  }

  #add(bytes: Buffer): void {
    if (this.#isSkipping || bytes.length === 0) return;
    this.#openBytes += bytes.length;
    if (this.#openBytes > MAX_LINE_BYTES) {
      this.#open = [];
      this.#isSkipping = true;
    } else this.#open.push(Buffer.from(bytes));
  }
}
