import { PlumbError } from '@plumb/core';
import type { Fields } from './decode.ts';
import type { Approval, CommitStatus, GitHost, HostUser, Permission, PullRequest } from './host.ts';
import type { HostParts } from './host-parts.ts';
import { HOST_LIMITS } from './limits.ts';
import { newestFirst, withHead } from './newest-first.ts';
import { pullComment } from './pull-comment.ts';
import { commitAt, type Push } from './standing-approvals.ts';
import { shortKey, statusDescription } from './status-text.ts';
import { upsertSticky, type FoundComment } from './sticky-comment.ts';

const PAGE = { pagelen: 50 };
const OLDEST_COMMENTS_FIRST = { sort: 'created_on', pagelen: 100 };
const MAX_KEY_CHARS = 40;
/** Full ids of commits by repository and short id, so that a look at many pull requests asks for new commits only. */
const MAX_KNOWN_COMMITS = 1_000;

const STATES: Readonly<Record<CommitStatus['state'], string>> = {
  pending: 'INPROGRESS',
  success: 'SUCCESSFUL',
  failure: 'FAILED',
  error: 'FAILED',
};

const PERMISSIONS: Readonly<Record<string, Permission>> = { admin: 'admin', write: 'write', read: 'read' };
const UUID = /^\{[0-9a-f-]{36}\}$/i;

