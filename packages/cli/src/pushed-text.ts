import { oneLine, printable } from '@plumb/core';
import type { PushedEdits } from './push-edits.ts';

/** The lines that edits take away and bring, file by file. */
export function hunksText(files: PushedEdits<unknown>['files']): string {
  const lines = files.flatMap(({ file, hunks }) =>
    hunks.flatMap(({ after, removed, added }) => [
      `  ${oneLine(file)}:${after}`,
      ...removed.map((line) => `  - ${printable(line)}`),
      ...added.map((line) => `  + ${printable(line)}`),
    ]),
  );
  return lines.map((line) => `${line}\n`).join('');
}

/** `Commit 4ebe50b on main.` */
export function commitText(
  { commit, branch }: Pick<PushedEdits<unknown>, 'commit' | 'branch'>,
  followed: string,
): string {
  if (commit === undefined) return 'Nothing is pushed (--dry-run).';
  const short = commit.slice(0, 7);
  if (`refs/heads/${branch}` === followed) return `Commit ${short} on ${branch}.`;
  return `Commit ${short} on the branch ${branch}: open a pull request from it.`;
}
