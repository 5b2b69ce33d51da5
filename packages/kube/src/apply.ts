import { FIELD_MANAGER, groupOf, PlumbError, versionOf, type JsonObject, type KubeObject } from '@plumb/core';
import { objectPath, subjectOf, type ApiResource, type ResourceRef } from './api-resource.ts';
import { decodeObject } from './decode.ts';
import type { Objection, ReplyHeaders } from './exchange.ts';
import { impersonationHeaders } from './impersonate.ts';
import type { Transport } from './transport.ts';

export interface ApplyOptions {
  /** Default: `FIELD_MANAGER`. The others own what is Plumb's own on an object: status, the set's parent, the CLI's edits. */
  readonly manager?:
    | typeof FIELD_MANAGER
    | 'plumb-status'
    | 'plumb-applyset'
    | 'plumb-cli'
    | 'plumb-request'
    | undefined;
  /** Take fields that another manager owns, instead of the error `FieldConflict`. */
  readonly force: boolean;
  /** The server does all but store it. */
  readonly dryRun?: boolean | undefined;
  /** What the server does with unknown fields. Default `Strict`: the error `FieldUnknown`. */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
  readonly subresource?: 'status' | undefined;
  /** The user to act as. An empty name is an `Internal` error: it would act as Plumb itself. */
  readonly impersonate?: string | undefined;
  readonly objection?: Objection | undefined;
  readonly signal: AbortSignal;
}

/** Changes of who owns the fields of an object. */
export type PatchOwnersOptions = Pick<ApplyOptions, 'impersonate' | 'objection' | 'signal'>;

export interface Applied {
  /** As it is on the server now (or would be, for a dry run). */
  readonly object: KubeObject;
  /** The answer was 201. False also where the first answer was lost and the second try found the object there. */
  readonly created: boolean;
  readonly auditId: string | undefined;
  readonly warnings: readonly string[];
}

const HEADERS = ['accept', 'application/json', 'content-type', 'application/apply-patch+yaml'];

/**
 * Server-side apply of one object (created where it is missing): the one way in which Plumb writes what Git says. JSON is YAML,
 * so what is sent is JSON under the YAML content type. Safe to repeat, and repeated when its answer is lost.
 */
export async function applyObject(
  transport: Transport,
  resource: ApiResource,
  object: KubeObject,
  options: ApplyOptions,
): Promise<Applied> {
  const { metadata } = object;
  const subject = subjectOf(resource, metadata);
  const reply = await transport.send(
    {
      method: 'PATCH',
      path: objectPath(resource, metadata) + applyQuery(options),
      headers: [...HEADERS, ...impersonationHeaders(options.impersonate)],
      body: Buffer.from(JSON.stringify(withoutManagedFields(object))),
      repeatable: true,
      objection: options.objection,
      attempt: { verb: options.dryRun === true ? 'dry-run' : 'apply', subject, secret: object.kind === 'Secret' },
    },
    options,
  );
  return {
    object: decodeObject(reply.body, `apply ${subject}`),
    created: reply.status === 201,
    auditId: one(reply.headers['audit-id']),
    warnings: readWarnings(reply.headers),
  };
}

/**
 * Changes who is on record as the owner of fields (managedFields cannot be applied): a JSON patch of the taking over of
 * an object from a former tool, see `takeOver` of the core. Its resource version makes a second try fail by itself.
 */
export async function patchOwners(
  transport: Transport,
  resource: ApiResource,
  ref: ResourceRef,
  patch: readonly JsonObject[],
  options: PatchOwnersOptions,
): Promise<KubeObject> {
  const subject = subjectOf(resource, ref);
  const headers = ['accept', 'application/json', 'content-type', 'application/json-patch+json'];
  const reply = await transport.send(
    {
      method: 'PATCH',
      path: `${objectPath(resource, ref)}?fieldManager=${FIELD_MANAGER}`,
      headers: [...headers, ...impersonationHeaders(options.impersonate)],
      body: Buffer.from(JSON.stringify(patch)),
      repeatable: false,
      objection: options.objection,
      attempt: { verb: 'take over', subject, secret: resource.kind === 'Secret' },
    },
    options,
  );
  return decodeObject(reply.body, `take over ${subject}`);
}

/** The kind that an object says it is. */
export function kindOf(object: KubeObject): { group: string; version: string; kind: string } {
  const { apiVersion, kind } = object;
  if (apiVersion === '' || kind === '') {
    throw new PlumbError('ObjectInvalid', `${object.metadata.name}: apiVersion and kind must be set`);
  }
  return { group: groupOf(apiVersion), version: versionOf(apiVersion), kind };
}

function applyQuery(options: ApplyOptions): string {
  const subresource = options.subresource === undefined ? '' : `/${options.subresource}`;
  const manager = options.manager ?? FIELD_MANAGER;
  const validation = options.fieldValidation ?? 'Strict';
  const dryRun = options.dryRun === true ? '&dryRun=All' : '';
  return `${subresource}?fieldManager=${manager}&force=${options.force}&fieldValidation=${validation}${dryRun}`;
}

/** The server refuses an apply that names managedFields. */
function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** The texts of the Warning headers (RFC 7234: `299 - "text"`). */
function readWarnings(headers: ReplyHeaders): readonly string[] {
  const header = headers['warning'];
  if (header === undefined) return [];
  const all = Array.isArray(header) ? header.join(', ') : header;
  return [...all.matchAll(/\b\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) => text.replace(/\\(.)/g, '$1'));
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
