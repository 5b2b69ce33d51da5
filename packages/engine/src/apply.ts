import {
  fieldsHash,
  isAbort,
  isOlderVersion,
  located,
  observe,
  parseObjectKey,
  PlumbError,
  sentObject,
  takeOver,
  shortNameOf,
  withoutFields,
  type DesiredObject,
  type FieldConflict,
  toPlumbError,
  type KubeObject,
  type LiveObject,
  type ObjectKey,
  type Reason,
  type TargetKey,
  type Write,
} from '@plumb/core';
import type { Applied, ApplyOptions } from '@plumb/kube';
import type { AppliedObject, Ledger, WriteOutcome } from '@plumb/ledger';
import { applyWish } from './apply-wish.ts';
import type { NamespaceContext } from './create-namespace.ts';

export interface WriteContext extends NamespaceContext {
  readonly ledger: Ledger;
  readonly target: TargetKey;
  /** The commit that asks for it. */
  readonly commit: string;
  readonly release: number;
  readonly identity: string;
  /** Whether a field of others stands by somebody's wish: see `isLeftToOthers`. */
  isLeft(conflict: FieldConflict, desired: DesiredObject): boolean;
  /** The object as an answer shows it, at once: whoever changes it meanwhile is noticed. */
  answered(object: KubeObject): void;
  /**
   * Reads the lease anew before a batch of deletions, which cannot be taken back. Throws `EngineBusy` where another engine
   * has it, and why it cannot be read.
   */
  stillHeld(): Promise<void>;
  /** The cluster shows an older state than it has shown before. */
  rewound(): void;
}

export type WriteResult =
  | {
      readonly key: ObjectKey;
      readonly ok: true;
      readonly uid: string;
      /** The object as it is now; undefined after a deletion. */
      readonly object: KubeObject | undefined;
      /** Whether a deletion is done: an object with finalizers is only on its way. */
      readonly gone: boolean;
      /** Fingerprint of what we own of it, as it is to be found again; undefined after a deletion. */
      readonly fieldsHash?: string | undefined;
    }
  | { readonly key: ObjectKey; readonly ok: false; readonly error: PlumbError };

/**
 * Writes a batch of independent objects: the intents are durable before the first request, all requests go out together,
 * one that fails stops no other, and the outcomes are recorded with what is now known of the objects.
 */
export async function applyAll(writes: readonly Write[], context: WriteContext): Promise<readonly WriteResult[]> {
  const { ledger, target, commit, release, writeAs, identity, signal } = context;
  const seqs = await ledger.intend(
    writes.map(({ key, desired, reason }) => ({
      change: commit,
      target,
      verb: 'apply',
      object: key,
      desiredHash: desired.hash,
      reason,
      actor: writeAs ?? identity,
    })),
  );
  const outcomes: WriteOutcome[] = [];
  const applied: AppliedObject[] = [];
  const results = await Promise.all(
    writes.map(async (write, index): Promise<WriteResult> => {
      const seq = seqs[index] ?? 0;
      const { key, desired, force, reason } = write;
      const sent = sentObject(write);
      try {
        const options = { force, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) };
        const { first, isWhole } = await send(write, sent, context);
        context.answered(first.object);
        const { object, auditId } = FIRST_CONTACT.has(reason) ? await settle(first, sent, context, options) : first;
        const uid = object.metadata.uid ?? '';
        // What is left to others for a while is a drift still, or nobody would put it back at the end.
        const fingerprint = isWhole ? fieldsHash(object) : PARTLY;
        outcomes.push({
          seq,
          result: 'ok',
          uid,
          resourceVersion: object.metadata.resourceVersion ?? '',
          ...(auditId === undefined ? {} : { auditId }),
        });
        applied.push({
          key,
          uid,
          apiVersion: object.apiVersion,
          desiredHash: desired.hash,
          fieldsHash: fingerprint ?? '',
          release,
        });
        return { key, ok: true, object, uid, gone: false, fieldsHash: fingerprint };
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = located(toPlumbError(thrown), desired);
        outcomes.push({ seq, result: 'failed', error: error.toRecord() });
        return { key, ok: false, error };
      }
    }),
  );
  await ledger.concludeBatch({ target, outcomes, applied, removed: [] });
  return results;
}

/** Stands for the fingerprint of an object that is not wholly as Git wants it. */
const PARTLY = 'partly';

