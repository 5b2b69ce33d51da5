import { PlumbError } from '@plumb/core';
import type { Fields } from './decode.ts';
import type { Approval, CommitStatus, GitHost, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import { HOST_LIMITS } from './limits.ts';
import { newestFirst, withHead } from './newest-first.ts';
import { pullComment } from './pull-comment.ts';
import { commitAt } from './standing-approvals.ts';
import { statusDescription } from './status-text.ts';
import { upsertSticky, type FoundComment } from './sticky-comment.ts';

const PAGE = { per_page: 100 };
const OLDEST_NOTES_FIRST = { sort: 'asc', order_by: 'created_at', ...PAGE };

const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'pending',
  success: 'success',
  failure: 'failed',
  error: 'failed',
};

/** https://docs.gitlab.com/api/access_requests/#valid-access-levels, the highest first. */
const LEVELS: readonly (readonly [level: number, permission: Permission])[] = [
  [40, 'admin'],
  [30, 'write'],
  [10, 'read'],
];

/** GitLab, version 15.7 or later. A pull request is a merge request there. */
export function openGitLab({ client, project, account, close }: HostParts): GitHost {
  const repository = `/projects/${encodeURIComponent(project)}`;
  const mergeRequest = (number: number): string => `${repository}/merge_requests/${number}`;

  return {
    kind: 'gitlab',
    limits: HOST_LIMITS.gitlab,
    account,

    openPullRequests({ sinceMs, signal }) {
      const query = { state: 'opened', order_by: 'updated_at', sort: 'desc', ...PAGE };
      return newestFirst(client.pages(`${repository}/merge_requests`, query, { signal }), sinceMs, decodePullRequest);
    },

    async pullRequest(number, { signal }) {
      return withHead(decodePullRequest(await client.get(mergeRequest(number), { signal })), number);
    },

    async createPullRequest({ title, body, branch, base }, { signal }) {
      const wanted = {
        title,
        description: body,
        source_branch: branch,
        target_branch: base,
        remove_source_branch: true,
      };
      const merge = await client.send('POST', `${repository}/merge_requests`, wanted, { signal });
      return { number: merge.at('iid').integer, url: merge.at('web_url').text };
    },

    async changedFiles(number, { signal }) {
      const paths = new Set<string>();
      let isLast = false;
      for await (const page of client.pages(`${mergeRequest(number)}/diffs`, PAGE, { signal })) {
        for (const file of page.items) {
          paths.add(file.at('new_path').text);
          paths.add(file.at('old_path').text);
        }
        isLast = page.isLast;
      }
      // `1000+` where there are more than the host looks at.
      const { maybeText: count } = (await client.get(mergeRequest(number), { signal })).at('changes_count');
      return { paths: [...paths], isComplete: isLast && count?.endsWith('+') !== true };
    },

    async comments(number, { signal }) {
      const notes = await client.list(`${mergeRequest(number)}/notes`, OLDEST_NOTES_FIRST, { signal });
      return notes
        .filter((note) => !note.at('system').isTrue)
        .map((note) =>
          pullComment({
            id: note.at('id'),
            user: decodeGitLabUser(note.at('author')),
            body: note.at('body'),
            created: note.at('created_at'),
            updated: note.at('updated_at'),
          }),
        );
    },

    async setStatus(status, { signal }) {
      const body = {
        state: STATES[status.state],
        name: status.context,
        description: statusDescription(status.description),
        ...(status.url === undefined ? {} : { target_url: status.url }),
        // Otherwise it may become part of a pipeline that the merge request does not show.
        ...(status.branch === undefined ? {} : { ref: status.branch }),
      };
      try {
        await client.send('POST', `${repository}/statuses/${status.commit}`, body, { signal });
      } catch (thrown) {
        // Up to version 18 a status that is pending cannot be made pending once more.
        const isPendingAlready = status.state === 'pending' && isRefusal(thrown);
        if (!isPendingAlready || !(await hasPending(status, signal))) throw thrown;
      }
    },

    async upsertSticky(comment, { signal }) {
      const notes = `${mergeRequest(comment.number)}/notes`;
      return upsertSticky(comment, {
        list: async () => (await client.list(notes, OLDEST_NOTES_FIRST, { signal })).map(decodeNote),
        me: () => account({ signal }),
        create: async (body) => String((await client.send('POST', notes, { body }, { signal })).at('id').integer),
        update: async (id, body) => {
          await client.send('PUT', `${notes}/${id}`, { body }, { signal });
        },
      });
    },

    async reply(number, body, { signal }) {
      await client.send('POST', `${mergeRequest(number)}/notes`, { body }, { signal });
    },

    async acknowledge(number, commentId, { signal }) {
      const path = `${mergeRequest(number)}/notes/${encodeURIComponent(commentId)}/award_emoji`;
      try {
        await client.send('POST', path, { name: 'eyes' }, { signal });
      } catch (thrown) {
        // It says so with a refusal where the same was given before.
        if (!isRefusal(thrown)) throw thrown;
      }
    },

    async permissionOf({ id }, { signal }) {
      // The name of a user would not do: names change hands.
      if (!/^\d{1,15}$/.test(id)) return 'none';
      const member = await client.find(`${repository}/members/all/${id}`, { signal });
      return member === undefined ? 'none' : decodePermission(member);
    },

    async reviews(number, { signal }) {
      const approvals = (await client.get(`${mergeRequest(number)}/approvals`, { signal })).at('approved_by').items;
      const dated = approvals.some((approval) => approval.at('approved_at').isThere);
      const versions = dated ? await client.list(`${mergeRequest(number)}/versions`, PAGE, { signal }) : [];
      const pushes = versions.map((version) => ({
        commit: version.at('head_commit_sha').commit,
        atMs: version.at('created_at').timeMs,
      }));
      return approvals.map((approval): Approval => {
        const atMs = approval.at('approved_at').maybeTimeMs;
        return { user: decodeGitLabUser(approval.at('user')), commit: commitAt(pushes, atMs), atMs };
      });
    },

    [Symbol.asyncDispose]: close,
  };

  async function hasPending({ commit, context }: CommitStatus, signal: AbortSignal): Promise<boolean> {
    const path = `${repository}/repository/commits/${commit}/statuses`;
    const statuses = await client.list(path, { name: context, ...PAGE }, { signal });
    return statuses.some((one) => one.at('name').maybeText === context && one.at('status').maybeText === 'pending');
  }
}

