import type { Fields } from './decode.ts';
import { openGitHubLike } from './github-like.ts';
import type { GitHost, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import type { Review } from './standing-approvals.ts';
import type { FoundComment } from './sticky-comment.ts';

/** As many as a server gives out unless its administrator allows more. */
const PAGE = { limit: 50 };

const STATES: Readonly<Record<string, Review['verdict']>> = { APPROVED: 'approved', REQUEST_CHANGES: 'refused' };

const PERMISSIONS: Readonly<Record<string, Permission>> = {
  owner: 'admin',
  admin: 'admin',
  write: 'write',
  read: 'read',
};

/** Gitea and Forgejo, whose API resembles that of GitHub and differs in details. */
export function openGitea(parts: HostParts): GitHost {
  return openGitHubLike(parts, {
    kind: 'gitea',
    newest: { sort: 'recentupdate' },
    page: PAGE,
    // All of them come at once.
    commentsPage: {},
    maxFiles: Infinity,
    tellsMachines: false,
    permissions: PERMISSIONS,
    decodePullRequest,
    decodeComment,
    decodeUser: decodeGiteaUser,
    decodeReview,
  });
}

export function decodeGiteaUser(user: Fields): HostUser {
  const login = user.at('login').maybeText ?? user.at('username').maybeText ?? 'ghost';
  return { id: login, name: login };
}

function decodePullRequest(pull: Fields): PullRequest | undefined {
  const number = pull.at('number').integer;
  const head = pull.at('head').at('sha').maybeCommit;
  if (head === undefined) return undefined;
  return {
    number,
    title: pull.at('title').text,
    state: pull.at('state').text === 'open' ? 'open' : pull.at('merged').isTrue ? 'merged' : 'closed',
    isDraft: pull.at('draft').isTrue,
    author: decodeGiteaUser(pull.at('user')),
    head,
    branch: pull.at('head').at('ref').text,
    headRef: `refs/pull/${number}/head`,
    isFromFork: pull.at('head').at('repo_id').maybeInteger !== pull.at('base').at('repo_id').maybeInteger,
    base: pull.at('base').at('ref').text,
    updatedAtMs: pull.at('updated_at').timeMs,
    activity: `${pull.at('updated_at').text} ${head} ${pull.at('comments').maybeInteger}`,
    url: pull.at('html_url').text,
  };
}

function decodeComment(comment: Fields): FoundComment {
  return {
    id: String(comment.at('id').integer),
    body: comment.at('body').maybeText ?? '',
    authorId: comment.at('user').at('login').maybeText,
  };
}

/** A request to review is listed as a review, of a team even without a user. */
function decodeReview(review: Fields): readonly Review[] {
  if (!review.at('user').isThere) return [];
  return [
    {
      user: decodeGiteaUser(review.at('user')),
      verdict: review.at('dismissed').isTrue ? 'refused' : (STATES[review.at('state').maybeText ?? ''] ?? 'other'),
      commit: review.at('commit_id').maybeCommit,
      atMs: review.at('submitted_at').maybeTimeMs,
    },
  ];
}
