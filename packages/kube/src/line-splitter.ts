import { PlumbError } from '@plumb/core';

const NEWLINE = 10;

/**
 * Cuts a stream of bytes into lines, whatever the sizes of its chunks. Each byte is looked at once. Works on bytes: a
 * character of several bytes may lie across two chunks.
 */
export class LineSplitter {
  readonly #maxLineBytes: number;
  #open: Buffer[] = [];
  #openBytes = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** The lines that this chunk completes, without their newlines. Empty lines are left out. */
  push(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#close(chunk.subarray(start, end));
      if (line.length > 0) lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#openBytes += chunk.length - start;
      if (this.#openBytes > this.#maxLineBytes) {
        throw new PlumbError('ResponseInvalid', `the server sent a line of more than ${this.#maxLineBytes} bytes`);
      }
      this.#open.push(chunk.subarray(start));
    }
    return lines;
  }

  #close(tail: Buffer): Buffer {
    if (this.#open.length === 0) return tail;
    const line = Buffer.concat([...this.#open, tail]);
    this.#open = [];
    this.#openBytes = 0;
    return line;
  }
}
