/** Who has to have approved the plan of a release before it begins. */
export interface ApprovalRule {
  /** How many people. */
  readonly required: number;
  /** `user:NAME` or `group:NAME`; anybody who may create an Approval, where empty. */
  readonly from: readonly string[];
  /** Whether the author of the commit counts as nobody. */
  readonly notAuthor: boolean;
}

/** What one person approved. That it is this person is vouched for by the API server. */
export interface GivenApproval {
  readonly digest: string;
  readonly by: string;
  readonly groups: readonly string[];
}

/** What was approved, and of whose commit. */
export interface Approvals {
  readonly approvals: readonly GivenApproval[];
  /** Name and mail address of who wrote the commit. */
  readonly author: readonly string[];
}

/** How many people have approved a plan, of those who count. */
export function countApprovals(rule: ApprovalRule, given: Approvals & { readonly digest: string }): number {
  return countedApprovals(rule, given).filter((approval) => approval.digest === given.digest).length;
}

/** One for each person and plan, of those who may. */
export function countedApprovals(
  { from, notAuthor }: ApprovalRule,
  { approvals, author }: Approvals,
): readonly GivenApproval[] {
  const counted = new Map<string, GivenApproval>();
  for (const approval of approvals) {
    const { by, groups, digest } = approval;
    const names = [`user:${by}`, ...groups.map((group) => `group:${group}`)];
    if (from.length > 0 && !from.some((name) => names.includes(name))) continue;
    if (notAuthor && author.includes(by)) continue;
    counted.set(`${digest} ${by}`, approval);
  }
  return [...counted.values()];
}

/**
 * Who has to approve what cannot be taken back: who the gate asks for, at least one person; without a gate anybody who may
 * create an Approval, except the author.
 */
export function consentRule(rule: ApprovalRule | undefined): ApprovalRule {
  return rule === undefined
    ? { required: 1, from: [], notAuthor: true }
    : { ...rule, required: Math.max(1, rule.required) };
}
