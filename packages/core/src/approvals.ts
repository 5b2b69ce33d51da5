/** Who has to have approved the plan of a release before it begins. */
export interface ApprovalRule {
  /** How many people. */
  readonly required: number;
  /** `user:NAME`, `group:NAME` or `review:HOST/LOGIN`; anybody who may approve, where empty. */
  readonly from: readonly string[];
  /** Whether the author of the commit counts as nobody. */
  readonly notAuthor: boolean;
  /** Whether reviews of pull requests count. */
  readonly fromReviews: boolean;
}

/** What one person approved. That it is this person is vouched for by the API server, or by a Git host. */
export interface GivenApproval {
  readonly digest: string;
  /** A user of the cluster; of a review `review:HOST/LOGIN`. */
  readonly by: string;
  readonly groups: readonly string[];
  readonly via?: 'review';
}

/** What was approved, and of whose commit. */
export interface Approvals {
  readonly approvals: readonly GivenApproval[];
  /** Name and mail address of who wrote the commit. */
  readonly author: readonly string[];
}

/**
 * How many people have approved a plan, of those who count. Nobody knows which user of the cluster is which of a Git host, so
 * the two are not added: else one person would be two.
 */
export function countApprovals(rule: ApprovalRule, given: Approvals & { readonly digest: string }): number {
  const counted = countedApprovals(rule, given).filter((approval) => approval.digest === given.digest);
  const reviews = counted.filter(({ via }) => via === 'review').length;
  return Math.max(reviews, counted.length - reviews);
}

/** One for each person and plan, of those who may. */
export function countedApprovals(
  { from, notAuthor, fromReviews }: ApprovalRule,
  { approvals, author }: Approvals,
): readonly GivenApproval[] {
  const counted = new Map<string, GivenApproval>();
  for (const approval of approvals) {
    const { by, groups, digest, via } = approval;
    const isReview = via === 'review';
    if (isReview && !fromReviews) continue;
    const names = isReview ? [by] : [`user:${by}`, ...groups.map((group) => `group:${group}`)];
    if (from.length > 0 && !from.some((name) => names.includes(isReview ? name.toLowerCase() : name))) continue;
    if (notAuthor && author.includes(by)) continue;
    counted.set(`${digest} ${via ?? ''} ${by}`, approval);
  }
  return [...counted.values()];
}

/**
 * Who has to approve what cannot be taken back: who the gate asks for, at least one person; without a gate anybody who may
 * create an Approval, except the author.
 */
export function consentRule(rule: ApprovalRule | undefined): ApprovalRule {
  return rule === undefined
    ? { required: 1, from: [], notAuthor: true, fromReviews: false }
    : { ...rule, required: Math.max(1, rule.required) };
}
