import type { Fields } from './decode.ts';
import type { ChangedFiles, CommitStatus, GitHost, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import { HOST_LIMITS } from './limits.ts';
import { newestFirst, withHead } from './newest-first.ts';
import { standingApprovals, type Review } from './standing-approvals.ts';
import { statusDescription } from './status-text.ts';
import { upsertSticky, type FoundComment } from './sticky-comment.ts';

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
export function openGitHub({ client, project, account, close }: HostParts): GitHost {
  const repository = `/repos/${project}`;

  return {
    kind: 'github',
    limits: HOST_LIMITS.github,
    account,

    openPullRequests({ sinceMs, signal }) {
      const query = { state: 'open', sort: 'updated', direction: 'desc', ...PAGE };
      return newestFirst(client.pages(`${repository}/pulls`, query, { signal }), sinceMs, decodePullRequest);
    },

    async pullRequest(number, { signal }) {
      return withHead(decodePullRequest(await client.get(`${repository}/pulls/${number}`, { signal })), number);
    },

    async changedFiles(number, { signal }) {
      return readFiles(client.pages(`${repository}/pulls/${number}/files`, PAGE, { signal }), MAX_FILES);
    },

    async setStatus(status, { signal }) {
      await client.send('POST', `${repository}/statuses/${status.commit}`, statusBody(status), { signal });
    },

    async upsertSticky(comment, { signal }) {
      const comments = `${repository}/issues/${comment.number}/comments`;
      return upsertSticky(comment, {
        list: async () => (await client.list(comments, PAGE, { signal })).map(decodeComment),
        me: () => account({ signal }),
        // An installation of an app may not ask who it is.
        tellsMachines: true,
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
    url: pull.at('html_url').text,
  };
}

/** @param max as many files as the host lists at most */
export async function readFiles(
  pages: AsyncIterable<{ readonly items: readonly Fields[]; readonly isLast: boolean }>,
  max: number,
): Promise<ChangedFiles> {
  const paths = new Set<string>();
  let count = 0;
  let isLast = false;
  for await (const page of pages) {
    for (const file of page.items) {
      paths.add(file.at('filename').text);
      const before = file.at('previous_filename').maybeText;
      if (before !== undefined) paths.add(before);
    }
    count += page.items.length;
    isLast = page.isLast;
  }
  return { paths: [...paths], isComplete: isLast && count < max };
}

export function statusBody({ context, state, description, url }: CommitStatus): object {
  return {
    state,
    context,
    description: statusDescription(description),
    ...(url === undefined ? {} : { target_url: url }),
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
