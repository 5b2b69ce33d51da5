import type { Fields } from './decode.ts';
import { openGitHubLike } from './github-like.ts';
import type { GitHost, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import type { Review } from './standing-approvals.ts';
import type { FoundComment } from './sticky-comment.ts';

/** https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files */
const MAX_FILES = 3_000;
const PAGE = { per_page: 100 };

const STATES: Readonly<Record<string, Review['verdict']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'refused',
  DISMISSED: 'refused',
};

const PERMISSIONS: Readonly<Record<string, Permission>> = { admin: 'admin', write: 'write', read: 'read' };

/** GitHub, of its makers (api.github.com) or of one's own (…/api/v3). */
export function openGitHub(parts: HostParts): GitHost {
  return openGitHubLike(parts, {
    kind: 'github',
    newest: { sort: 'updated', direction: 'desc' },
    page: PAGE,
    commentsPage: PAGE,
    maxFiles: MAX_FILES,
    // An installation of an app may not ask who it is.
    tellsMachines: true,
    permissions: PERMISSIONS,
    decodePullRequest,
    decodeComment,
    decodeUser: decodeGitHubUser,
    decodeReview,
  });
}

export function decodeGitHubUser(user: Fields): HostUser {
  // The account of somebody who left is null.
  const login = user.at('login').maybeText ?? 'ghost';
  return { id: login, name: login };
}

function decodePullRequest(pull: Fields): PullRequest | undefined {
  const number = pull.at('number').integer;
  const head = pull.at('head').at('sha').maybeCommit;
  if (head === undefined) return undefined;
  const isMerged = pull.at('merged_at').isThere;
  return {
    number,
    title: pull.at('title').text,
    state: pull.at('state').text === 'open' ? 'open' : isMerged ? 'merged' : 'closed',
    isDraft: pull.at('draft').isTrue,
    author: decodeGitHubUser(pull.at('user')),
    head,
    branch: pull.at('head').at('ref').text,
    headRef: `refs/pull/${number}/head`,
    isFromFork:
      pull.at('head').at('repo').at('full_name').maybeText !== pull.at('base').at('repo').at('full_name').maybeText,
    base: pull.at('base').at('ref').text,
    updatedAtMs: pull.at('updated_at').timeMs,
    // A comment counts as a change.
    activity: `${pull.at('updated_at').text} ${head}`,
    url: pull.at('html_url').text,
  };
}

function decodeComment(comment: Fields): FoundComment {
  return {
    id: String(comment.at('id').integer),
    body: comment.at('body').maybeText ?? '',
    authorId: comment.at('user').at('login').maybeText,
    isByMachine: comment.at('user').at('type').maybeText === 'Bot',
  };
}

function decodeReview(review: Fields): readonly Review[] {
  if (!review.at('user').isThere) return [];
  return [
    {
      user: decodeGitHubUser(review.at('user')),
      verdict: STATES[review.at('state').text] ?? 'other',
      commit: review.at('commit_id').maybeCommit,
      atMs: review.at('submitted_at').maybeTimeMs,
    },
  ];
}
