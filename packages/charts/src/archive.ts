import { PlumbError } from '@plumb/core';
import { digestOf } from './cache.ts';

/** Compressed: the .tgz as it is sent. */
export const MAX_CHART_BYTES = 20 * 1024 * 1024;

/**
 * Checks what was downloaded against what was promised, where something was, and against being anything but an archive.
 *
 * @param digest with or without `sha256:`
 * @throws {PlumbError} `ChartDigestMismatch`, or `ChartRepositoryInvalid`
 */
export function checkArchive(bytes: Buffer, digest: string | undefined, where: string): void {
  const actual = digestOf(bytes);
  if (digest !== undefined && withAlgorithm(digest) !== actual) {
    // What was promised is the host's text, and may be anything.
    throw new PlumbError('ChartDigestMismatch', `${where}: the chart has the digest ${actual}, another was promised`);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    throw new PlumbError('ChartRepositoryInvalid', `${where}: the host answered with something that is no .tgz`);
  }
}

/** Digests in an index have no algorithm in front, those of a registry do. */
export function withAlgorithm(digest: string): string {
  const lower = digest.toLowerCase();
  return lower.startsWith('sha256:') ? lower : `sha256:${lower}`;
}
