import type { ObjectRef, Origin, Where } from '@plumb/core';

/** One thing that `plumb validate` has to say. */
export interface Finding {
  /** `schema/unknown-field`, `policy/no-latest-tag`, `render/TemplateError`. */
  readonly rule: string;
  /** Errors and denials make the answer no. */
  readonly severity: 'error' | 'deny' | 'warning';
  readonly message: string;
  readonly fix: string;
  /** The line of the field, as far as it is known; otherwise that of the object. */
  readonly where: Where | undefined;
  /** Its place in `objects`; undefined where it is about none of them. */
  readonly index: number | undefined;
  /** As people read it: `spec.replicas`; empty where it is about all of the object. */
  readonly field: string;
}

/** What a rule is for. */
export interface RuleFacts {
  readonly id: string;
  readonly description: string;
  readonly help: string;
}

export interface ValidationReport {
  /** The folder in the repository. */
  readonly path: string;
  readonly environment: string | undefined;
  readonly objects: readonly { readonly ref: ObjectRef; readonly origin: Origin }[];
  /** By file, line, rule and object. */
  readonly findings: readonly Finding[];
  /** Of each rule that a finding names, by id. */
  readonly rules: readonly RuleFacts[];
  /** How many policies held, or did not. */
  readonly policies: { readonly ok: number; readonly warn: number; readonly deny: number };
  /** Kinds whose fields were held against nothing, and how many objects of each there are. */
  readonly unknownKinds: readonly { readonly kind: string; readonly count: number }[];
}

export function isRefusal({ severity }: Finding): boolean {
  return severity !== 'warning';
}

/** `2 errors, 1 denial, 3 warnings`. */
export function countFindings(findings: readonly Finding[]): string {
  const parts = (['error', 'deny', 'warning'] as const).flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    const [one, many] = WORDS[severity];
    return count === 0 ? [] : [`${count} ${count === 1 ? one : many}`];
  });
  return parts.length === 0 ? 'nothing found' : parts.join(', ');
}

const WORDS = {
  error: ['error', 'errors'],
  deny: ['denial', 'denials'],
  warning: ['warning', 'warnings'],
} as const;
