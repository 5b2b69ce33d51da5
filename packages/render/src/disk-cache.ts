import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Clock } from '@plumb/core';
import { decodeKept } from './decode.ts';
import type { CachedRender, RenderCache } from './render-cache.ts';

export interface DiskCacheOptions {
  /** May be deleted at any time. */
  readonly folder: string;
  /** 32 bytes. What is rendered may hold Secrets that stand nowhere else, so it is never on disk as it is. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Bytes on disk, about. Default 256 MiB. */
  readonly maxBytes?: number | undefined;
}

/** Contents of what was read that are kept for one key: branches, and environments at different commits. */
const MAX_RENDERS_A_KEY = 4;
const MAX_BYTES = 256 * 1024 * 1024;
/**
 * What is kept in memory besides, so that applications of one base do not read one file a thousand times. Counted as JSON
 * text, since what lies on disk is many times smaller than what it unpacks to.
 */
const MAX_MEMORY_BYTES = 8 * 1024 * 1024;
/** A file takes a whole block of the disk: below one there is nothing to save, and a compressor takes memory each time. */
const COMPRESS_FROM_BYTES = 4096;
/**
 * How much a compressor sets aside for what comes out, at most; its default. Less where less comes out, since it stays
 * until the next collection of all memory: a thousand small renders in a row were tens of megabytes.
 */
const MAX_CHUNK_BYTES = 16 * 1024;
/** Beside the text that is compressed, for what does not become smaller. */
const FRAME_BYTES = 512;
const TIMES_SMALLER = 8;
/** Of the JSON text; what is compressed begins otherwise. */
const OPENING_BRACKET = 0x5b;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Renders in a folder, compressed and encrypted; a file is read back only as it was written, else it is dropped. */
export function openDiskCache(options: DiskCacheOptions): RenderCache {
  return new DiskCache(options);
}

interface Remembered {
  readonly renders: readonly CachedRender[];
  readonly bytes: number;
}

class DiskCache implements RenderCache {
  readonly #folder: string;
  readonly #key: Uint8Array;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #memory = new Map<string, Remembered>();
  #memoryBytes = 0;
  /** Bytes on disk; unknown until somebody writes. */
  #size: Promise<number> | undefined;
  #written = 0;

  constructor({ folder, key, clock, maxBytes }: DiskCacheOptions) {
    this.#folder = folder;
    this.#key = key;
    this.#clock = clock;
    this.#maxBytes = maxBytes ?? MAX_BYTES;
  }

  async load(key: string): Promise<readonly CachedRender[]> {
    const remembered = this.#memory.get(key);
    if (remembered !== undefined) {
      this.#memory.delete(key);
      this.#memory.set(key, remembered);
      return remembered.renders;
    }
    const file = this.#fileOf(key);
    const sealed = await readFile(file).catch(() => undefined);
    if (sealed === undefined) return [];
    let text: string;
    let renders: readonly CachedRender[];
    try {
      text = this.#open(sealed, key);
      renders = decodeKept(text);
    } catch {
      // Cut short, damaged, or of another key: as if it were not there.
      await rm(file, { force: true });
      return [];
    }
    const now = new Date(this.#clock.now());
    // The time of the last use decides what goes first. A folder that was deleted in between is no error.
    await utimes(file, now, now).catch(() => undefined);
    this.#remember(key, renders, text.length);
    return renders;
  }

  async store(key: string, render: CachedRender): Promise<void> {
    const earlier = (await this.load(key)).filter((kept) => !hasSameReads(kept, render));
    const renders = [render, ...earlier].slice(0, MAX_RENDERS_A_KEY);
    const text = JSON.stringify(renders.map(toJson));
    const sealed = this.#seal(text, key);
    this.#remember(key, renders, text.length);
    const file = this.#fileOf(key);
    const draft = `${file}.${randomBytes(6).toString('hex')}`;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(draft, sealed, { mode: 0o600 });
      await rename(draft, file);
    } catch {
      // A full disk costs time, and nothing else: what cannot be kept is rendered again.
      await rm(draft, { force: true }).catch(() => undefined);
      return;
    }
    await this.#keepSmall(sealed.length);
  }

  #fileOf(key: string): string {
    return join(this.#folder, key.slice(0, 2), key);
  }

  #remember(key: string, renders: readonly CachedRender[], bytes: number): void {
    const before = this.#memory.get(key);
    this.#memoryBytes += bytes - (before?.bytes ?? 0);
    this.#memory.delete(key);
    this.#memory.set(key, { renders, bytes });
    for (const [oldest, { bytes: freed }] of this.#memory) {
      if (this.#memoryBytes <= MAX_MEMORY_BYTES) break;
      this.#memory.delete(oldest);
      this.#memoryBytes -= freed;
    }
  }

  /** Above its size, the files that were not used for longest go, until a fifth is free. */
  async #keepSmall(added: number): Promise<void> {
    this.#written += added;
    this.#size ??= this.#files().then((files) => files.reduce((sum, { bytes }) => sum + bytes, 0));
    if ((await this.#size) + this.#written <= this.#maxBytes) return;
    const files = (await this.#files()).toSorted((a, b) => a.usedMs - b.usedMs);
    let size = files.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { path, bytes } of files) {
      if (size <= this.#maxBytes * 0.8) break;
      await rm(path, { force: true });
      size -= bytes;
    }
    this.#size = Promise.resolve(size);
    this.#written = 0;
  }

  async #files(): Promise<readonly { readonly path: string; readonly bytes: number; readonly usedMs: number }[]> {
    const names = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    const found = files.map(async (path) => {
      const stats = await stat(path).catch(() => undefined);
      return stats === undefined ? [] : [{ path, bytes: stats.size, usedMs: stats.mtimeMs }];
    });
    return (await Promise.all(found)).flat();
  }

  /** AES-256-GCM over JSON or zstd, as nonce, tag, ciphertext; the name is authenticated too, so files cannot be swapped. */
  #seal(text: string, name: string): Uint8Array {
    const packed = pack(Buffer.from(text));
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(name));
    const encrypted = Buffer.concat([cipher.update(packed), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
  }

  #open(sealed: Uint8Array, name: string): string {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name)).setAuthTag(tag);
    const packed = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return unpack(packed).toString();
  }
}

function pack(plain: Uint8Array): Uint8Array {
  if (plain.length < COMPRESS_FROM_BYTES) return plain;
  const chunkSize = Math.min(MAX_CHUNK_BYTES, plain.length + FRAME_BYTES);
  return zstdCompressSync(plain, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

function unpack(packed: Buffer): Buffer {
  if (packed[0] === OPENING_BRACKET) return packed;
  return zstdDecompressSync(packed, {
    chunkSize: Math.min(MAX_CHUNK_BYTES, packed.length * TIMES_SMALLER + FRAME_BYTES),
  });
}

function hasSameReads({ reads: a }: CachedRender, { reads: b }: CachedRender): boolean {
  return a.size === b.size && [...a].every(([path, mark]) => b.get(path) === mark);
}

function toJson({ renderer, reads, documents, files, valuesFiles, warnings }: CachedRender): object {
  return { renderer, reads: [...reads], documents, files, valuesFiles, warnings };
}
