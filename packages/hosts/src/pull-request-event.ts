import { decodeBitbucketUser } from './bitbucket.ts';
import { decodeJson, type Fields } from './decode.ts';
import { decodeGiteaUser } from './gitea.ts';
import { decodeGitHubUser } from './github.ts';
import { decodeGitLabUser } from './gitlab.ts';
import type { HostKind, HostUser } from './host.ts';

/**
 * What a delivery says of a pull request. It wakes, and is no fact to act on: it may be late, repeated, or out of order, so
 * what the pull request is now, and what its author may do, is asked of the host.
 */
export interface PullRequestEvent {
  /**
   * `updated`: other commits, another base, or no draft any more. `closed`: merged as well. `comment`: one that was just
   * written; one that is edited later is none, for others than its author may have done that. `review`: an approval or a
   * refusal was given or taken back.
   */
  readonly type: 'opened' | 'updated' | 'closed' | 'comment' | 'review';
  /** The repository: `acme/shop`, in the spelling of the host, which does not tell capitals apart. */
  readonly project: string;
  readonly number: number;
  /** Who did this: the author of the comment or review. */
  readonly user: HostUser;
  /** The newest commit, where the host says it in full. */
  readonly head: string | undefined;
  /** The branch that it is to be merged into, where the host says it. */
  readonly base: string | undefined;
  readonly comment: { readonly id: string; readonly body: string } | undefined;
}

/**
 * Reads a delivery whose signature was checked before. Undefined for deliveries about anything else.
 *
 * @param header by its lower-case name
 * @throws {PlumbError} `HostAnswerInvalid` where it is not what this kind of host sends.
 */
export function readPullRequestEvent(
  kind: HostKind,
  header: (name: string) => string | undefined,
  body: Uint8Array,
): PullRequestEvent | undefined {
  const event = header(EVENT_HEADERS[kind]);
  if (event === undefined) return undefined;
  const isForm = header('content-type')?.startsWith('application/x-www-form-urlencoded') === true;
  const json = isForm
    ? Buffer.from(new URLSearchParams(Buffer.from(body).toString('utf8')).get('payload') ?? '')
    : body;
  return READERS[kind](event, () => decodeJson(json, `the delivery "${event.slice(0, 40)}"`));
}

const EVENT_HEADERS: Readonly<Record<HostKind, string>> = {
  github: 'x-github-event',
  gitlab: 'x-gitlab-event',
  gitea: 'x-gitea-event',
  bitbucket: 'x-event-key',
};

/** The body is parsed only once it is clear that it is about a pull request: that of a push can be large. */
type Reader = (event: string, read: () => Fields) => PullRequestEvent | undefined;

const READERS: Readonly<Record<HostKind, Reader>> = {
  github: readGitHub,
  gitlab: readGitLab,
  gitea: readGitea,
  bitbucket: readBitbucket,
};

type EventType = PullRequestEvent['type'];

const GITHUB_ACTIONS: Readonly<Record<string, EventType>> = {
  opened: 'opened',
  reopened: 'opened',
  synchronize: 'updated',
  edited: 'updated',
  ready_for_review: 'updated',
  closed: 'closed',
};

function readGitHub(event: string, read: () => Fields): PullRequestEvent | undefined {
  if (event !== 'pull_request' && event !== 'pull_request_review' && event !== 'issue_comment') return undefined;
  const body = read();
  const action = body.at('action').text;
  const shared = {
    project: body.at('repository').at('full_name').text,
    user: decodeGitHubUser(body.at('sender')),
  };
  if (event === 'issue_comment') {
    const isOnPull = body.at('issue').at('pull_request').isThere;
    if (action !== 'created' || !isOnPull) return undefined;
    const comment = body.at('comment');
    return {
      ...shared,
      type: 'comment',
      number: body.at('issue').at('number').integer,
      user: decodeGitHubUser(comment.at('user')),
      head: undefined,
      base: undefined,
      comment: { id: String(comment.at('id').integer), body: comment.at('body').maybeText ?? '' },
    };
  }
  const isReview = event === 'pull_request_review' && ['submitted', 'dismissed'].includes(action);
  const type = event === 'pull_request' ? GITHUB_ACTIONS[action] : isReview ? 'review' : undefined;
  return type === undefined ? undefined : { ...shared, type, ...ofPull(body.at('pull_request')) };
}

