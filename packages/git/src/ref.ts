import { PlumbError } from '@plumb/core';

const COMMIT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/**
 * A ref as its full name: `main` is `refs/heads/main`; `refs/…`, `HEAD` and a commit id of 40 or 64 hex digits stay. The
 * rules are those of `git check-ref-format`, and no part may begin with a dash.
 *
 * @throws {PlumbError} `RefInvalid`; no process was started.
 */
export function checkRef(text: string): string {
  if (COMMIT_ID.test(text.toLowerCase())) return text.toLowerCase();
  if (text === 'HEAD') return text;
  const reason = fault(text);
  if (reason !== undefined) throw new PlumbError('RefInvalid', `the ref ${quote(text)} was refused: ${reason}`);
  return text.startsWith('refs/') ? text : `refs/heads/${text}`;
}

/**
 * The name of a commit as git resolves it in a repository of the user: `main`, `v1.2`, `origin/main`, `HEAD~1`, a commit
 * id or the beginning of one. Names of files, of searches and of times (`main:a.yaml`, `:/fix`, `main@{1}`) are refused.
 *
 * @throws {PlumbError} `RefInvalid`; no process was started.
 */
export function checkRevision(text: string): string {
  const base = text.replace(/(?:[~^]\d{0,9})*$/, '');
  const reason = base === '@' ? undefined : fault(base);
  if (reason === undefined) return text;
  throw new PlumbError('RefInvalid', `the revision ${quote(text)} was refused: ${reason}`, {
    fix: 'Name a branch, a tag or a commit, or what comes before one: main, v1.2, HEAD~1.',
  });
}

export function isCommitId(text: string): boolean {
  return COMMIT_ID.test(text);
}

/** https://git-scm.com/docs/git-check-ref-format */
function fault(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (Buffer.byteLength(text) > 255) return 'it is longer than 255 bytes';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0020\u007f~^:?*[\\]/.test(text))
    return 'it holds a space, a control character or one of ~ ^ : ? * [ \\';
  if (!text.isWellFormed()) return 'it is not Unicode';
  if (text.includes('..') || text.includes('@{')) return 'it holds ".." or "@{"';
  if (text === '@' || text === 'refs' || text === 'refs/') return 'it names no ref';
  if (text.endsWith('.')) return 'it ends with a dot';
  for (const part of text.split('/')) {
    if (part === '') return 'it holds an empty part';
    if (part.startsWith('-')) return 'a part begins with a dash';
    if (part.startsWith('.') || part.endsWith('.lock')) return 'a part begins with a dot or ends with ".lock"';
  }
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
