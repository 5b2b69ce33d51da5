import type { SourceTree } from '@plumb/core';

interface Call {
  readonly signal: AbortSignal;
}

/**
 * Whether a symbolic link below the folder leads out of it: then the folder's tree id does not name all that a render of
 * it reads. A link that leaves the folder and comes back counts as leading out.
 */
export async function hasLinkOut(tree: SourceTree, folder: string, call: Call): Promise<boolean> {
  const root = stepsOf(folder).length;
  const links = (await tree.entries(folder, call)).filter(({ mode }) => mode === 'symlink');
  if (links.length === 0) return false;
  const targets = await tree.read(links, call);
  const decoder = new TextDecoder();
  return links.some(({ path }, index) => {
    const depth = stepsOf(path).length - root - 1;
    return leadsAbove(decoder.decode(targets[index]), depth);
  });
}

/** Whether what stands at the path, or on the way to it, is a symbolic link: renderers follow it. */
export async function isReachedByLink(tree: SourceTree, path: string, call: Call): Promise<boolean> {
  let folder = '';
  for (const step of stepsOf(path)) {
    const next = folder === '' ? step : `${folder}/${step}`;
    if ((await tree.treeId(next, call)) === undefined) {
      const entries = await tree.entries(folder, call);
      return entries.some((entry) => entry.path === next && entry.mode === 'symlink');
    }
    folder = next;
  }
  return false;
}

/** Whether a link's target, seen from `depth` folders below the root, ever steps above that root. */
function leadsAbove(target: string, depth: number): boolean {
  if (target.startsWith('/')) return true;
  let at = depth;
  for (const step of stepsOf(target)) {
    at += step === '..' ? -1 : 1;
    if (at < 0) return true;
  }
  return false;
}

function stepsOf(path: string): readonly string[] {
  return path.split('/').filter((step) => step !== '' && step !== '.');
}
