import type * as z from 'zod';
import { fail, isJsonObject, ok, PlumbError, type JsonObject, type KubeObject, type Result } from '@plumb/core';
import { applicationSpecSchema, applicationStatusSchema } from './application.ts';
import { approvalSpecSchema, approvalStatusSchema } from './approval.ts';
import { holdSpecSchema, holdStatusSchema } from './drift.ts';
import type { Application, Approval, Hold, NamespacedMeta, Repository } from './kinds.ts';
import { API_VERSION, APPLICATION, APPROVAL, HOLD, REPOSITORY } from './names.ts';
import { repositorySpecSchema, repositoryStatusSchema } from './repository.ts';

/**
 * An object from the cluster or from a working copy as a Repository, with every default filled in. A namespace that is
 * missing reads as `default`. Error: `SpecInvalid` with the path of the first wrong field; it concerns this object alone.
 */
export function decodeRepository(object: unknown): Result<Repository, PlumbError> {
  return decode(REPOSITORY.kind, repositorySpecSchema, repositoryStatusSchema, object);
}

/** As `decodeRepository`, for an Application. */
export function decodeApplication(object: unknown): Result<Application, PlumbError> {
  return decode(APPLICATION.kind, applicationSpecSchema, applicationStatusSchema, object);
}

/** As `decodeRepository`, for an Approval. */
export function decodeApproval(object: unknown): Result<Approval, PlumbError> {
  return decode(APPROVAL.kind, approvalSpecSchema, approvalStatusSchema, object);
}

/** As `decodeRepository`, for a Hold. */
export function decodeHold(object: unknown): Result<Hold, PlumbError> {
  return decode(HOLD.kind, holdSpecSchema, holdStatusSchema, object);
}

interface Decoded<Spec, Status> extends KubeObject {
  readonly metadata: NamespacedMeta;
  readonly spec: Spec;
  readonly status?: Status;
}

function decode<Spec, Status>(
  kind: string,
  specSchema: z.ZodType<Spec>,
  statusSchema: z.ZodType<Status>,
  object: unknown,
): Result<Decoded<Spec, Status>, PlumbError> {
  if (!isJsonObject(object)) return fail(new PlumbError('SpecInvalid', `A ${kind} must be a mapping`));
  const metadata = decodeMetadata(object['metadata']);
  if (metadata === undefined) {
    return fail(new PlumbError('SpecInvalid', `A ${kind} must have metadata with a name`, { field: 'metadata.name' }));
  }
  const subject = `${kind}/${metadata.name} in ${metadata.namespace}`;
  for (const [field, expected] of [
    ['apiVersion', API_VERSION],
    ['kind', kind],
  ] as const) {
    if (object[field] !== expected) {
      return fail(new PlumbError('SpecInvalid', `${subject}: ${field} must be ${expected}`, { subject, field }));
    }
  }
  const spec = specSchema.safeParse(object['spec'] ?? {});
  if (!spec.success) return fail(specInvalid(subject, object, spec.error.issues));
  // Status is only Plumb's own memory: one that cannot be read (another version wrote it) is written anew.
  const status = statusSchema.safeParse(object['status']);
  const decoded = { apiVersion: API_VERSION, kind, metadata, spec: spec.data };
  return ok(status.success ? { ...decoded, status: status.data } : decoded);
}

function decodeMetadata(metadata: unknown): NamespacedMeta | undefined {
  if (!isJsonObject(metadata)) return undefined;
  const { name, namespace = 'default' } = metadata;
  if (typeof name !== 'string' || name === '' || typeof namespace !== 'string' || namespace === '') return undefined;
  return { ...metadata, name, namespace };
}

function specInvalid(subject: string, object: JsonObject, issues: readonly z.core.$ZodIssue[]): PlumbError {
  const [first, ...others] = issues;
  if (first === undefined) return new PlumbError('SpecInvalid', `${subject}: spec is invalid`, { subject });
  const path = first.code === 'unrecognized_keys' ? [...first.path, first.keys[0] ?? ''] : first.path;
  const field = formatPath(path);
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new PlumbError('SpecInvalid', `${subject}: ${field} ${complaint(first, object, path)}${more}`, {
    subject,
    field,
  });
}

/** What is wrong, as the end of a sentence that starts with the field. Says types and bounds, never values. */
function complaint(issue: z.core.$ZodIssue, object: JsonObject, path: readonly PropertyKey[]): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return 'is not a field of this kind';
    case 'invalid_type':
      return isAbsent(object, path) ? 'must be set' : `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string')
        return issue.minimum === 1 ? 'must not be empty' : `must have at least ${issue.minimum} characters`;
      return `must be at least ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'string') return `must have at most ${issue.maximum} characters`;
      if (issue.origin === 'array') return `must have at most ${issue.maximum} entries`;
      return `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
};

function isAbsent(object: JsonObject, path: readonly PropertyKey[]): boolean {
  let at: unknown = object['spec'] ?? {};
  for (const part of path) at = (at as Readonly<Record<PropertyKey, unknown>> | null | undefined)?.[part];
  return at === undefined;
}

/** `spec.environments[1].name`. */
function formatPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : `${text}.${String(part)}`),
    'spec',
  );
}
