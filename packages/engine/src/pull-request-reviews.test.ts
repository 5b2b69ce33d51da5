import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeApplication } from '@plumb/api';
import type { TargetKey } from '@plumb/core';
import type { Approval, HostUser, Permission, PullRequest } from '@plumb/hosts';
import { PullRequestReviews, reviewerName, type Closed } from './pull-request-reviews.ts';
import { targetsOf, type TargetSpec } from './targets.ts';

const PULL = { repository: 'shop/shop', number: 7 } as const;
const HEAD = 'a'.repeat(40);
const SHOWN_AT = 1_000;
const TARGET = 'shop/web' as TargetKey;
const DIGESTS = new Map([[TARGET, '1c9e4b000000']]);

function user(name: string): HostUser {
  return { id: name, name };
}

function approval(name: string, more: Partial<Approval> = {}): Approval {
  return { user: user(name), commit: HEAD, atMs: SHOWN_AT, ...more };
}

function spec(approvals: object | null): TargetSpec {
  const decoded = decodeApplication({
    apiVersion: 'plumb.dev/v1alpha1',
    kind: 'Application',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { source: { repository: 'shop' }, ...(approvals === null ? {} : { gates: { approvals } }) },
  });
  assert.ok(decoded.ok);
  const [target] = targetsOf(decoded.value);
  assert.ok(target !== undefined);
  return target;
}

interface Given {
  readonly reviews?: readonly Approval[];
  readonly pull?: Partial<PullRequest>;
  /** Null: the application has none. */
  readonly gate?: object | null;
}

async function closedWith(
  { reviews = [approval('Bob')], pull = {}, gate = { fromReviews: true } }: Given,
  before?: (reviews: PullRequestReviews, wait: (ms: number) => void) => void,
): Promise<{ readonly by: readonly string[]; readonly asked: number; readonly changed: readonly string[] }> {
  let now = SHOWN_AT;
  const changed: string[] = [];
  const known = new PullRequestReviews({
    clock: { now: () => now },
    approvalsChanged: (target) => changed.push(target),
  });
  let asked = 0;
  const host: Closed['host'] = {
    kind: 'github',
    pullRequest: async () => {
      asked += 1;
      return { state: 'merged', head: HEAD, author: user('alice'), ...pull } as PullRequest;
    },
    reviews: async () => reviews,
    permissionOf: async ({ id }): Promise<Permission> => (id === 'stranger' ? 'read' : 'write'),
  };
  known.shown(PULL, HEAD, DIGESTS);
  before?.(known, (ms) => (now += ms));
  const { signal } = new AbortController();
  await known.closed({ ...PULL, host, hostName: 'github.com', targets: [spec(gate)], signal });
  return { by: known.approvalsOf(TARGET).map(({ by, digest, via }) => `${by} ${digest} ${via}`), asked, changed };
}

const BOB = 'review:github.com/bob 1c9e4b000000 review';

test('a review of the newest commit, given after the plan was shown, approves that plan once it is merged', async () => {
  const { by, changed } = await closedWith({});

  assert.deepEqual([by, changed], [[BOB], [TARGET]]);
});

test('reviews count for nothing of another commit, of no time, before the plan, of strangers and of the author', async () => {
  const reviews = [
    approval('one', { commit: 'b'.repeat(40) }),
    approval('two', { commit: undefined }),
    approval('three', { atMs: undefined }),
    approval('four', { atMs: SHOWN_AT - 1 }),
    approval('stranger'),
    approval('alice'),
  ];

  assert.deepEqual((await closedWith({ reviews })).by, []);
  const own = await closedWith({ reviews, gate: { fromReviews: true, notAuthor: false } });
  assert.deepEqual(own.by, ['review:github.com/alice 1c9e4b000000 review']);
});

test('what was not merged, or got another commit after its last plan, approves nothing', async () => {
  assert.deepEqual((await closedWith({ pull: { state: 'closed' } })).by, []);
  assert.deepEqual((await closedWith({ pull: { head: 'b'.repeat(40) } })).by, []);
});

test('where no gate counts reviews the host is not asked', async () => {
  assert.equal((await closedWith({ gate: {} })).asked, 0);
  assert.equal((await closedWith({ gate: null })).asked, 0);
});

test('a plan that has become another one has been seen by nobody who approved before', async () => {
  const other = new Map([[TARGET, 'ffffffffffff']]);

  const moved = await closedWith({}, (known, wait) => {
    wait(10);
    known.shown(PULL, HEAD, other);
  });
  const same = await closedWith({}, (known, wait) => {
    wait(10);
    known.shown(PULL, HEAD, DIGESTS);
  });

  assert.deepEqual([moved.by, same.by], [[], [BOB]]);
});

test('a reviewer is named by host and login, or by what cannot be chosen', () => {
  const carol = { id: '{0000-1}', name: 'Carol' };

  assert.equal(reviewerName('gitea', 'Git.Example', carol), 'review:git.example/carol');
  assert.equal(reviewerName('bitbucket', 'bitbucket.org', carol), 'review:bitbucket.org/{0000-1}');
});
