import { PlumbError } from '@plumb/core';
import type { StickyComment, WrittenComment } from './host.ts';

export interface FoundComment {
  readonly id: string;
  readonly body: string;
  /** Undefined where the account is gone. */
  readonly authorId: string | undefined;
  /** The host says that the author is a machine. */
  readonly isByMachine?: boolean;
}

/** What a host does with the comments of one pull request. */
export interface CommentStore {
  /** The oldest first. */
  list(): Promise<readonly FoundComment[]>;
  /** Our own id; undefined where the host does not tell us. */
  me(): Promise<string | undefined>;
  create(body: string): Promise<string>;
  update(id: string, body: string): Promise<void>;
  /** Only machines may be taken for us, where the host does not tell who we are but does tell who is one. */
  readonly tellsMachines?: boolean;
}

/**
 * The mark by which a comment is found again: a line that defines a link which nothing uses, since all hosts take it for
 * Markdown and show nothing of it. (Bitbucket shows an HTML comment as text.)
 *
 * @param id tells engines apart that plan the same repository
 */
export function stickyMarker(id: string): string {
  return `[//]: # (plumb-plan:${id.replaceAll(/[^A-Za-z0-9._/-]+/g, '-')})`;
}

/** Creates the comment, or brings the oldest one of ours with the marker up to date. */
export async function upsertSticky(comment: StickyComment, store: CommentStore): Promise<WrittenComment> {
  const { marker, body } = comment;
  if (!hasLine(body, marker)) throw new PlumbError('Internal', 'a sticky comment without its marker');
  const marked = (await store.list()).filter((found) => hasLine(found.body, marker));
  const ours = marked.length === 0 ? undefined : await findOurs(marked, store);
  if (ours !== undefined) {
    if (isSameText(ours.body, body)) return { id: ours.id, outcome: 'unchanged' };
    try {
      await store.update(ours.id, body);
      return { id: ours.id, outcome: 'updated' };
    } catch (thrown) {
      // Somebody deleted it since it was listed.
      if (!(thrown instanceof PlumbError) || thrown.code !== 'HostNotFound') throw thrown;
    }
  }
  return { id: await store.create(body), outcome: 'created' };
}

/** A marker can be copied: what somebody else wrote, and can change, is never taken for ours. */
async function findOurs(marked: readonly FoundComment[], store: CommentStore): Promise<FoundComment | undefined> {
  const me = await store.me();
  return marked.find(({ authorId, isByMachine }) => {
    return me === undefined ? store.tellsMachines !== true || isByMachine === true : authorId === me;
  });
}

function hasLine(body: string, line: string): boolean {
  return body.split(/\r?\n/).some((candidate) => candidate.trimEnd() === line);
}

/** Hosts write line ends their own way, and cut white space off. */
function isSameText(left: string, right: string): boolean {
  const normal = (text: string): string => text.replaceAll('\r\n', '\n').trim();
  return normal(left) === normal(right);
}
