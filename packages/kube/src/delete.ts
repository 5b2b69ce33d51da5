import { fieldAt, isJsonObject, PlumbError, type KubeObject } from '@plumb/core';
import { objectPath, subjectOf, type ApiResource, type ResourceRef } from './api-resource.ts';
import { decodeJson, decodeObject } from './decode.ts';
import type { Objection } from './exchange.ts';
import { impersonationHeaders } from './impersonate.ts';
import type { Attempt } from './status-error.ts';
import type { Transport } from './transport.ts';

export interface DeleteOptions {
  /** Delete only this very object; another one by the same name is the error `Conflict`. */
  readonly uid?: string | undefined;
  /** Delete only this state of it; a later one is the error `Conflict`. */
  readonly resourceVersion?: string | undefined;
  /** What becomes of the objects it owns. Default `Background`. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined;
  readonly dryRun?: boolean | undefined;
  readonly impersonate?: string | undefined;
  readonly objection?: Objection | undefined;
  readonly signal: AbortSignal;
}

/** `deleting`: it waits for finalizers, a grace period or its dependents. */
export type Deletion = 'deleted' | 'deleting' | 'absent';

/**
 * Deletes one object. A deletion is not repeated blindly when its answer is lost: what is there now is read, and only the
 * very same object is deleted again.
 */
export async function deleteObject(
  transport: Transport,
  resource: ApiResource,
  ref: ResourceRef,
  options: DeleteOptions,
): Promise<Deletion> {
  try {
    return await deleteOnce(transport, resource, ref, options);
  } catch (error) {
    if (!(error instanceof PlumbError) || error.code !== 'ClusterUnreachable' || options.dryRun === true) throw error;
    const live = await getObject(transport, resource, ref, options);
    if (live === undefined) return 'deleted';
    if (options.uid === undefined) throw error;
    if (live.metadata.uid !== options.uid) return 'deleted';
    if (live.metadata.deletionTimestamp !== undefined) return 'deleting';
    return deleteOnce(transport, resource, ref, options);
  }
}

/** The object, or undefined where the server has none by that name. */
export async function getObject(
  transport: Transport,
  resource: ApiResource,
  ref: ResourceRef,
  options: { readonly signal: AbortSignal; readonly impersonate?: string | undefined },
): Promise<KubeObject | undefined> {
  const attempt = attemptOn('get', resource, ref);
  try {
    const reply = await transport.send(
      {
        method: 'GET',
        path: objectPath(resource, ref),
        headers: ['accept', 'application/json', ...impersonationHeaders(options.impersonate)],
        repeatable: true,
        attempt,
      },
      options,
    );
    return decodeObject(reply.body, `get ${attempt.subject}`);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function deleteOnce(
  transport: Transport,
  resource: ApiResource,
  ref: ResourceRef,
  options: DeleteOptions,
): Promise<Deletion> {
  const attempt = attemptOn('delete', resource, ref);
  const preconditions = { uid: options.uid, resourceVersion: options.resourceVersion };
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: options.propagation ?? 'Background',
    ...(options.uid === undefined && options.resourceVersion === undefined ? {} : { preconditions }),
    ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
  };
  try {
    const reply = await transport.send(
      {
        method: 'DELETE',
        path: objectPath(resource, ref),
        headers: HEADERS.concat(impersonationHeaders(options.impersonate)),
        body: Buffer.from(JSON.stringify(body)),
        repeatable: false,
        objection: options.objection,
        attempt,
      },
      options,
    );
    const answer = decodeJson(reply.body, `delete ${attempt.subject}`);
    // A `Status` or the last state says that it is gone; an object that is still there says what it waits for.
    return isWaiting(answer) ? 'deleting' : 'deleted';
  } catch (error) {
    if (isMissing(error)) return 'absent';
    throw error;
  }
}

const HEADERS = ['accept', 'application/json', 'content-type', 'application/json'];

function isWaiting(answer: unknown): boolean {
  if (!isJsonObject(answer) || answer['kind'] === 'Status') return false;
  return fieldAt(answer, 'metadata', 'deletionTimestamp') !== undefined;
}

function isMissing(error: unknown): boolean {
  return error instanceof PlumbError && (error.code === 'NotFound' || error.code === 'NamespaceMissing');
}

function attemptOn(verb: string, resource: ApiResource, ref: ResourceRef): Attempt {
  return { verb, subject: subjectOf(resource, ref), secret: resource.kind === 'Secret' };
}
