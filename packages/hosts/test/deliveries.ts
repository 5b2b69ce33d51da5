/** Deliveries in the shape that each host documents, cut down to what tells them apart. */
import type { HostKind } from '../src/index.ts';

export interface Delivery {
  readonly event: string;
  readonly body: object;
}

const HEAD = 'a'.repeat(40);

const GITHUB_PULL = {
  number: 7,
  title: 'Raise the pool size',
  draft: false,
  user: { login: 'alice', id: 2, type: 'User' },
  head: { ref: 'pool', sha: HEAD, repo: { full_name: 'acme/shop' } },
  base: { ref: 'main', sha: 'b'.repeat(40), repo: { full_name: 'acme/shop' } },
};
const GITHUB = { repository: { id: 1, full_name: 'acme/shop' }, sender: { login: 'alice', id: 2 } };

function github(event: string, action: string, more: object = { number: 7, pull_request: GITHUB_PULL }): Delivery {
  return { event, body: { action, ...more, ...GITHUB } };
}

const GITHUB_COMMENT = {
  issue: {
    number: 7,
    title: 'Raise the pool size',
    pull_request: { url: 'https://api.github.com/repos/acme/shop/pulls/7' },
  },
  comment: { id: 55, body: '/plumb plan', user: { login: 'bob', id: 3 } },
};

const GITEA_USER = { id: 2, login: 'alice', username: 'alice' };
const GITEA_PULL = {
  number: 7,
  user: GITEA_USER,
  head: { ref: 'pool', sha: HEAD, repo_id: 7 },
  base: { ref: 'main', sha: 'b'.repeat(40), repo_id: 7 },
};
const GITEA = { repository: { id: 7, full_name: 'acme/shop' }, sender: GITEA_USER };

function gitea(event: string, action: string, more: object = {}): Delivery {
  return { event, body: { action, number: 7, pull_request: GITEA_PULL, review: null, ...more, ...GITEA } };
}

const GITEA_COMMENT = {
  is_pull: true,
  issue: { number: 7, pull_request: { merged: false } },
  comment: { id: 55, body: '/plumb plan', user: { id: 3, login: 'bob', username: 'bob' } },
  pull_request: undefined,
};

const GITLAB_MERGE = { iid: 7, target_branch: 'main', source_branch: 'pool', last_commit: { id: HEAD } };
const GITLAB_PROJECT = { id: 7, path_with_namespace: 'acme/platform/shop' };

function gitlab(action: string): Delivery {
  return {
    event: 'Merge Request Hook',
    body: {
      object_kind: 'merge_request',
      user: { id: 2, username: 'alice', name: 'Alice' },
      project: GITLAB_PROJECT,
      object_attributes: { ...GITLAB_MERGE, id: 99, action, state: 'opened' },
    },
  };
}

function gitlabNote(attributes: object = {}): Delivery {
  return {
    event: 'Note Hook',
    body: {
      object_kind: 'note',
      user: { id: 3, username: 'bob', name: 'Bob' },
      project: GITLAB_PROJECT,
      object_attributes: {
        id: 55,
        note: '/plumb plan',
        noteable_type: 'MergeRequest',
        system: false,
        action: 'create',
        ...attributes,
      },
      merge_request: GITLAB_MERGE,
    },
  };
}

const ALICE_UUID = '{00000000-0000-4000-8000-000000000002}';
const BOB_UUID = '{00000000-0000-4000-8000-000000000003}';

function bitbucket(event: string, more: object = {}): Delivery {
  return {
    event,
    body: {
      actor: { uuid: ALICE_UUID, nickname: 'alice', display_name: 'Alice' },
      repository: { full_name: 'acme/shop' },
      pullrequest: {
        id: 7,
        source: { branch: { name: 'pool' }, commit: { hash: HEAD.slice(0, 12) } },
        destination: { branch: { name: 'main' }, commit: { hash: 'b'.repeat(12) } },
      },
      ...more,
    },
  };
}

