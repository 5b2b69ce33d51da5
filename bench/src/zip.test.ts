import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { readZip } from './zip.ts';

interface Packed {
  readonly content: string;
  readonly isStored?: boolean;
  /** Bytes between header and content that only the local header knows of. */
  readonly extra?: number;
}

/** An archive as common tools write it, with a comment behind its end. */
function archiveOf(files: Readonly<Record<string, Packed>>, comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, { content, isStored = false, extra = 0 }] of Object.entries(files)) {
    const plain = Buffer.from(content);
    const packed = isStored ? plain : deflateRawSync(plain);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(isStored ? 0 : 8, 4);
    shared.writeUInt32LE(crc32(plain), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(plain.length, 18);
    shared.writeUInt16LE(Buffer.byteLength(name), 22);
    const header = Buffer.concat([Buffer.from('PK\u0003\u0004'), shared, Buffer.from(name), Buffer.alloc(extra)]);
    header.writeUInt16LE(extra, 28);
    const entry = Buffer.concat([Buffer.from('PK\u0001\u0002\0\0'), shared, Buffer.alloc(14), Buffer.from(name)]);
    entry.writeUInt32LE(at, 42);
    parts.push(header, packed);
    directory.push(entry);
    at += header.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(directory.length, 10);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, ...directory, end, Buffer.from(comment)]);
}

test('files are unpacked, whether they were deflated or stored', () => {
  const text = 'a line that repeats itself\n'.repeat(1_000);
  const archive = archiveOf({
    'helm/helm': { content: text, extra: 8 },
    'empty/': { content: '' },
    'ä.txt': { content: 'x', isStored: true },
  });

  const files = readZip(archive);

  assert.deepEqual([...files.keys()], ['helm/helm', 'ä.txt']);
  assert.equal(files.get('helm/helm')?.().toString(), text);
  assert.equal(files.get('ä.txt')?.().toString(), 'x');
});

test('a comment may stand at the end', () => {
  assert.deepEqual([...readZip(archiveOf({ a: { content: 'a' } }, 'written by a test')).keys()], ['a']);
});

test('what is no archive, or one cut short, is refused', () => {
  const archive = archiveOf({ a: { content: 'a' } });

  assert.throws(() => readZip(Buffer.from('text')), /no ZIP archive/);
  assert.throws(() => readZip(archive.subarray(0, -1)), /no ZIP archive/);
});

test('a file that is not what was packed is refused', () => {
  const archive = archiveOf({ a: { content: 'same', isStored: true } });
  archive.write('s0me', archive.indexOf('same'));

  assert.throws(() => readZip(archive).get('a')?.(), /a is damaged/);
});
