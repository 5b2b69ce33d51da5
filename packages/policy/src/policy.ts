import type { CelExpression } from '@plumb/cel';
import type { FieldPath, Where } from '@plumb/core';

/** What one evaluation of a policy looks at. The field is not called `on`: Kubernetes reads a bare `on` as true. */
export const POLICY_SUBJECTS = ['object', 'pod', 'container', 'item', 'plan'] as const;
export type PolicySubject = (typeof POLICY_SUBJECTS)[number];

export const POLICY_ACTIONS = ['warn', 'deny', 'off'] as const;
export type PolicyAction = (typeof POLICY_ACTIONS)[number];

/** What a policy is about; everything where a list is not given. Texts may hold `*` for any characters. */
export interface PolicyMatch {
  /** `Deployment` of any group, or `Deployment.apps`. */
  readonly kinds?: readonly string[];
  /** API groups; the empty text is the core group. */
  readonly groups?: readonly string[];
  /** Namespaces of the objects. */
  readonly namespaces?: readonly string[];
  /** Without an environment, a policy that names some is about nothing. */
  readonly environments?: readonly string[];
}

/** A rule that was read and checked. */
export interface Policy {
  readonly name: string;
  /** What it is for, in a sentence. */
  readonly description: string;
  readonly subject: PolicySubject;
  /** The first whose environment matches counts; none is `off`. */
  readonly actions: readonly { readonly environment: string; readonly action: PolicyAction }[];
  readonly match: PolicyMatch;
  /** True is fine. */
  readonly expression: CelExpression<boolean>;
  readonly message: string;
  /** Wins over `message` where it can be worked out. */
  readonly messageExpression?: CelExpression<string>;
  /** The next step. */
  readonly fix: string;
  /** Where in the subject the finding points; empty for all of it. */
  readonly field: FieldPath;
  /** Where it is written; undefined for the starter set. */
  readonly where: Where | undefined;
}
