import { PlumbError } from '@plumb/core';

/**
 * A path inside the repository without `.` and empty steps; the root is the empty string. Throws `PathEscape` for all
 * that could lead elsewhere: `..`, absolute paths, backslashes, NUL, and Git's own folder in any spelling.
 */
export function parseRepositoryPath(path: string): string {
  const steps = path.split('/');
  const refused =
    path.startsWith('/') || /[\\\0]/.test(path) || steps.some((step) => step === '..' || step.toLowerCase() === '.git');
  if (refused) throw new PlumbError('PathEscape', `${JSON.stringify(path)} is not a path inside the repository`);
  return steps.filter((step) => step !== '' && step !== '.').join('/');
}

export function joinPath(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** Follows `..` and `.` from a folder; undefined where the way leads above the root. */
export function resolveFrom(folder: string, target: string): string | undefined {
  if (target.startsWith('/')) return undefined;
  const steps = folder === '' ? [] : folder.split('/');
  for (const step of target.split('/')) {
    if (step === '' || step === '.') continue;
    if (step !== '..') steps.push(step);
    else if (steps.pop() === undefined) return undefined;
  }
  return steps.join('/');
}
