import { isUtf8 } from 'node:buffer';
import { PlumbError } from '@plumb/core';

export interface TreeItem {
  readonly mode: 'tree' | 'file' | 'symlink' | 'submodule';
  readonly oid: string;
}

/** One folder of a commit: what `git ls-tree` would print for it. */
export interface Tree {
  readonly items: ReadonlyMap<string, TreeItem>;
  /** Whether every name is UTF-8; one that is not is left out of `items`. */
  readonly isUtf8: boolean;
}

/**
 * Parses a raw tree object: `<octal mode> <name>\0<id>` again and again (https://git-scm.com/book/en/v2/Git-Internals-Git-Objects).
 * Names are taken byte by byte, so a line end, a quote or a leading dash in one means nothing.
 *
 * @param oidBytes 20 in a SHA-1 repository, 32 in a SHA-256 one.
 */
export function parseTree(bytes: Buffer, oidBytes: number): Tree {
  const items = new Map<string, TreeItem>();
  let allUtf8 = true;
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at);
    const zero = bytes.indexOf(0, space + 1);
    const next = zero + 1 + oidBytes;
    if (space < 0 || zero < 0 || next > bytes.length) throw new PlumbError('GitFailed', 'a tree object ends too early');
    const mode = modeOf(bytes.toString('latin1', at, space));
    const name = bytes.toString('utf8', space + 1, zero);
    const oid = bytes.toString('hex', zero + 1, next);
    at = next;
    if (name.includes('\uFFFD') && !isUtf8(bytes.subarray(space + 1, zero))) allUtf8 = false;
    else if (isPlainName(name)) items.set(name, { mode, oid });
    else throw new PlumbError('GitFailed', `a tree object holds the name ${JSON.stringify(name)}`);
  }
  return { items, isUtf8: allUtf8 };
}

function modeOf(octal: string): TreeItem['mode'] {
  if (octal === '40000' || octal === '040000') return 'tree';
  if (octal === '120000') return 'symlink';
  return octal === '160000' ? 'submodule' : 'file';
}

/** A name that is one step down, and nothing else. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/');
}