/** By kind and by what it says; `nothing`: deliveries that are about no pull request, or about nothing new. */
export const DELIVERIES: Readonly<Record<HostKind, Readonly<Record<string, readonly Delivery[]>>>> = {
  github: {
    opened: [github('pull_request', 'opened'), github('pull_request', 'reopened')],
    updated: [
      github('pull_request', 'synchronize'),
      github('pull_request', 'edited'),
      github('pull_request', 'ready_for_review'),
    ],
    closed: [github('pull_request', 'closed')],
    review: [github('pull_request_review', 'submitted'), github('pull_request_review', 'dismissed')],
    comment: [github('issue_comment', 'created', GITHUB_COMMENT)],
    nothing: [
      github('issue_comment', 'edited', GITHUB_COMMENT),
      github('issue_comment', 'deleted', GITHUB_COMMENT),
      github('issue_comment', 'created', { ...GITHUB_COMMENT, issue: { number: 7, title: 'a bug' } }),
      github('pull_request', 'labeled'),
      github('pull_request_review', 'edited'),
      { event: 'ping', body: { zen: 'Keep it logically awesome.' } },
      { event: 'push', body: { ref: 'refs/heads/main' } },
    ],
  },
  gitea: {
    opened: [gitea('pull_request', 'opened'), gitea('pull_request', 'reopened')],
    updated: [
      gitea('pull_request', 'synchronized'),
      gitea('pull_request_sync', 'synchronized'),
      gitea('pull_request', 'edited'),
    ],
    closed: [gitea('pull_request', 'closed')],
    review: [
      gitea('pull_request_approved', 'reviewed', { review: { type: 'pull_request_review_approved', content: '' } }),
      gitea('pull_request_rejected', 'reviewed', { review: { type: 'pull_request_review_rejected', content: '' } }),
    ],
    comment: [
      gitea('issue_comment', 'created', GITEA_COMMENT),
      gitea('pull_request_comment', 'created', GITEA_COMMENT),
    ],
    nothing: [
      gitea('issue_comment', 'edited', GITEA_COMMENT),
      gitea('issue_comment', 'created', { ...GITEA_COMMENT, is_pull: false, issue: { number: 7, pull_request: null } }),
      gitea('pull_request', 'label_updated'),
      { event: 'push', body: { ref: 'refs/heads/main' } },
    ],
  },
  gitlab: {
    opened: [gitlab('open'), gitlab('reopen')],
    updated: [gitlab('update')],
    closed: [gitlab('close'), gitlab('merge')],
    review: [gitlab('approved'), gitlab('unapproved'), gitlab('approval')],
    // Older versions name no action.
    comment: [gitlabNote(), gitlabNote({ action: undefined })],
    nothing: [
      gitlabNote({ noteable_type: 'Issue' }),
      gitlabNote({ noteable_type: 'Commit' }),
      gitlabNote({ system: true }),
      gitlabNote({ action: 'update' }),
      gitlab('something new'),
      { event: 'Push Hook', body: { ref: 'refs/heads/main' } },
    ],
  },
  bitbucket: {
    opened: [bitbucket('pullrequest:created')],
    updated: [bitbucket('pullrequest:updated')],
    closed: [bitbucket('pullrequest:fulfilled'), bitbucket('pullrequest:rejected')],
    review: [
      bitbucket('pullrequest:approved', { approval: { date: '2026-11-01T12:00:00Z' } }),
      bitbucket('pullrequest:unapproved'),
      bitbucket('pullrequest:changes_request_created'),
    ],
    comment: [
      bitbucket('pullrequest:comment_created', {
        actor: { uuid: BOB_UUID, nickname: 'bob', display_name: 'Bob' },
        comment: { id: 55, content: { raw: '/plumb plan', html: '<p>/plumb plan</p>' } },
      }),
    ],
    nothing: [
      bitbucket('pullrequest:comment_updated', { comment: { id: 55, content: { raw: '/plumb plan' } } }),
      bitbucket('pullrequest:comment_deleted'),
      bitbucket('issue:comment_created'),
      { event: 'repo:push', body: { push: {} } },
    ],
  },
};
