import type { Approval } from './host.ts';

export interface Review extends Approval {
  /** `other` neither approves nor takes an approval back: a remark, or a request to look. */
  readonly verdict: 'approved' | 'refused' | 'other';
}

/** Of each user the last verdict counts. The reviews come in the order in which they were given. */
export function standingApprovals(reviews: readonly Review[]): readonly Approval[] {
  const last = new Map<string, Review>();
  for (const review of reviews) {
    if (review.verdict !== 'other') last.set(review.user.id, review);
  }
  return [...last.values()]
    .filter(({ verdict }) => verdict === 'approved')
    .map(({ user, commit, atMs }) => ({ user, commit, atMs }));
}

export interface Push {
  readonly commit: string;
  readonly atMs: number;
}

/** The commit that was the newest at this time: for hosts that tell when somebody approved, and not what. */
export function commitAt(pushes: readonly Push[], atMs: number | undefined): string | undefined {
  if (atMs === undefined) return undefined;
  const before = pushes.filter((push) => push.atMs <= atMs);
  return before.toSorted((left, right) => right.atMs - left.atMs)[0]?.commit;
}
