import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, type FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PlumbError, type SourceTree, type TreeEntry } from '@plumb/core';
import { byPath, pathSteps } from './path.ts';

const MAX_FILE_BYTES = 10 * 1024 * 1024;

/**
 * A working copy as a source tree: what is in the files now, committed or not. Links are reported and never followed;
 * `.git` is left out. The ids of files are Git's own blob ids; those of folders are digests of what is below.
 */
export function localTree(folder: string): SourceTree {
  const root = resolve(folder);
  const ids = new FileIds();
  return {
    async find(path) {
      const steps = pathSteps(path);
      if (steps.includes('.git') || !(await isFolder(root, steps.slice(0, -1).join('/')))) return undefined;
      const at = join(root, ...steps);
      const stats = await lstat(at).catch(() => undefined);
      if (steps.length === 0 || stats?.isDirectory()) return { mode: 'folder' };
      if (stats?.isSymbolicLink()) return { mode: 'symlink', oid: blobId(await readlink(at, { encoding: 'buffer' })) };
      return stats?.isFile() ? { mode: 'file', oid: await ids.of(at, stats) } : undefined;
    },
    async treeId(path, { signal }) {
      if (!(await isFolder(root, path))) return undefined;
      const hash = createHash('sha256');
      for (const { mode, oid, path: name } of await walk(root, path, ids, signal))
        hash.update(`${mode} ${oid} ${name}\0`);
      return hash.digest('hex');
    },
    async entries(path, { signal }) {
      return (await isFolder(root, path)) ? walk(root, path, ids, signal) : [];
    },
    async read(entries, { signal }) {
      const all: Uint8Array[] = [];
      for (const entry of entries) {
        signal.throwIfAborted();
        all.push(await readEntry(root, entry));
      }
      return all;
    },
  };
}

/** The nearest folder at or above `folder` that holds `.git`, or undefined. */
export async function repositoryRoot(folder: string): Promise<string | undefined> {
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (await lstat(join(at, '.git')).catch(() => undefined)) return at;
    if (dirname(at) === at) return undefined;
  }
}

/** Whether every step down to `path` is a real folder: a link on the way could lead outside the root. */
async function isFolder(root: string, path: string): Promise<boolean> {
  let at = root;
  for (const step of ['', ...pathSteps(path)]) {
    at = join(at, step);
    const stats = await lstat(at).catch(() => undefined);
    // The root is where the person said it is, be it through a link; below it none counts.
    if (!stats?.isDirectory() && !(step === '' && stats?.isSymbolicLink())) return false;
  }
  return true;
}

async function walk(root: string, path: string, ids: FileIds, signal: AbortSignal): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  const open = [pathSteps(path).join('/')];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    signal.throwIfAborted();
    for (const child of await readdir(join(root, folder), { withFileTypes: true, encoding: 'buffer' })) {
      const name = child.name.toString('utf8');
      if (name === '.git') continue;
      if (!isUtf8(child.name)) {
        throw new PlumbError('Encoding', `a file name in the folder "${folder}" is not UTF-8`, {
          where: { file: folder },
          fix: 'Rename the file.',
        });
      }
      const childPath = folder === '' ? name : `${folder}/${name}`;
      if (child.isDirectory()) open.push(childPath);
      else if (child.isSymbolicLink()) {
        const target = await readlink(join(root, childPath), { encoding: 'buffer' });
        entries.push({ path: childPath, mode: 'symlink', oid: blobId(target) });
      } else if (child.isFile()) {
        const at = join(root, childPath);
        entries.push({ path: childPath, mode: 'file', oid: await ids.of(at, await lstat(at)) });
      }
    }
  }
  return entries.sort(byPath);
}

async function readEntry(root: string, { path, mode }: TreeEntry): Promise<Uint8Array> {
  const at = join(root, ...pathSteps(path));
  if (mode === 'submodule') {
    throw new PlumbError('SubmoduleDisabled', `${path} is a submodule`, { where: { file: path } });
  }
  if (mode === 'symlink') return readlink(at, { encoding: 'buffer' });
  await using file = await openFile(at);
  const { size } = await file.stat();
  if (size > MAX_FILE_BYTES) {
    throw new PlumbError('FileTooLarge', `${path} has ${size} bytes`, { where: { file: path } });
  }
  return await file.readFile();
}

/** Ids of files that were read already and have not been touched since, as far as the file system tells. */
class FileIds {
  readonly #known = new Map<string, { readonly stamp: string; readonly oid: string }>();

  async of(path: string, { ino, size, mtimeMs, ctimeMs }: Stats): Promise<string> {
    const stamp = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
    const known = this.#known.get(path);
    if (known?.stamp === stamp) return known.oid;
    const oid = await fileId(path);
    this.#known.set(path, { stamp, oid });
    return oid;
  }
}

const READ_WHOLE_BELOW_BYTES = 1024 * 1024;

/** Git's id of the content, read in pieces: a large file that nobody renders may lie in the folder. */
async function fileId(path: string): Promise<string> {
  await using file = await openFile(path);
  const { size } = await file.stat();
  if (size < READ_WHOLE_BELOW_BYTES) return blobId(await file.readFile());
  const hash = createHash('sha1').update(`blob ${size}\0`);
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

function blobId(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

function openFile(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
}
