import { PlumbError, type Found, type SourceTree } from '@plumb/core';
import { joinPath, resolveFrom } from './repository-path.ts';

/** What a path names once every link on the way is followed, and where that really lies. */
export type Followed =
  | { readonly mode: 'folder'; readonly path: string }
  | { readonly mode: 'file'; readonly path: string; readonly oid: string };

interface FollowOptions {
  readonly signal: AbortSignal;
  /** Told of each link on the way: where it lies, and its target as it is written. */
  readonly onLink?: (path: string, target: string) => void;
}

const MAX_LINK_HOPS = 40;

/**
 * Follows a path inside the repository step by step; undefined where nothing is there. Throws `SymlinkEscape` and
 * `SymlinkLoop` for links that lead out or in circles, and `SubmoduleDisabled` for a submodule.
 */
export async function followPath(
  tree: SourceTree,
  path: string,
  { signal, onLink }: FollowOptions,
): Promise<Followed | undefined> {
  let at = '';
  let found: Found | undefined = { mode: 'folder' };
  let pending = path === '' ? [] : path.split('/');
  for (let hops = 0; ;) {
    const [step, ...rest] = pending;
    if (step === undefined) break;
    if (found?.mode !== 'folder') return undefined;
    const next = joinPath(at, step);
    const there = await tree.find(next, { signal });
    if (there?.mode !== 'symlink') {
      at = next;
      found = there;
      pending = rest;
      continue;
    }
    if (++hops > MAX_LINK_HOPS) {
      throw new PlumbError('SymlinkLoop', `the link ${next} leads through more than ${MAX_LINK_HOPS} links`, {
        where: { file: next },
      });
    }
    const target = await readLink(tree, next, there.oid, signal);
    const landed = resolveFrom(at, target);
    if (landed === undefined) {
      throw new PlumbError('SymlinkEscape', `the link ${next} leads out of the repository`, { where: { file: next } });
    }
    onLink?.(next, target);
    at = '';
    found = { mode: 'folder' };
    pending = [...(landed === '' ? [] : landed.split('/')), ...rest];
  }
  if (found?.mode === 'submodule') {
    throw new PlumbError('SubmoduleDisabled', `${at} is a submodule`, { where: { file: at } });
  }
  if (found?.mode === 'folder') return { mode: 'folder', path: at };
  return found?.mode === 'file' ? { mode: 'file', path: at, oid: found.oid } : undefined;
}

async function readLink(tree: SourceTree, path: string, oid: string, signal: AbortSignal): Promise<string> {
  const [target] = await tree.read([{ path, mode: 'symlink', oid }], { signal });
  return new TextDecoder().decode(target);
}
