import type { Fields } from './decode.ts';
import type { GitHost, HostUser, Permission, PullRequest } from './host.ts';
import { readFiles, statusBody } from './github.ts';
import type { HostParts } from './host-parts.ts';
import { HOST_LIMITS } from './limits.ts';
import { newestFirst, withHead } from './newest-first.ts';
import { standingApprovals, type Review } from './standing-approvals.ts';
import { upsertSticky, type FoundComment } from './sticky-comment.ts';

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
export function openGitea({ client, project, account, close }: HostParts): GitHost {
  const repository = `/repos/${project}`;

  return {
    kind: 'gitea',
    limits: HOST_LIMITS.gitea,
    account,

    openPullRequests({ sinceMs, signal }) {
      const query = { state: 'open', sort: 'recentupdate', ...PAGE };
      return newestFirst(client.pages(`${repository}/pulls`, query, { signal }), sinceMs, decodePullRequest);
    },

    async pullRequest(number, { signal }) {
      return withHead(decodePullRequest(await client.get(`${repository}/pulls/${number}`, { signal })), number);
    },

    async changedFiles(number, { signal }) {
      return readFiles(client.pages(`${repository}/pulls/${number}/files`, PAGE, { signal }), Infinity);
    },

    async setStatus(status, { signal }) {
      await client.send('POST', `${repository}/statuses/${status.commit}`, statusBody(status), { signal });
    },

    async upsertSticky(comment, { signal }) {
      const comments = `${repository}/issues/${comment.number}/comments`;
      return upsertSticky(comment, {
        list: async () => (await client.list(comments, {}, { signal })).map(decodeComment),
        me: () => account({ signal }),
        create: async (body) => String((await client.send('POST', comments, { body }, { signal })).at('id').integer),
        update: async (id, body) => {
          await client.send('PATCH', `${repository}/issues/comments/${id}`, { body }, { signal });
        },
      });
    },

    async reply(number, body, { signal }) {
      await client.send('POST', `${repository}/issues/${number}/comments`, { body }, { signal });
    },

    async acknowledge(_number, commentId, { signal }) {
      const path = `${repository}/issues/comments/${encodeURIComponent(commentId)}/reactions`;
      await client.send('POST', path, { content: 'eyes' }, { signal });
    },

    async permissionOf({ id }, { signal }) {
      const path = `${repository}/collaborators/${encodeURIComponent(id)}/permission`;
      const answer = await client.find(path, { signal });
      return PERMISSIONS[answer?.at('permission').maybeText ?? ''] ?? 'none';
    },

    async reviews(number, { signal }) {
      const reviews = await client.list(`${repository}/pulls/${number}/reviews`, PAGE, { signal });
      return standingApprovals(reviews.flatMap(decodeReview));
    },

    [Symbol.asyncDispose]: close,
  };
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
