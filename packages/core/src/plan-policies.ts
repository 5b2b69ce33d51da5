import { PlumbError, type Where } from './error.ts';
import { formatFieldPath, type FieldPath } from './field-path.ts';
import { shortName, type ObjectRef } from './key.ts';

/** What a policy says against a plan. */
export interface PolicyFinding {
  readonly policy: string;
  readonly severity: 'warn' | 'deny';
  /** Undefined where it is about the plan as a whole. */
  readonly ref: ObjectRef | undefined;
  /** The field that it is about; empty for the whole object. */
  readonly path: FieldPath;
  readonly message: string;
  readonly fix: string;
  /** Why the expression of the policy has no answer; undefined where it has one. */
  readonly fault?: string | undefined;
  /** The line of the repository that a person has to change, as far as that is known. */
  readonly where?: Where | undefined;
}

/** What the policies of an application say of a plan. */
export interface PlanPolicies {
  readonly results: readonly PolicyFinding[];
  /** How many policies held everywhere, and how many did not, by severity. */
  readonly counts: { readonly ok: number; readonly warn: number; readonly deny: number };
}

/** What keeps a plan from being released: an error for each denial. */
export function denialsOf({ results }: PlanPolicies): readonly PlumbError[] {
  return results.flatMap(({ severity, policy, ref, path, message, fix, where }) => {
    if (severity !== 'deny') return [];
    const subject = ref === undefined ? undefined : shortName(ref);
    const about = subject === undefined ? '' : `${subject}: `;
    return new PlumbError('PolicyDenied', `${about}${message} (denied by the policy ${policy})`, {
      fix,
      where,
      subject,
      ...(path.length === 0 ? {} : { field: formatFieldPath(path) }),
    });
  });
}
