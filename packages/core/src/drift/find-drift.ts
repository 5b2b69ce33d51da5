import { attributeDeletion, attributeField, type Attribution, type ChangeEvidence } from '../attribution.ts';
import type { DesiredObject } from '../desired.ts';
import { diffObjects, type FieldChange } from '../diff.ts';
import type { FieldConflict } from '../field-conflict.ts';
import { parseFieldPath, type FieldPath } from '../field-path.ts';
import { needsStatus } from '../health/index.ts';
import { parseObjectKey, type ObjectKey, type TargetKey } from '../key.ts';
import type { LiveObject } from '../live.ts';
import { entriesOwning, ownerOf, ownersOf, ownTime, type FieldOwner } from '../managed-fields.ts';
import type { Json, KubeObject } from '../object.ts';
import type { SecretMask } from '../secret-tag.ts';
import { trackedTarget } from '../tracking.ts';
import type { Drift, DriftField, DriftKind } from './drift.ts';

export interface DriftEvidence extends Pick<ChangeEvidence, 'isStamped' | 'events' | 'known'> {
  readonly target: TargetKey;
  readonly desired: DesiredObject;
  /** The uid under which it was applied last. */
  readonly uid: string;
  /** As it is now; undefined where it is gone. */
  readonly live: KubeObject | undefined;
  /** What an apply with force would make of it; undefined where there is nothing to apply to. */
  readonly healed: KubeObject | undefined;
  readonly isNamespaceGone: boolean;
  readonly mask: SecretMask;
  /** A value of another kind of object, without what variables brought into it from a Secret. Default: as it is. */
  readonly told?: (value: Json) => Json;
  /** See `Drift`. */
  readonly state: string;
  readonly foundAt: number;
}

/** What happened to an object that is not as it was applied, and who did it as far as that can be told. */
export function findDrift(evidence: DriftEvidence): Drift {
  const { desired, live, healed, state, foundAt } = evidence;
  const fields =
    live === undefined || healed === undefined
      ? []
      : diffObjects(healed, live, { mask: evidence.mask }).map((change) => toField(change, live, evidence));
  const by = authorOf(evidence, fields);
  const isUnclear = live !== undefined && healed === undefined;
  return {
    key: desired.key,
    kind: kindOfDrift(evidence, fields, by),
    fields,
    by,
    ...(isUnclear ? { isUnclear } : {}),
    state,
    resourceVersion: live?.metadata.resourceVersion,
    desiredHash: desired.hash,
    foundAt,
  };
}

function kindOfDrift(
  { target, uid, live, isNamespaceGone }: DriftEvidence,
  fields: readonly DriftField[],
  by: Attribution,
): DriftKind {
  if (live === undefined) return isNamespaceGone ? 'namespace-deleted' : 'deleted';
  if (live.metadata.uid !== uid) return 'recreated';
  if (trackedTarget(live) !== target) return 'unmarked';
  if ([by, ...fields.map((field) => field.by)].some(({ operation }) => operation === 'Apply')) return 'taken';
  return fields.length > 0 && fields.every(({ git }) => git === undefined) ? 'added' : 'edited';
}

function authorOf(evidence: DriftEvidence, fields: readonly DriftField[]): Attribution {
  const { live, events, known } = evidence;
  if (live === undefined) {
    return attributeDeletion(events, known?.sinceMs === undefined ? {} : { sinceMs: known.sinceMs });
  }
  const [first, ...others] = fields.map(({ by }) => by);
  if (first === undefined) return attributeField(lastWriter(live), { ...evidence, object: live });
  return others.reduce((latest, by) => (timeOf(by) > timeOf(latest) ? by : latest), first);
}

function timeOf({ time }: Attribution): number {
  return time === undefined ? -Infinity : Date.parse(time);
}

function toField({ path, before, after, isOrder }: FieldChange, live: KubeObject, evidence: DriftEvidence): DriftField {
  const fields = parseFieldPath(path) ?? [];
  const { told = (value: Json): Json => value } = evidence;
  return {
    path,
    ...(before === undefined ? {} : { git: told(before) }),
    ...(after === undefined ? {} : { live: told(after) }),
    ...(isOrder === true ? { isOrder } : {}),
    owners: contendersOf(live, fields, path),
    by: attributeField(ownersOf(live, fields)[0], { ...evidence, object: live }),
  };
}

/** Who owns a field besides us, with the subresource it was written through. */
function contendersOf(live: KubeObject, fields: FieldPath, path: string): readonly FieldConflict[] {
  return entriesOwning(live, fields).map(({ manager = '', subresource }) => ({ manager, subresource, field: path }));
}

/** Who wrote it after us, whatever it was; nobody where what was written left no trace. Status is no drift. */
function lastWriter(live: KubeObject): FieldOwner | undefined {
  const [last] = entriesOwning(live, []).filter(({ subresource }) => subresource !== 'status');
  return last === undefined || (last.time ?? '') < (ownTime(live) ?? '') ? undefined : ownerOf(last);
}

/** Whether the version also counts writes of status. */
function hasStatus(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref === undefined || needsStatus(ref);
}

/** The same as long as what was found out about a drift holds: status may change meanwhile. */
export function driftState(live: LiveObject | undefined): string {
  if (live === undefined) return '';
  const { manager = '', time = '' } = live.lastEditor ?? {};
  // Times have whole seconds: what is written within one is told by the number of the content, where there is one.
  const content = live.generation ?? (hasStatus(live.key) ? '' : live.resourceVersion);
  return `${live.uid} ${live.fieldsHash ?? ''} ${live.target ?? ''} ${manager} ${time} ${content}`;
}