/** Sends what Git wants. What was looked into is put back as it was found, unless it has changed since (`Conflict`). */
async function send(
  { force, heal, desired }: Write,
  sent: KubeObject,
  context: WriteContext,
): Promise<{ readonly first: Applied; readonly isWhole: boolean }> {
  const { client, writeAs, signal } = context;
  if (heal === undefined || heal.drift.kind === 'deleted' || heal.drift.kind === 'namespace-deleted') {
    let isWhole = true;
    const isLeft = (conflict: FieldConflict): boolean => {
      const stands = context.isLeft(conflict, desired);
      if (stands) isWhole = false;
      return stands;
    };
    return { first: await applyWish(sent, { force, dryRun: false }, context, isLeft), isWhole };
  }
  const { resourceVersion } = heal.drift;
  const wished = withoutFields(sent, heal.left);
  const guarded =
    resourceVersion === undefined ? wished : { ...wished, metadata: { ...wished.metadata, resourceVersion } };
  const options = { force: true, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) };
  return { first: await client.apply(guarded, options), isWhole: heal.isWhole };
}

/** Writes of objects of which there is no record: something else may have managed them until now. */
const FIRST_CONTACT: ReadonlySet<Reason> = new Set(['absent', 'deleted', 'unrecorded', 'abandoned', 'recreated']);

/**
 * Ends the hold of a former tool on an object that was there already, once. What crashes in here is begun anew: without
 * a record the next look is a first contact again.
 */
async function settle(
  first: Applied,
  desired: KubeObject,
  { client, answered }: WriteContext,
  options: ApplyOptions,
): Promise<Applied> {
  const change = first.created ? undefined : takeOver(first.object);
  if (change === undefined) return first;
  const object = await client.patchOwners(first.object, change.patch, options);
  answered(object);
  if (change.leftovers.length === 0) return { ...first, object };
  const settled = await client.apply(desired, { ...options, force: true });
  answered(settled.object);
  return settled;
}

/**
 * Deletes objects, each only in the state that was judged: it is read once more, and its uid and its resource version are
 * preconditions, so that nothing can come in between. Before, the lease is read once more too.
 * An object that has finalizers is on its way; the watch tells when it is gone.
 */
export async function pruneAll(
  objects: readonly LiveObject[],
  context: WriteContext,
  reason: Extract<Reason, 'removed' | 'approved' | 'decommissioned' | 'hook' | 'immutable'>,
): Promise<readonly WriteResult[]> {
  const { client, ledger, target, commit, writeAs, identity, signal, stillHeld } = context;
  const seqs = await ledger.intend(
    objects.map(({ key }) => ({
      change: commit,
      target,
      verb: 'delete',
      object: key,
      reason,
      actor: writeAs ?? identity,
    })),
  );
  const outcomes: WriteOutcome[] = [];
  const removed: ObjectKey[] = [];
  const refusal = await stillHeld().then(() => undefined, refusalIn(signal));
  const results = await Promise.all(
    objects.map(async (judged, index): Promise<WriteResult> => {
      const { key, uid } = judged;
      const seq = seqs[index] ?? 0;
      try {
        if (refusal !== undefined) throw refusal;
        const ref = parseObjectKey(key);
        if (ref === undefined) throw new PlumbError('Internal', `${key} is not an object key`);
        const resource = await client.resource({ group: ref.group, kind: ref.kind }, { signal });
        const place = { name: ref.name, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) };
        const resourceVersion = stillAsJudged(await client.get(resource, place, { signal }), judged, context);
        const answer =
          resourceVersion === undefined
            ? 'absent'
            : await client.delete(resource, place, {
                uid,
                resourceVersion,
                propagation: 'Background',
                signal,
                ...(writeAs === undefined ? {} : { impersonate: writeAs }),
              });
        outcomes.push({ seq, result: 'ok', uid });
        if (answer !== 'deleting') removed.push(key);
        return { key, ok: true, object: undefined, uid, gone: answer !== 'deleting' };
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = toPlumbError(thrown);
        outcomes.push({ seq, result: 'failed', error: error.toRecord() });
        return { key, ok: false, error };
      }
    }),
  );
  await ledger.concludeBatch({ target, outcomes, applied: [], removed });
  return results;
}

function refusalIn(signal: AbortSignal): (thrown: unknown) => PlumbError {
  return (thrown) => {
    if (isAbort(thrown, signal)) throw thrown;
    return toPlumbError(thrown);
  };
}

/**
 * The version to delete: of the very object, as it bears our marks and our fields now, whatever others wrote besides.
 * Undefined where it is gone, or another one of its name is there.
 */
function stillAsJudged(
  live: KubeObject | undefined,
  judged: LiveObject,
  { target, answered, rewound }: WriteContext,
): string | undefined {
  if (live === undefined || live.metadata.uid !== judged.uid) return undefined;
  const now = observe(live);
  const subject = shortNameOf(judged.key);
  if (isOlderVersion(now.resourceVersion, judged.resourceVersion)) {
    rewound();
    throw new PlumbError('ClusterRewound', `${subject} is older in the cluster than it was before`, { subject });
  }
  if (now.target === target && now.fieldsHash === judged.fieldsHash) return now.resourceVersion;
  answered(live);
  throw new PlumbError('Conflict', `${subject} has been changed since its deletion was decided`, { subject });
}