export function decodeGitLabUser(user: Fields): HostUser {
  return { id: String(user.at('id').integer), name: user.at('username').text };
}

function decodePullRequest(merge: Fields): PullRequest | undefined {
  const number = merge.at('iid').integer;
  const head = merge.at('sha').maybeCommit;
  if (head === undefined) return undefined;
  const state = merge.at('state').text;
  return {
    number,
    title: merge.at('title').text,
    // `locked` is one that is being merged.
    state: state === 'opened' || state === 'locked' ? 'open' : state === 'merged' ? 'merged' : 'closed',
    isDraft: merge.at('draft').isTrue,
    author: decodeGitLabUser(merge.at('author')),
    head,
    branch: merge.at('source_branch').text,
    headRef: `refs/merge-requests/${number}/head`,
    isFromFork: merge.at('source_project_id').maybeInteger !== merge.at('target_project_id').integer,
    base: merge.at('target_branch').text,
    updatedAtMs: merge.at('updated_at').timeMs,
    activity: `${merge.at('updated_at').text} ${head} ${merge.at('user_notes_count').maybeInteger}`,
    url: merge.at('web_url').text,
  };
}

function decodeNote(note: Fields): FoundComment {
  return {
    id: String(note.at('id').integer),
    body: note.at('body').maybeText ?? '',
    authorId: String(note.at('author').at('id').integer),
  };
}

/** A member whose account is blocked, or who still waits to be let in, may do nothing. */
function decodePermission(member: Fields): Permission {
  const states = [member.at('state').maybeText, member.at('membership_state').maybeText];
  if (states.some((state) => state !== undefined && state !== 'active')) return 'none';
  const level = member.at('access_level').integer;
  return LEVELS.find(([atLeast]) => level >= atLeast)?.[1] ?? 'none';
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof PlumbError && thrown.code === 'HostRefused';
}
