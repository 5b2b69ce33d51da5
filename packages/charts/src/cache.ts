import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@plumb/core';
import type { ChartCredentials } from './credentials.ts';
import type { ChartPlace } from './source.ts';

/** What a version of a chart turned out to be. */
export interface Note {
  /** As the host writes it. */
  readonly version: string;
  readonly digest: string;
}

export interface CacheOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly maxBytes: number;
}

const DIGEST = /^sha256:([0-9a-f]{64})$/;
const NOTE = /^(\S{1,256})\n(sha256:[0-9a-f]{64})\n$/;
const KEY_BYTES = 32;

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Charts on disk, which may be deleted at any time. There are two kinds of files: archives, named by their digest, and
 * notes that say which digest a version has. Both are as old as their last use, and the oldest make room.
 *
 * A note is bound to the credentials by which it was learned, since a chart that one user may read is not for everyone who
 * names its address. Its file is named by an HMAC, which confirms no guess of a password to who has not the key beside it.
 *
 * Several processes may use one folder: files appear by renaming, whole or not at all, and one that is gone is only missing.
 */
export class ChartCache {
  readonly #options: CacheOptions;
  #key: Promise<Buffer> | undefined;

  constructor(options: CacheOptions) {
    this.#options = options;
  }

  /** The archive, if it is there and is what its name says; one that is damaged is removed. */
  async read(digest: string): Promise<Uint8Array | undefined> {
    const [, hex] = DIGEST.exec(digest) ?? [];
    if (hex === undefined) return undefined;
    const path = this.#path(`${hex}.tgz`);
    const bytes = await readIfThere(path);
    if (bytes === undefined) return undefined;
    if (digestOf(bytes) !== digest) {
      await rm(path, { force: true });
      return undefined;
    }
    await this.#touch(path);
    return bytes;
  }

  /** Keeps an archive and says its digest. */
  async write(bytes: Uint8Array): Promise<string> {
    const digest = digestOf(bytes);
    await this.#replace(`${digest.slice('sha256:'.length)}.tgz`, bytes);
    await this.#makeRoom();
    return digest;
  }

  async recall(place: ChartPlace, version: string, credentials: ChartCredentials): Promise<Note | undefined> {
    const path = this.#path(await this.#noteName(place, version, credentials));
    const text = await readIfThere(path);
    const [, noted, digest] = NOTE.exec(text?.toString('utf8') ?? '') ?? [];
    if (noted === undefined || digest === undefined) return undefined;
    await this.#touch(path);
    return { version: noted, digest };
  }

  async remember(place: ChartPlace, version: string, credentials: ChartCredentials, note: Note): Promise<void> {
    const name = await this.#noteName(place, version, credentials);
    await this.#replace(name, Buffer.from(`${note.version}\n${note.digest}\n`));
  }

  async #noteName(place: ChartPlace, version: string, credentials: ChartCredentials): Promise<string> {
    this.#key ??= this.#openKey();
    const { kind, origin, path, name } = place;
    const { username = null, password = null } = credentials;
    const about = JSON.stringify([kind, origin, path, name, version, username, password]);
    return `${createHmac('sha256', await this.#key)
      .update(about)
      .digest('hex')}.note`;
  }

  /** Where two processes make it at once, the last one wins, and the other's notes are forgotten when it ends. */
  async #openKey(): Promise<Buffer> {
    const known = await readIfThere(this.#path('key'));
    if (known?.length === KEY_BYTES) return known;
    const made = randomBytes(KEY_BYTES);
    await this.#replace('key', made);
    return made;
  }

  async #replace(name: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const temporary = this.#path(`${name}.${randomUUID()}.tmp`);
    try {
      await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' });
      await this.#touch(temporary);
      await rename(temporary, this.#path(name));
    } catch (error) {
      await rm(temporary, { force: true });
      // Another process emptied the folder, or made room: then this file is one of those that are missing.
      if (!isMissing(error)) throw error;
    }
  }

  /** What a process left half-written when it was killed is a file like the others here, and goes in its turn. */
  async #makeRoom(): Promise<void> {
    const names = (await readdir(this.#options.folder)).filter((name) => name !== 'key');
    const files = await Promise.all(names.map((name) => usedFile(this.#path(name))));
    let bytes = files.reduce((sum, file) => sum + (file?.bytes ?? 0), 0);
    const oldestFirst = files
      .filter((file) => file !== undefined)
      .toSorted((left, right) => left.usedAtMs - right.usedAtMs);
    for (const file of oldestFirst) {
      if (bytes <= this.#options.maxBytes) return;
      await rm(file.path, { force: true });
      bytes -= file.bytes;
    }
  }

  async #touch(path: string): Promise<void> {
    const now = new Date(this.#options.clock.now());
    await utimes(path, now, now).catch(ignoreMissing);
  }

  #path(name: string): string {
    return join(this.#options.folder, name);
  }
}

interface UsedFile {
  readonly path: string;
  readonly bytes: number;
  readonly usedAtMs: number;
}

async function usedFile(path: string): Promise<UsedFile | undefined> {
  const facts = await stat(path).catch(ignoreMissing);
  return facts === undefined ? undefined : { path, bytes: facts.size, usedAtMs: facts.mtimeMs };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
