import { PlumbError } from '@plumb/core';
import { classifyGitFailure, isCorruption, redact } from './classify.ts';
import type { GitOutcome } from './git-process.ts';
import { UnusableRepository, type ObjectReader } from './object-reader.ts';
import { isCommitId } from './ref.ts';

/** A commit that is made without a working copy. */
export interface NewCommit {
  /** What it is on top of. */
  readonly parent: string;
  /** The files that it replaces or adds, by path; all others stay. */
  readonly files: ReadonlyMap<string, string>;
  readonly author: { readonly name: string; readonly email: string };
  /** Epoch milliseconds. */
  readonly timeMs: number;
  readonly message: string;
}

/** Only the fetched copy knows this name. */
const REF = 'refs/plumb/new-commit';

/**
 * What `git fast-import` reads: https://git-scm.com/docs/git-fast-import#_input_format. All of it goes through its input, so
 * nothing that came from outside is an argument; `get-mark` makes it print the id.
 */
export function importStream(
  { parent, files, author, timeMs, message }: NewCommit,
  modes: ReadonlyMap<string, string>,
): string {
  if (!isCommitId(parent)) throw new PlumbError('RefInvalid', `${JSON.stringify(parent)} is not a full commit id`);
  const who = `${plainName(author.name)} <${plainName(author.email)}> ${Math.floor(timeMs / 1000)} +0000`;
  const lines = [`commit ${REF}`, 'mark :1', `author ${who}`, `committer ${who}`, block(message), `from ${parent}`];
  for (const [path, text] of files) {
    lines.push(`M ${modes.get(path) ?? '100644'} inline ${quotedPath(path)}`, block(text));
  }
  return `${lines.join('\n')}\nget-mark :1\n`;
}

function block(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

/** A name as git keeps it: without what would end it. */
function plainName(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.replaceAll(/[<>\u0000-\u001f]/g, '').trim();
}

function quotedPath(path: string): string {
  if (/[\n\0]/.test(path))
    throw new PlumbError('PathEscape', `${JSON.stringify(path)} is not a path that is written to`);
  return `"${path.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;
}

export function importedCommit({ code, stdout, stderr }: GitOutcome, url: string): string {
  const id = stdout.toString('utf8').trim();
  if (code === 0 && isCommitId(id)) return id;
  if (isCorruption(stderr)) throw new UnusableRepository(redact(stderr, []).trim());
  throw classifyGitFailure(`making a commit for ${url}`, stderr);
}

/** Whether a file may be run: what it was before, it stays. */
export async function isExecutableIn(
  reader: ObjectReader,
  commit: string,
  path: string,
  signal: AbortSignal,
): Promise<boolean> {
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, Math.max(0, slash));
  if (folder.includes('\n')) return false;
  const [tree] = await reader.read([{ name: `${commit}:${folder}`, want: 'contents' }], { signal });
  return tree?.bytes?.includes(`100755 ${path.slice(slash + 1)}\0`) ?? false;
}

const MOVED = /non-fast-forward|fetch first|stale info|incorrect old value|cannot lock ref|failed to update ref/i;

/** Why a push did not arrive; undefined where it did. What the remote says of it is passed on, without secrets. */
export function pushFailure(
  { code, stdout, stderr }: GitOutcome,
  { ref, url, secrets }: { readonly ref: string; readonly url: string; readonly secrets: readonly string[] },
): PlumbError | undefined {
  if (code === 0) return undefined;
  const branch = ref.slice('refs/heads/'.length);
  const attempted = `pushing to ${branch} of ${url}`;
  // `!<tab>from:to<tab>[remote rejected] (pre-receive hook declined)`
  const refused = /^!\t[^\t]*\t(.*)$/m.exec(stdout.toString('utf8'))?.[1];
  if (refused === undefined) {
    const error = classifyGitFailure(attempted, stderr, { secrets });
    if (error.code !== 'RepositoryUnauthorized') return error;
    return new PlumbError(error.code, error.message, {
      fix: "Let the credentials in the Repository's Secret write, or change it in Git by hand: --dry-run shows the lines.",
      cause: error,
    });
  }
  if (MOVED.test(refused))
    return new PlumbError('BranchMoved', `${attempted}: it has other commits by now`, { subject: branch });
  const said = redact(stderr, secrets)
    .split('\n')
    .flatMap((line) => (line.startsWith('remote:') ? line.slice('remote:'.length).trim() : []))
    .filter((line) => line !== '' && !line.startsWith('error:'));
  const words = [redact(refused, secrets), ...said].slice(0, 4).join('; ');
  return new PlumbError('PushRejected', `${attempted}: ${words.slice(0, 500)}`, { subject: branch });
}
