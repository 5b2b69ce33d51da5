import type { DesiredObject } from './desired.ts';
import { deletionId, isProtectedKind } from './deletion.ts';
import type { FieldChange } from './diff.ts';
import type { Drift } from './drift/drift.ts';
import { PlumbError } from './error.ts';
import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { isJsonObject, type KubeObject } from './object.ts';
import { canBeReplaced } from './immutable-fields.ts';
import { syncOptionsOf } from './sync-options.ts';

/** What we know of an object from having applied it: one row of the ledger. */
export interface AppliedObject {
  readonly uid: string;
  readonly desiredHash: string;
  /** The fingerprint of our fields as the API server answered it. */
  readonly fieldsHash: string | undefined;
}

/** Why something is done, in one closed set; also the `reason` of a write in the ledger. */
export type Reason =
  /** The object is not there and never was ours. */
  | 'absent'
  /** The object was ours and somebody deleted it. */
  | 'deleted'
  /** It was deleted and made again by somebody else. */
  | 'recreated'
  /** Git wants something else than what we applied last. */
  | 'changed'
  /** Somebody changed or took fields that are ours. */
  | 'drifted'
  /** The object bears our marks, but there is no record of what was applied. */
  | 'unrecorded'
  /** The object belongs to an application that is no more. */
  | 'abandoned'
  /** A field has to change that only a new object can have. */
  | 'immutable'
  /** Git does not want it any more, and the budget allows it. */
  | 'removed'
  /** Git does not want it any more, and a person approved the deletion. */
  | 'approved'
  /** A person had the whole application taken down. */
  | 'decommissioned'
  /** A person had the application forgotten: the object stays, without our marks. */
  | 'forgotten'
  /** It is a hook whose turn has come, or whose policy takes it away. */
  | 'hook';

export type Decision =
  | {
      readonly action: 'create' | 'update' | 'adopt';
      readonly key: ObjectKey;
      readonly desired: DesiredObject;
      readonly reason: Reason;
      /** Whether fields that others own may be taken: only where the object was ours before, or by policy. */
      readonly force: boolean;
      /** An autoscaler owns the number of replicas: what is sent does not name it. */
      readonly scaledBy?: string;
      /** Field by field, where a dry-run told. */
      readonly changes?: readonly FieldChange[];
      /** What somebody undid, where that is what is written. */
      readonly heal?: Heal;
    }
  | {
      /** Delete it, and create it anew once it is gone. */
      readonly action: 'replace';
      readonly key: ObjectKey;
      readonly desired: DesiredObject;
      readonly live: LiveObject;
      readonly reason: 'immutable';
      /** The field that forces it. */
      readonly field: string;
    }
  | { readonly action: 'delete'; readonly key: ObjectKey; readonly live: LiveObject; readonly reason: 'removed' }
  | { readonly action: 'keep'; readonly key: ObjectKey; readonly waitsFor?: 'deletion' }
  | {
      readonly action: 'blocked';
      readonly key: ObjectKey;
      readonly desired?: DesiredObject;
      readonly error: PlumbError;
    };

/** How a drift is put back. */
export interface Heal {
  readonly drift: Drift;
  /** Fields that are left as they are. */
  readonly left: readonly string[];
  /** Whether nothing is left that could be wished back one day. */
  readonly isWhole: boolean;
  /** Fields that are put back; empty text for the object as a whole. */
  readonly paths: readonly string[];
}

export interface DecisionPolicy {
  /** What to do about fields of others on first contact. */
  readonly conflicts: 'report' | 'force';
}

export interface DecisionInput {
  readonly target: TargetKey;
  readonly key: ObjectKey;
  /** What Git wants; undefined where it wants nothing. */
  readonly desired: DesiredObject | undefined;
  /** The newest view: of the watch or of our own last write; undefined where no such object bears our marks. */
  readonly live: LiveObject | undefined;
  readonly applied: AppliedObject | undefined;
  /** The other living target that claims this object, if there is one. */
  readonly owner: TargetKey | undefined;
  /** What the API server said to a dry-run, where one was made. */
  readonly dryRun?: { readonly changes: readonly FieldChange[] } | { readonly error: PlumbError } | undefined;
  /** What the API server answered the last time that this very wish was sent, where it refused. */
  readonly refusal?: PlumbError | undefined;
  /**
   * What holds data and may be deleted to be made anew, by `deletionId`: a person has approved it. Default: nothing.
   * `shown`: everything, for a plan, which shows what it would take.
   */
  readonly replaceable?: ReadonlySet<string> | 'shown' | undefined;
  readonly policy: DecisionPolicy;
}