/** Bitbucket Cloud. It names commits by their first 12 digits, and has no ref for the head of a pull request. */
export function openBitbucket({ client, project, account, close }: HostParts): GitHost {
  const repository = `/repositories/${project}`;
  const [workspace = '', slug = ''] = project.split('/');
  const pull = (number: number): string => `${repository}/pullrequests/${number}`;
  const knownCommits = new Map<string, string>();

  return {
    kind: 'bitbucket',
    limits: HOST_LIMITS.bitbucket,
    account,

    openPullRequests({ sinceMs, signal }) {
      const query = { state: 'OPEN', sort: '-updated_on', ...PAGE };
      const pages = client.pages(`${repository}/pullrequests`, query, { signal });
      return newestFirst(pages, sinceMs, (item) => decodePullRequest(item, signal));
    },

    async pullRequest(number, { signal }) {
      return withHead(await decodePullRequest(await client.get(pull(number), { signal }), signal), number);
    },

    async createPullRequest({ title, body, branch, base }, { signal }) {
      const wanted = {
        title,
        description: body,
        source: { branch: { name: branch } },
        destination: { branch: { name: base } },
        close_source_branch: true,
      };
      const item = await client.send('POST', `${repository}/pullrequests`, wanted, { signal });
      return { number: item.at('id').integer, url: item.at('links').at('html').at('href').text };
    },

    async changedFiles(number, { signal }) {
      const paths = new Set<string>();
      let isLast = false;
      for await (const page of client.pages(`${pull(number)}/diffstat`, { pagelen: 500 }, { signal })) {
        for (const side of page.items.flatMap((file) => [file.at('new'), file.at('old')])) {
          if (side.isThere) paths.add(side.at('path').text);
        }
        isLast = page.isLast;
      }
      return { paths: [...paths], isComplete: isLast };
    },

    async comments(number, { signal }) {
      const comments = await client.list(`${pull(number)}/comments`, OLDEST_COMMENTS_FIRST, { signal });
      return comments
        .filter((comment) => !comment.at('deleted').isTrue)
        .map((comment) =>
          pullComment({
            id: comment.at('id'),
            user: decodeBitbucketUser(comment.at('user')),
            body: comment.at('content').at('raw'),
            created: comment.at('created_on'),
            updated: comment.at('updated_on'),
          }),
        );
    },

    async setStatus(status, { signal }) {
      const body = {
        key: shortKey(status.context, MAX_KEY_CHARS),
        name: status.context,
        state: STATES[status.state],
        description: statusDescription(status.description),
        // It has to lead somewhere.
        url: status.url ?? `https://bitbucket.org/${project}/commits/${status.commit}`,
      };
      await client.send('POST', `${repository}/commit/${status.commit}/statuses/build`, body, { signal });
    },

    async upsertSticky(comment, { signal }) {
      const comments = `${pull(comment.number)}/comments`;
      return upsertSticky(comment, {
        list: async () => {
          const items = await client.list(comments, OLDEST_COMMENTS_FIRST, { signal });
          return items.filter((item) => !item.at('deleted').isTrue).map(decodeComment);
        },
        me: () => account({ signal }),
        create: async (raw) => {
          const created = await client.send('POST', comments, { content: { raw } }, { signal });
          return String(created.at('id').integer);
        },
        update: async (id, raw) => {
          await client.send('PUT', `${comments}/${id}`, { content: { raw } }, { signal });
        },
      });
    },

    async reply(number, raw, { signal }) {
      await client.send('POST', `${pull(number)}/comments`, { content: { raw } }, { signal });
    },

    async acknowledge() {
      // The API has no reactions.
    },

    async permissionOf({ id }, { signal }) {
      if (!UUID.test(id)) return 'none';
      const path = `/workspaces/${workspace}/permissions/repositories/${slug}`;
      const rows = await client.list(path, { q: `user.uuid="${id}"`, pagelen: 100 }, { signal });
      // A filter that is not understood must not make somebody else's right theirs.
      const row = rows.find((candidate) => isSameId(candidate.at('user').at('uuid').maybeText, id));
      return PERMISSIONS[row?.at('permission').maybeText ?? ''] ?? 'none';
    },

    async reviews(number, { signal }) {
      const item = await client.get(pull(number), { signal });
      const participants = item.at('participants').items;
      const approving = participants.filter((participant) => participant.at('approved').isTrue);
      if (approving.length === 0) return [];
      const activity = await client.list(`${pull(number)}/activity`, PAGE, { signal });
      const approvals: Approval[] = [];
      for (const participant of approving) {
        const user = decodeBitbucketUser(participant.at('user'));
        const times = activity
          .map((entry) => entry.at('approval'))
          .filter((approval) => isSameId(approval.at('user').at('uuid').maybeText, user.id))
          .map((approval) => approval.at('date').timeMs);
        const atMs = times.length === 0 ? undefined : Math.max(...times);
        const short = commitAt(pushesOf(activity), atMs);
        approvals.push({
          user,
          atMs,
          commit: short === undefined ? undefined : await fullCommit(short, sourceOf(item), signal),
        });
      }
      return approvals;
    },

    [Symbol.asyncDispose]: close,
  };

  async function decodePullRequest(item: Fields, signal: AbortSignal): Promise<PullRequest | undefined> {
    const number = item.at('id').integer;
    const state = item.at('state').text;
    const source = item.at('source');
    const from = sourceOf(item);
    const isFromFork = from.toLowerCase() !== project.toLowerCase();
    const short = source.at('commit').at('hash').maybeText;
    const head = short === undefined ? undefined : await fullCommit(short, from, signal);
    if (head === undefined) return undefined;
    const branch = source.at('branch').at('name').text;
    return {
      number,
      title: item.at('title').text,
      state: state === 'OPEN' ? 'open' : state === 'MERGED' ? 'merged' : 'closed',
      isDraft: item.at('draft').isTrue,
      author: decodeBitbucketUser(item.at('author')),
      head,
      branch,
      headRef: isFromFork ? undefined : `refs/heads/${branch}`,
      isFromFork,
      base: item.at('destination').at('branch').at('name').text,
      updatedAtMs: item.at('updated_on').timeMs,
      activity: `${item.at('updated_on').text} ${head} ${item.at('comment_count').maybeInteger}`,
      url: item.at('links').at('html').at('href').text,
    };
  }

  /** A fork that was deleted is null; its commits are still known to the repository. */
  function sourceOf(item: Fields): string {
    return item.at('source').at('repository').at('full_name').maybeText ?? project;
  }

  /** Undefined where the repository does not have it, or may not be read: a fork can be private. */
  async function fullCommit(short: string, from: string, signal: AbortSignal): Promise<string | undefined> {
    // Whoever owns a fork chooses its commits, and could make one whose id begins like another.
    const key = `${from} ${short}`;
    const known = knownCommits.get(key);
    if (known !== undefined) return known;
    const path = from.split('/').map(encodeURIComponent).join('/');
    const commit = await findReadable(`/repositories/${path}/commit/${encodeURIComponent(short)}`, signal);
    if (commit === undefined) return undefined;
    const full = commit.at('hash').commit;
    if (knownCommits.size >= MAX_KNOWN_COMMITS) knownCommits.clear();
    knownCommits.set(key, full);
    return full;
  }

  async function findReadable(path: string, signal: AbortSignal): Promise<Fields | undefined> {
    try {
      return await client.find(path, { signal });
    } catch (thrown) {
      if (thrown instanceof PlumbError && thrown.code === 'HostUnauthorized') return undefined;
      throw thrown;
    }
  }
}

export function decodeBitbucketUser(user: Fields): HostUser {
  const id = user.at('uuid').maybeText ?? '';
  return { id, name: user.at('nickname').maybeText ?? user.at('display_name').maybeText ?? id };
}

function decodeComment(comment: Fields): FoundComment {
  return {
    id: String(comment.at('id').integer),
    body: comment.at('content').at('raw').maybeText ?? '',
    authorId: comment.at('user').at('uuid').maybeText,
  };
}

/** Every change of a pull request is an entry, with the commit that was its newest then. */
function pushesOf(activity: readonly Fields[]): readonly Push[] {
  return activity
    .map((entry) => entry.at('update'))
    .filter((update) => update.at('source').at('commit').at('hash').isThere)
    .map((update) => ({
      commit: update.at('source').at('commit').at('hash').text,
      atMs: update.at('date').timeMs,
    }));
}

function isSameId(left: string | undefined, right: string): boolean {
  return left !== undefined && left.toLowerCase() === right.toLowerCase();
}
