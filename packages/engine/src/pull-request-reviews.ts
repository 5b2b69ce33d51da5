import type { Clock, GivenApproval, TargetKey } from '@plumb/core';
import { includesPermission, type GitHost, type HostUser } from '@plumb/hosts';
import type { NamespacedName, TargetSpec } from './targets.ts';

export interface PullRequestReviewsOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** What people have approved of a target is something else now. */
  approvalsChanged(target: TargetKey): void;
}

/** A pull request of a repository. */
export interface PullRequestName {
  readonly repository: NamespacedName;
  readonly number: number;
}

export interface Closed extends PullRequestName {
  readonly host: Pick<GitHost, 'kind' | 'pullRequest' | 'reviews' | 'permissionOf'>;
  /** The name of the host: `github.com`. */
  readonly hostName: string;
  /** The targets of the repository. */
  readonly targets: readonly TargetSpec[];
  readonly signal: AbortSignal;
}

interface Shown {
  readonly head: string;
  /** By target: the digest that stands in the comment, and since when, in epoch milliseconds. */
  readonly plans: ReadonlyMap<TargetKey, { readonly digest: string; readonly sinceMs: number }>;
}

/** Approvals that are kept of one target, the newest. What is older was approved for a plan that is long over. */
const MAX_KEPT = 20;

/**
 * Reviews of pull requests as approvals of the plans that stood there: of the newest commit, given by somebody who may write
 * after the plan was shown, and once it is merged. They are remembered in this process alone: after a restart a release
 * waits for an Approval.
 */
export class PullRequestReviews {
  readonly #options: PullRequestReviewsOptions;
  readonly #shown = new Map<string, Shown>();
  readonly #given = new Map<TargetKey, readonly GivenApproval[]>();

  constructor(options: PullRequestReviewsOptions) {
    this.#options = options;
  }

  approvalsOf(target: TargetKey): readonly GivenApproval[] {
    return this.#given.get(target) ?? [];
  }

  /** These plans of this commit are what people read from now on. A plan that stood there already keeps its time. */
  shown(pull: PullRequestName, head: string, digests: ReadonlyMap<TargetKey, string>): void {
    const key = keyOf(pull);
    const before = this.#shown.get(key);
    const now = this.#options.clock.now();
    const plans = [...digests].map(([target, digest]) => {
      const known = before?.head === head ? before.plans.get(target) : undefined;
      return [target, known?.digest === digest ? known : { digest, sinceMs: now }] as const;
    });
    this.#shown.set(key, { head, plans: new Map(plans) });
  }

  /** It is not open any more. Asks the host only where a gate counts reviews; what the host throws is thrown. */
  async closed(pull: Closed): Promise<void> {
    const key = keyOf(pull);
    const shown = this.#shown.get(key);
    const asking = pull.targets.filter(
      ({ target, approvals }) => approvals?.fromReviews === true && shown?.plans.has(target) === true,
    );
    const given = shown === undefined || asking.length === 0 ? [] : await approvalsIn(pull, shown, asking);
    this.#shown.delete(key);
    const changed = new Set<TargetKey>();
    for (const { target, approval } of given) {
      this.#given.set(target, [...this.approvalsOf(target), approval].slice(-MAX_KEPT));
      changed.add(target);
    }
    for (const target of changed) this.#options.approvalsChanged(target);
  }
}

interface OfTarget {
  readonly target: TargetKey;
  readonly approval: GivenApproval;
}

async function approvalsIn(
  { host, hostName, number, signal }: Closed,
  { head, plans }: Shown,
  asking: readonly TargetSpec[],
): Promise<readonly OfTarget[]> {
  const { state, head: merged, author } = await host.pullRequest(number, { signal });
  // What was pushed after the last plan has been seen by nobody.
  if (state !== 'merged' || merged !== head) return [];
  const found: OfTarget[] = [];
  for (const { user, commit, atMs } of await host.reviews(number, { signal })) {
    if (commit !== head || atMs === undefined) continue;
    const counting = asking.flatMap(({ target, approvals }) => {
      const plan = plans.get(target);
      const isAuthor = approvals?.notAuthor !== false && user.id === author.id;
      return plan === undefined || isAuthor || atMs < plan.sinceMs ? [] : { target, digest: plan.digest };
    });
    // Anybody may review what is public.
    if (counting.length === 0 || !includesPermission(await host.permissionOf(user, { signal }), 'write')) continue;
    const by = reviewerName(host.kind, hostName, user);
    found.push(
      ...counting.map(({ target, digest }): OfTarget => ({
        target,
        approval: { digest, by, groups: [], via: 'review' },
      })),
    );
  }
  return found;
}

/** `review:github.com/alice`; on Bitbucket, where names are no identity, the UUID in braces. */
export function reviewerName(kind: GitHost['kind'], hostName: string, { id, name }: HostUser): string {
  return `review:${hostName}/${kind === 'bitbucket' ? id : name}`.toLowerCase();
}

function keyOf({ repository, number }: PullRequestName): string {
  return `${repository} ${number}`;
}