/**
 * What to do about one object. The one function behind preview, apply and healing, so that they cannot disagree.
 *
 * | desired | live | record | action, reason |
 * | --- | --- | --- | --- |
 * | no | ours, proven | - | delete, removed |
 * | no | ours, with an annotation that keeps it | - | keep |
 * | no | other | - | keep |
 * | yes | claimed by another target | - | blocked, `OwnedByOther` |
 * | yes | being deleted | - | keep, waits for the deletion |
 * | yes | ours, an immutable field differs | - | replace, immutable, where its annotations allow it, and a person where it holds data |
 * | yes | no | no | create, absent |
 * | yes | no | yes | create, deleted |
 * | yes | yes | no | update, unrecorded; adopt, abandoned |
 * | yes | other uid | yes | update, recreated |
 * | yes | yes | other hash | update, changed |
 * | yes | our fields differ | same hash | update, drifted |
 * | yes | our fields differ by what an autoscaler took | same hash | keep |
 * | yes | yes | same | keep |
 */
export function decide(input: DecisionInput): Decision {
  const { target, key, desired, live, applied, owner, dryRun, policy } = input;
  if (desired === undefined) {
    // Deletion wants every proof: the marks name this object and this target, and our manager owns fields on it.
    const ours = live !== undefined && live.target === target && live.fieldsHash !== undefined && !live.deleting;
    return ours && live.keep === undefined
      ? { action: 'delete', key, live, reason: 'removed' }
      : { action: 'keep', key };
  }
  if (owner !== undefined) {
    return { action: 'blocked', key, desired, error: ownedByOther(key, target, owner, desired) };
  }
  const refused = dryRun !== undefined && 'error' in dryRun ? dryRun.error : undefined;
  const field = live?.target === target && !live.deleting ? replacedFor(desired, refused ?? input.refusal) : undefined;
  if (live !== undefined && field !== undefined && isReplaceable(live, input.replaceable)) {
    return { action: 'replace', key, desired, live, reason: 'immutable', field };
  }
  if (dryRun !== undefined && 'error' in dryRun) return { action: 'blocked', key, desired, error: dryRun.error };
  if (live?.deleting === true) return { action: 'keep', key, waitsFor: 'deletion' };

  const known = applied !== undefined;
  const force = known || policy.conflicts === 'force';
  const changes = dryRun === undefined ? {} : { changes: dryRun.changes };
  const write = (action: 'create' | 'update' | 'adopt', reason: Reason, forced: boolean = force): Decision => ({
    action,
    key,
    desired,
    reason,
    force: forced,
    ...(live?.scaledBy === undefined ? {} : { scaledBy: live.scaledBy }),
    ...changes,
  });

  if (live === undefined) return write('create', known ? 'deleted' : 'absent');
  // What another target of ours left behind is taken over; a copy that only bears the marks is somebody else's.
  if (live.target !== target) return write('adopt', 'abandoned', live.target !== undefined || force);
  if (dryRun !== undefined) {
    if (dryRun.changes.length === 0) return { action: 'keep', key };
    const changed = applied === undefined || applied.desiredHash !== desired.hash;
    return write('update', changed ? 'changed' : 'drifted', true);
  }
  if (applied === undefined) return write('update', 'unrecorded', true);
  if (applied.desiredHash !== desired.hash) return write('update', 'changed');
  if (live.uid !== applied.uid) return write('update', 'recreated');
  const isAsApplied =
    live.fieldsHash === applied.fieldsHash ||
    (live.fieldsHashBeforeScaling !== undefined && live.fieldsHashBeforeScaling === applied.fieldsHash);
  if (!isAsApplied) return write('update', 'drifted');
  return { action: 'keep', key };
}

/** The object as it is sent: without the number of replicas while an autoscaler owns it, or every apply would reset it. */
export function sentObject({
  desired,
  scaledBy,
}: {
  readonly desired: DesiredObject;
  readonly scaledBy?: string;
}): KubeObject {
  const { object } = desired;
  const { spec } = object;
  if (scaledBy === undefined || !isJsonObject(spec) || !Object.hasOwn(spec, 'replicas')) return object;
  const { replicas: _replicas, ...rest } = spec;
  return { ...object, spec: rest };
}

function isReplaceable(live: LiveObject, approved: DecisionInput['replaceable']): boolean {
  return !isProtectedKind(live.key) || approved === 'shown' || approved?.has(deletionId(live)) === true;
}

/**
 * The immutable field for which the object is to be deleted and made anew; undefined where it must not be. That takes the
 * API server's word for the field, a field that is known as immutable, and the consent of whoever wrote the object. What
 * holds data takes an approval besides, which is not asked here.
 */
export function replacedFor({ key, object }: DesiredObject, refusal: PlumbError | undefined): string | undefined {
  if (refusal?.code !== 'FieldImmutable' || !canBeReplaced(key, refusal.field)) return undefined;
  return syncOptionsOf(object).recreate ? refusal.field : undefined;
}

function ownedByOther(key: ObjectKey, target: TargetKey, owner: TargetKey, desired: DesiredObject): PlumbError {
  const subject = shortNameOf(key);
  return new PlumbError('OwnedByOther', `${subject} belongs to ${owner}, so ${target} does not touch it`, {
    where: desired.origin,
    subject,
    fix: `Remove ${subject} from ${owner} or from ${target}.`,
  });
}
