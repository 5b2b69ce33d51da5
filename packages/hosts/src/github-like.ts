import type { Fields } from './decode.ts';
import type { ChangedFiles, CommitStatus, GitHost, HostKind, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import { HOST_LIMITS } from './limits.ts';
import { newestFirst, withHead } from './newest-first.ts';
import { pullComment } from './pull-comment.ts';
import { standingApprovals, type Review } from './standing-approvals.ts';
import { statusDescription } from './status-text.ts';
import { upsertSticky, type FoundComment } from './sticky-comment.ts';

type Query = Readonly<Record<string, string | number>>;

/** In what two hosts differ that have the paths and the bodies of GitHub's REST API. */
export interface Dialect {
  readonly kind: HostKind;
  /** What lists pull requests by their last change, the newest first. */
  readonly newest: Query;
  readonly page: Query;
  readonly commentsPage: Query;
  /** As many files as the host lists of one pull request at most. */
  readonly maxFiles: number;
  /** Whether a comment says that its author is a machine. */
  readonly tellsMachines: boolean;
  readonly permissions: Readonly<Record<string, Permission>>;
  /** Undefined for one whose head is not there any more. */
  decodePullRequest(pull: Fields): PullRequest | undefined;
  decodeComment(comment: Fields): FoundComment;
  decodeUser(user: Fields): HostUser;
  /** None for what is listed as a review and is none. */
  decodeReview(review: Fields): readonly Review[];
}

export function openGitHubLike({ client, project, account, close }: HostParts, dialect: Dialect): GitHost {
  const { kind, newest, page, decodePullRequest } = dialect;
  const repository = `/repos/${project}`;

  return {
    kind,
    limits: HOST_LIMITS[kind],
    account,

    openPullRequests({ sinceMs, signal }) {
      const query = { state: 'open', ...newest, ...page };
      return newestFirst(client.pages(`${repository}/pulls`, query, { signal }), sinceMs, decodePullRequest);
    },

    async pullRequest(number, { signal }) {
      return withHead(decodePullRequest(await client.get(`${repository}/pulls/${number}`, { signal })), number);
    },

    async createPullRequest({ title, body, branch, base }, { signal }) {
      const pull = await client.send('POST', `${repository}/pulls`, { title, body, head: branch, base }, { signal });
      return { number: pull.at('number').integer, url: pull.at('html_url').text };
    },

    async changedFiles(number, { signal }) {
      return readFiles(client.pages(`${repository}/pulls/${number}/files`, page, { signal }), dialect.maxFiles);
    },

    async comments(number, { signal }) {
      const comments = await client.list(`${repository}/issues/${number}/comments`, dialect.commentsPage, { signal });
      return comments.map((comment) =>
        pullComment({
          id: comment.at('id'),
          user: dialect.decodeUser(comment.at('user')),
          body: comment.at('body'),
          created: comment.at('created_at'),
          updated: comment.at('updated_at'),
        }),
      );
    },

    async setStatus(status, { signal }) {
      await client.send('POST', `${repository}/statuses/${status.commit}`, statusBody(status), { signal });
    },

    async upsertSticky(comment, { signal }) {
      const comments = `${repository}/issues/${comment.number}/comments`;
      return upsertSticky(comment, {
        list: async () => (await client.list(comments, dialect.commentsPage, { signal })).map(dialect.decodeComment),
        me: () => account({ signal }),
        tellsMachines: dialect.tellsMachines,
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
      return dialect.permissions[answer?.at('permission').maybeText ?? ''] ?? 'none';
    },

    async reviews(number, { signal }) {
      const reviews = await client.list(`${repository}/pulls/${number}/reviews`, page, { signal });
      return standingApprovals(reviews.flatMap((review) => dialect.decodeReview(review)));
    },

    [Symbol.asyncDispose]: close,
  };
}

/** @param max as many files as the host lists at most */
async function readFiles(
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

function statusBody({ context, state, description, url }: CommitStatus): object {
  return {
    state,
    context,
    description: statusDescription(description),
    ...(url === undefined ? {} : { target_url: url }),
  };
}