/** GitHub and Gitea write a pull request alike. */
function ofPull(pull: Fields): Pick<PullRequestEvent, 'number' | 'head' | 'base' | 'comment'> {
  return {
    number: pull.at('number').integer,
    head: pull.at('head').at('sha').maybeCommit,
    base: pull.at('base').at('ref').maybeText,
    comment: undefined,
  };
}

const GITEA_ACTIONS: Readonly<Record<string, EventType>> = {
  opened: 'opened',
  reopened: 'opened',
  synchronized: 'updated',
  edited: 'updated',
  closed: 'closed',
  reviewed: 'review',
};

/** The names of events differ between versions (`pull_request_sync`, `pull_request_review_approved`), the actions do not. */
function readGitea(event: string, read: () => Fields): PullRequestEvent | undefined {
  if (!event.startsWith('pull_request') && event !== 'issue_comment') return undefined;
  const body = read();
  const action = body.at('action').text;
  const project = body.at('repository').at('full_name').text;
  const comment = body.at('comment');
  if (comment.isThere) {
    const isOnPull = body.at('is_pull').isTrue || body.at('issue').at('pull_request').isThere;
    if (action !== 'created' || !isOnPull) return undefined;
    return {
      type: 'comment',
      project,
      number: body.at('issue').at('number').integer,
      user: decodeGiteaUser(comment.at('user')),
      head: undefined,
      base: undefined,
      comment: { id: String(comment.at('id').integer), body: comment.at('body').maybeText ?? '' },
    };
  }
  const type = GITEA_ACTIONS[action];
  if (type === undefined) return undefined;
  return { type, project, user: decodeGiteaUser(body.at('sender')), ...ofPull(body.at('pull_request')) };
}

const GITLAB_ACTIONS: Readonly<Record<string, EventType>> = {
  open: 'opened',
  reopen: 'opened',
  update: 'updated',
  close: 'closed',
  merge: 'closed',
  approved: 'review',
  unapproved: 'review',
  approval: 'review',
  unapproval: 'review',
};

function readGitLab(event: string, read: () => Fields): PullRequestEvent | undefined {
  if (event !== 'Merge Request Hook' && event !== 'Note Hook') return undefined;
  const body = read();
  const attributes = body.at('object_attributes');
  const isNote = event === 'Note Hook';
  // Notes are written on commits, issues and snippets as well, and by the system itself.
  const isOnMerge = attributes.at('noteable_type').maybeText === 'MergeRequest' && !attributes.at('system').isTrue;
  const isNew = (attributes.at('action').maybeText ?? 'create') === 'create';
  if (isNote && !(isOnMerge && isNew)) return undefined;
  const type = isNote ? 'comment' : GITLAB_ACTIONS[attributes.at('action').maybeText ?? ''];
  if (type === undefined) return undefined;
  const merge = isNote ? body.at('merge_request') : attributes;
  return {
    type,
    project: body.at('project').at('path_with_namespace').text,
    number: merge.at('iid').integer,
    user: decodeGitLabUser(body.at('user')),
    head: merge.at('last_commit').at('id').maybeCommit,
    base: merge.at('target_branch').maybeText,
    comment: isNote ? { id: String(attributes.at('id').integer), body: attributes.at('note').text } : undefined,
  };
}

const BITBUCKET_EVENTS: Readonly<Record<string, EventType>> = {
  'pullrequest:created': 'opened',
  'pullrequest:updated': 'updated',
  'pullrequest:fulfilled': 'closed',
  'pullrequest:rejected': 'closed',
  'pullrequest:comment_created': 'comment',
  'pullrequest:approved': 'review',
  'pullrequest:unapproved': 'review',
  'pullrequest:changes_request_created': 'review',
  'pullrequest:changes_request_removed': 'review',
};

function readBitbucket(event: string, read: () => Fields): PullRequestEvent | undefined {
  const type = BITBUCKET_EVENTS[event];
  if (type === undefined) return undefined;
  const body = read();
  const pull = body.at('pullrequest');
  const comment = body.at('comment');
  return {
    type,
    project: body.at('repository').at('full_name').text,
    number: pull.at('id').integer,
    user: decodeBitbucketUser(body.at('actor')),
    head: pull.at('source').at('commit').at('hash').maybeCommit,
    base: pull.at('destination').at('branch').at('name').maybeText,
    comment:
      type === 'comment'
        ? { id: String(comment.at('id').integer), body: comment.at('content').at('raw').text }
        : undefined,
  };
}
