import type { DesiredObject } from './desired.ts';
import type { FieldChange } from './diff.ts';
import { PlumbError } from './error.ts';
import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { Editor, LiveObject } from './live.ts';

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
      /** Who made the drift, as far as the object tells. */
      readonly editor?: Editor | undefined;
      /** Field by field, where a dry-run told. */
      readonly changes?: readonly FieldChange[];
    }
  | { readonly action: 'delete'; readonly key: ObjectKey; readonly live: LiveObject; readonly reason: 'removed' }
  | { readonly action: 'keep'; readonly key: ObjectKey; readonly waitsFor?: 'deletion' }
  | {
      readonly action: 'blocked';
      readonly key: ObjectKey;
      readonly desired?: DesiredObject;
      readonly error: PlumbError;
    };

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
  readonly policy: DecisionPolicy;
}

/**
 * What to do about one object. The one function behind preview, apply and healing, so that they cannot disagree.
 *
 * | desired | live | record | action, reason |
 * | --- | --- | --- | --- |
 * | no | ours, proven | - | delete, removed |
 * | no | other | - | keep |
 * | yes | claimed by another target | - | blocked, `OwnedByOther` |
 * | yes | being deleted | - | keep, waits for the deletion |
 * | yes | no | no | create, absent |
 * | yes | no | yes | create, deleted |
 * | yes | yes | no | update, unrecorded; adopt, abandoned |
 * | yes | other uid | yes | update, recreated |
 * | yes | yes | other hash | update, changed |
 * | yes | our fields differ | same hash | update, drifted |
 * | yes | yes | same | keep |
 */
export function decide(input: DecisionInput): Decision {
  const { target, key, desired, live, applied, owner, dryRun, policy } = input;
  if (desired === undefined) {
    // Deletion wants every proof: the marks name this object and this target, and our manager owns fields on it.
    const ours = live !== undefined && live.target === target && live.fieldsHash !== undefined && !live.deleting;
    return ours ? { action: 'delete', key, live, reason: 'removed' } : { action: 'keep', key };
  }
  if (owner !== undefined) {
    return { action: 'blocked', key, desired, error: ownedByOther(key, target, owner, desired) };
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
    ...(reason === 'drifted' ? { editor: live?.lastEditor } : {}),
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
  if (live.fieldsHash !== applied.fieldsHash) return write('update', 'drifted');
  return { action: 'keep', key };
}

function ownedByOther(key: ObjectKey, target: TargetKey, owner: TargetKey, desired: DesiredObject): PlumbError {
  const subject = shortNameOf(key);
  return new PlumbError('OwnedByOther', `${subject} belongs to ${owner}, so ${target} does not touch it`, {
    where: desired.origin,
    subject,
    fix: `Remove ${subject} from ${owner} or from ${target}.`,
  });
}
