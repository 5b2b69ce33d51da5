import { gzipSync } from 'node:zlib';

/** A member of an archive, as hostile as a test wants it. */
export interface Member {
  readonly name: string;
  readonly data?: string | Uint8Array;
  /** The type flag of ustar: '0' a file, '1' a hard link, '2' a symbolic link, '3' and '4' devices, '6' a FIFO. */
  readonly type?: string;
  /** Where a link leads. */
  readonly link?: string;
  /** What the header says, where that is not the truth. */
  readonly sizeBytes?: number;
}

const BLOCK = 512;

/** A `.tgz` of these members, in the ustar format. */
export function tarArchive(members: readonly Member[]): Uint8Array {
  const parts = members.flatMap((member) => {
    const body = Buffer.from(member.data ?? '');
    return [header(member, body.length), body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
  });
  return gzipSync(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}

function header({ name, type = '0', link = '', sizeBytes }: Member, bodyBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  block.write(name, 0, 100);
  block.write(octal(0o644, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(sizeBytes ?? bodyBytes, 11), 124);
  block.write(octal(0, 11), 136);
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(link, 157, 100);
  block.write('ustar\u000000', 257);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${octal(sum, 6)}\0 `, 148);
  return block;
}
