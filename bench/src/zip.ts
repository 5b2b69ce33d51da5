import { crc32, inflateRawSync } from 'node:zlib';

/** Where the parts of a file stand in the archive. */
interface Entry {
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly headerAt: number;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const DIRECTORY_SIGNATURE = 0x02014b50;
const DIRECTORY_BYTES = 46;
const HEADER_SIGNATURE = 0x04034b50;
const HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/**
 * The files of a ZIP archive by name, each unpacked when it is asked for: what is stored or deflated, not encrypted and
 * smaller than 4 GiB. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export function readZip(archive: Buffer): ReadonlyMap<string, () => Buffer> {
  const end = endOf(archive);
  const count = archive.readUInt16LE(end + 10);
  const files = new Map<string, () => Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let index = 0; index < count; index += 1) {
    if (archive.readUInt32LE(at) !== DIRECTORY_SIGNATURE) throw new Error('the archive has no directory at its end');
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + DIRECTORY_BYTES, at + DIRECTORY_BYTES + nameBytes);
    const entry: Entry = {
      method: archive.readUInt16LE(at + 10),
      crc: archive.readUInt32LE(at + 16),
      packedBytes: archive.readUInt32LE(at + 20),
      bytes: archive.readUInt32LE(at + 24),
      headerAt: archive.readUInt32LE(at + 42),
    };
    if (!name.endsWith('/')) files.set(name, () => unpack(archive, name, entry));
    at += DIRECTORY_BYTES + nameBytes + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  return files;
}

/** The last record of the archive; only a comment may follow it. */
function endOf(archive: Buffer): number {
  const last = archive.length - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MAX_COMMENT_BYTES); at -= 1) {
    if (archive.readUInt32LE(at) === END_SIGNATURE) return at;
  }
  throw new Error('this is no ZIP archive, or one that was cut short');
}

function unpack(archive: Buffer, name: string, { method, crc, packedBytes, bytes, headerAt }: Entry): Buffer {
  if (archive.readUInt32LE(headerAt) !== HEADER_SIGNATURE) throw new Error(`${name} is not where the directory says`);
  const at = headerAt + HEADER_BYTES + archive.readUInt16LE(headerAt + 26) + archive.readUInt16LE(headerAt + 28);
  const packed = archive.subarray(at, at + packedBytes);
  if (method !== STORED && method !== DEFLATED) throw new Error(`${name} is packed in way ${method}`);
  const content = method === STORED ? packed : inflateRawSync(packed, { maxOutputLength: bytes });
  if (content.length !== bytes || crc32(content) !== crc) throw new Error(`${name} is damaged`);
  return content;
}
