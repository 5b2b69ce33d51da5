import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { canonicalJson, PlumbError, type KubeObject, type ObjectKey } from '@plumb/core';
import { decodeJson } from './decode.ts';

/** How the bytes of an object are stored; a bit each. */
const COMPRESSED = 1;
const ENCRYPTED = 2;

/** Below this many bytes a compressor of its own costs more time and memory than the saved space is worth. */
const COMPRESS_FROM_BYTES = 1024;
/**
 * How much a compressor sets aside for what comes out, at most; its default. Less where less comes out, since it stays
 * until the next collection of all memory.
 */
const MAX_CHUNK_BYTES = 16 * 1024;
/** Beside the text that is compressed, for what does not become smaller. */
const FRAME_BYTES = 512;
const TIMES_SMALLER = 8;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export interface StoredContent {
  /** Identifies the content within this ledger. It is keyed: nobody can confirm a guess of a Secret with it. */
  readonly id: Uint8Array;
  readonly encoding: number;
  readonly bytes: Uint8Array;
}

/** Turns objects into bytes and back. Whatever tells something about the values of a Secret is encrypted. */
export class Vault {
  readonly #key: Uint8Array;
  readonly #identityKey: Uint8Array;
  readonly #encryptionKey: Uint8Array;

  constructor(key: Uint8Array) {
    this.#key = key;
    this.#identityKey = new Uint8Array(hkdfSync('sha256', key, '', 'plumb ledger identity', 32));
    this.#encryptionKey = new Uint8Array(hkdfSync('sha256', key, '', 'plumb ledger encryption', 32));
  }

  /** Tells whether a database was written with this key. */
  get fingerprint(): string {
    return createHmac('sha256', this.#identityKey).update('fingerprint').digest('hex');
  }

  /** A key of 32 bytes for something else than this ledger; each purpose has its own, and none tells of another. */
  derive(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, '', `plumb ${purpose}`, 32));
  }

  store(object: KubeObject): StoredContent {
    const json = Buffer.from(canonicalJson(object));
    const id = this.#identify(json);
    const compress = json.length >= COMPRESS_FROM_BYTES;
    const bytes = compress ? pack(json) : json;
    const encoding = compress ? COMPRESSED : 0;
    if (!isSecret(object)) return { id, encoding, bytes };
    return { id, encoding: encoding | ENCRYPTED, bytes: this.#encrypt(bytes, id) };
  }

  /** Error: `LedgerUnavailable` where the bytes are not the ones that were stored under this id. */
  restore(content: StoredContent): KubeObject {
    try {
      const bytes = content.encoding & ENCRYPTED ? this.#decrypt(content.bytes, content.id) : content.bytes;
      const json = content.encoding & COMPRESSED ? unpack(bytes) : Buffer.from(bytes);
      if (!this.#identify(json).equals(content.id)) throw new Error('the content does not match its id');
      return decodeJson(json.toString()) as KubeObject;
    } catch (cause) {
      throw new PlumbError('LedgerUnavailable', 'The objects of a release in the ledger are damaged', {
        fix: 'Sync from Git instead: the next release is stored anew.',
        cause,
      });
    }
  }

  #identify(json: Uint8Array): Buffer {
    return createHmac('sha256', this.#identityKey).update(json).digest();
  }

  /** The hash of a Secret would let a guess be confirmed, so it is encrypted; other hashes stay as they are. */
  sealHash(key: ObjectKey, hash: string): string {
    if (!key.startsWith(SECRET_KEY_PREFIX)) return hash;
    return Buffer.from(this.#encrypt(Buffer.from(hash), Buffer.from(key))).toString('base64');
  }

  openHash(key: ObjectKey, sealed: string): string {
    if (!key.startsWith(SECRET_KEY_PREFIX)) return sealed;
    return Buffer.from(this.#decrypt(Buffer.from(sealed, 'base64'), Buffer.from(key))).toString();
  }

  /** AES-256-GCM as nonce, tag, ciphertext. `bound` is authenticated too, so no ciphertext can stand in for another. */
  #encrypt(plain: Uint8Array, bound: Uint8Array): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#encryptionKey, nonce).setAAD(bound);
    const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]);
  }

  #decrypt(sealed: Uint8Array, bound: Uint8Array): Uint8Array {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', this.#encryptionKey, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(bound).setAuthTag(tag);
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
  }
}

function pack(json: Uint8Array): Uint8Array {
  const chunkSize = Math.min(MAX_CHUNK_BYTES, json.length + FRAME_BYTES);
  return zstdCompressSync(json, { chunkSize, params: { [constants.ZSTD_c_compressionLevel]: 1 } });
}

function unpack(bytes: Uint8Array): Buffer {
  return zstdDecompressSync(bytes, {
    chunkSize: Math.min(MAX_CHUNK_BYTES, bytes.length * TIMES_SMALLER + FRAME_BYTES),
  });
}

const SECRET_KEY_PREFIX = '/Secret/';

function isSecret(object: KubeObject): boolean {
  return object.kind === 'Secret' && !object.apiVersion.includes('/');
}

const KEY_BYTES = 32;

/** Reads the key file, or makes it where `create` says that this is a new ledger. Error: `LedgerUnavailable`. */
export async function openVault(keyFile: string, options: { readonly create: boolean }): Promise<Vault> {
  if (options.create) {
    // Readable by its owner alone, and never over one that is there: it may be the key of a ledger that was moved away.
    await writeFile(keyFile, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
      if ((error as { readonly code?: unknown }).code !== 'EEXIST') throw error;
    });
  }
  const key = await readFile(keyFile).catch((cause: unknown) => {
    throw keyUnusable(keyFile, 'cannot be read', cause);
  });
  if (key.length !== KEY_BYTES) throw keyUnusable(keyFile, `has ${key.length} bytes instead of ${KEY_BYTES}`);
  return new Vault(key);
}

export function keyUnusable(keyFile: string, what: string, cause?: unknown): PlumbError {
  return new PlumbError('LedgerUnavailable', `The key of the ledger, ${keyFile}, ${what}`, {
    where: { file: keyFile },
    fix: 'Put the right key file back, or move ledger.db and ledger.key away and start again: the history is lost, but no object in a cluster is.',
    cause,
  });
}
