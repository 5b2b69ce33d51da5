import { digest, type Found, type SourceTree, type TreeEntry } from '@plumb/core';

/**
 * What a merge would leave, file by file: `base`, with the files that were changed as they are at `head`. A file that both
 * have changed is that of `head`.
 *
 * @param changed the files that `head` has changed since it left `base`, of a renamed one both names
 */
export function mergedTree(base: SourceTree, head: SourceTree, changed: readonly string[]): SourceTree {
  const replaced = new Set(changed);
  const sorted = [...replaced].toSorted();

  function changedIn(folder: string): readonly string[] {
    return folder === '' ? sorted : sorted.filter((path) => path.startsWith(`${folder}/`));
  }

  async function nowIn(
    folder: string,
    call: Call,
  ): Promise<readonly (readonly [path: string, now: Found | undefined])[]> {
    return Promise.all(changedIn(folder).map(async (path) => [path, await head.find(path, call)] as const));
  }

  async function entries(folder: string, call: Call): Promise<readonly TreeEntry[]> {
    const kept = (await base.entries(folder, call)).filter(({ path }) => !replaced.has(path));
    const now = (await nowIn(folder, call)).flatMap(([path, found]) =>
      found === undefined || found.mode === 'folder' ? [] : [{ path, mode: found.mode, oid: found.oid }],
    );
    return [...kept, ...now].toSorted((left, right) => (left.path < right.path ? -1 : 1));
  }

  async function find(path: string, call: Call): Promise<Found | undefined> {
    if (path === '') return base.find(path, call);
    const now = replaced.has(path) ? await head.find(path, call) : undefined;
    if (now !== undefined && now.mode !== 'folder') return now;
    if (changedIn(path).length > 0) {
      return (await entries(path, call)).length === 0 ? undefined : { mode: 'folder' };
    }
    return replaced.has(path) ? undefined : base.find(path, call);
  }

  return {
    find: (path, call) => find(normal(path), call),
    entries: (path, call) => entries(normal(path), call),
    async treeId(path, call) {
      const folder = normal(path);
      if (changedIn(folder).length === 0) return base.treeId(folder, call);
      if ((await find(folder, call))?.mode !== 'folder') return undefined;
      const marks = (await nowIn(folder, call)).map(([file, found]) => [
        file,
        found?.mode,
        found !== undefined && 'oid' in found && found.oid,
      ]);
      return digest([(await base.treeId(folder, call)) ?? '', JSON.stringify(marks)]);
    },
    async read(wanted, call) {
      const [ofHead, ofBase] = await Promise.all([
        head.read(
          wanted.filter(({ path }) => replaced.has(path)),
          call,
        ),
        base.read(
          wanted.filter(({ path }) => !replaced.has(path)),
          call,
        ),
      ]);
      const fromHead = ofHead.values();
      const fromBase = ofBase.values();
      return wanted.map(({ path }) => (replaced.has(path) ? fromHead : fromBase).next().value ?? new Uint8Array());
    },
  };
}

interface Call {
  readonly signal: AbortSignal;
}

function normal(path: string): string {
  return path
    .split('/')
    .filter((step) => step !== '' && step !== '.')
    .join('/');
}
