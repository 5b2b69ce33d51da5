import { PlumbError } from '@plumb/core';

export interface RevisionRange {
  readonly from: string;
  /** Undefined is the working copy as it is now. */
  readonly to: string | undefined;
}

/** `A..B` is from A to B; `A..` and `A` are from A to the working copy. No name of git holds two dots. */
export function parseRange(text: string): RevisionRange {
  const at = text.indexOf('..');
  const [from, to] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 2)];
  if (to.startsWith('.')) {
    throw new PlumbError('Usage', `${text} has three dots: what is compared has two`, {
      fix: 'Write A..B; the commit where B left A is named by "git merge-base A B".',
    });
  }
  if (from === '') {
    throw new PlumbError('Usage', `${text} does not say what to start from`, {
      fix: 'Write A..B, or A.. for the working copy.',
    });
  }
  return { from, to: to === '' ? undefined : to };
}
