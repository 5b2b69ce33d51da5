import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** Paths, relative to the root, of every file that is committed or would be: what `.gitignore` names is not. */
export function repositoryFiles(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const files = new Set(stdout.split('\0').filter((path) => path !== '' && exists(path)));
  if (files.size === 0) throw new Error('git lists no files: these tests need a working copy');
  return [...files].sort();
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** The 1-based number of the line that holds `index`. */
export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** What the tests read of a `package.json`. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
}

export function manifests(): readonly { readonly path: string; readonly manifest: Manifest }[] {
  return repositoryFiles()
    .filter((path) => /^(?:[^/]+\/){0,2}package\.json$/.test(path))
    .map((path) => ({ path, manifest: JSON.parse(read(path)) as Manifest }));
}
