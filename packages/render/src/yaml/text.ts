import { isUtf8 } from 'node:buffer';
import { PlumbError } from '@plumb/core';

const MAX_FILE_BYTES = 10 * 1024 * 1024;

/**
 * The text of a file: UTF-8, or UTF-16 where a byte order mark says so, as Kubernetes' own reader takes it. Throws
 * `FileTooLarge` above 10 MiB, and `Encoding` with the offset of the first byte that is not text.
 */
export function decodeText(bytes: Uint8Array, file: string): string {
  if (bytes.length > MAX_FILE_BYTES) {
    const mebibytes = Math.ceil(bytes.length / 1024 / 1024);
    throw new PlumbError('FileTooLarge', `${file} has ${mebibytes} MiB, at most 10 MiB are read`, { where: { file } });
  }
  const text = decodeUnicode(bytes, file);
  const nul = text.indexOf('\0');
  if (nul >= 0) {
    const before = text.slice(0, nul);
    throw encodingError(file, 'holds a NUL', byteLength(bytes, before), before);
  }
  return text;
}

function decodeUnicode(bytes: Uint8Array, file: string): string {
  const utf16 = utf16Label(bytes);
  if (utf16 !== undefined) {
    try {
      return new TextDecoder(utf16, { fatal: true }).decode(bytes);
    } catch (cause) {
      throw new PlumbError('Encoding', `${file} begins as UTF-16 and is not`, { where: { file }, cause });
    }
  }
  if (!isUtf8(bytes)) {
    const offset = firstInvalidByte(bytes);
    throw encodingError(file, 'is not UTF-8', offset, new TextDecoder().decode(bytes.subarray(0, offset)));
  }
  return utf8.decode(bytes);
}

/** Drops a leading byte order mark, as every reader of YAML does. */
const utf8 = new TextDecoder('utf-8');

function utf16Label(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

function encodingError(file: string, what: string, byte: number, before: string): PlumbError {
  return new PlumbError('Encoding', `${file} ${what}: byte ${byte}`, {
    where: { file, line: lineAt(before, before.length) },
  });
}

function byteLength(bytes: Uint8Array, text: string): number {
  return utf16Label(bytes) === undefined ? Buffer.byteLength(text) : 2 + text.length * 2;
}

/** Halves the range until one byte is left: prefixes of UTF-8 that end inside a character count as good. */
function firstInvalidByte(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isPrefixValid(bytes, middle)) good = middle;
    else bad = middle;
  }
  return good;
}

function isPrefixValid(bytes: Uint8Array, length: number): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length), { stream: true });
    return true;
  } catch {
    return false;
  }
}

/** The 1-based line of an offset in the text. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}
