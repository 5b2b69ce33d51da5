/** A denial by a ValidatingAdmissionPolicy of the cluster, as its API server words it. */
export interface AdmissionDenial {
  readonly policy: string;
  readonly binding: string;
  /** What the policy says; the expression where it says nothing else. */
  readonly message: string;
}

/** For people: the policy, its binding and what it says. */
export function formatAdmissionDenial({ policy, binding, message }: AdmissionDenial): string {
  return `denied by the ValidatingAdmissionPolicy ${policy} (binding ${binding}): ${message}`;
}

const DENIAL = /ValidatingAdmissionPolicy '([^']+)' with binding '([^']+)' denied request: ([^]*)$/;

/**
 * What a ValidatingAdmissionPolicy said, read from the message of the API server to a dry-run (`AdmissionDenied`), so that a
 * plan can show it as the denial of a policy; undefined for any other message.
 */
export function readAdmissionDenial(message: string): AdmissionDenial | undefined {
  const match = DENIAL.exec(message);
  if (match === null) return undefined;
  const [, policy = '', binding = '', said = ''] = match;
  return { policy, binding, message: said.trim() };
}
