import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { PlumbError, type Clock } from '@plumb/core';
import { readPolicies, starterPolicies, type Policy, type PolicyFile } from '@plumb/policy';
import { decodeYamlWithLines } from '@plumb/render';
import { readInput } from './objects-file.ts';
import { throwAll } from './report-error.ts';

/** Policies of files that were named, to be laid over others. */
export interface PoliciesAtHand {
  /** Throws all that is wrong with them, with file and line. `base`: default the starter set. */
  over(base?: readonly Policy[]): readonly Policy[];
}

/**
 * The starter set, with what the files of `--policy` add and change, later ones over earlier ones; of a folder its YAML and
 * JSON files by name. Throws all that is wrong with them, with file and line.
 */
export async function readPolicyFiles(
  paths: readonly string[],
  surroundings: { readonly cwd: string; readonly clock: Clock },
): Promise<readonly Policy[]> {
  return (await openPolicyFiles(paths, surroundings)).over();
}

/** The same, for whoever has other policies already. */
export async function openPolicyFiles(
  paths: readonly string[],
  { cwd, clock }: { readonly cwd: string; readonly clock: Clock },
): Promise<PoliciesAtHand> {
  const monotonic = () => clock.monotonic();
  const files: PolicyFile[] = [];
  for (const path of paths) {
    for (const file of await filesAt(path, cwd)) files.push(await readFile(file, cwd));
  }
  const over = (base: readonly Policy[]): readonly Policy[] => {
    const read = readPolicies(files, { base, monotonic });
    return read.ok ? read.value : throwAll(read.error);
  };
  // Compiling costs more than asking: what most applications have in common is read once.
  let overStarters: readonly Policy[] | undefined;
  return {
    over: (base) => (base === undefined ? (overStarters ??= over(starterPolicies({ monotonic }))) : over(base)),
  };
}

async function filesAt(path: string, cwd: string): Promise<readonly string[]> {
  const stats = await stat(resolve(cwd, path)).catch(() => undefined);
  if (stats?.isDirectory() !== true) return [path];
  const names = (await readdir(resolve(cwd, path))).filter((name) => /\.(?:ya?ml|json)$/.test(name)).sort();
  if (names.length === 0) {
    throw new PlumbError('Usage', `the folder ${path} holds no file of policies`, {
      fix: 'Name a folder with .yaml files, or one file.',
    });
  }
  return names.map((name) => join(path, name));
}

async function readFile(file: string, cwd: string): Promise<PolicyFile> {
  const { text, name } = await readInput(file, cwd);
  const { documents, lineOf } = decodeYamlWithLines(text, name);
  return { documents: documents.map(({ value }) => value), file: name, lineOf };
}
