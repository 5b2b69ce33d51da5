import { PlumbError } from '@plumb/core';

/**
 * The steps of a path below the root: `./apps//shop/` is `['apps', 'shop']`; the root itself has none.
 *
 * @throws {PlumbError} `PathEscape` where it leads outside.
 */
export function pathSteps(path: string): readonly string[] {
  const steps = path.split('/').filter((step) => step !== '' && step !== '.');
  if (steps.includes('..') || path.includes('\0')) {
    throw new PlumbError('PathEscape', `the path ${JSON.stringify(path)} leads outside the repository`);
  }
  return steps;
}

/** Sorts entries by path, in code-unit order. */
export function byPath(left: { readonly path: string }, right: { readonly path: string }): number {
  return left.path < right.path ? -1 : left.path > right.path ? 1 : 0;
}
