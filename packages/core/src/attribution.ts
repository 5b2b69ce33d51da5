import type { AuditEvent } from './audit-event.ts';
import { readStamp, type EditStamp } from './edit-stamp.ts';
import { isOlderVersion } from './live.ts';
import { ownTime, type FieldOwner, type LostField } from './managed-fields.ts';
import type { KubeObject } from './object.ts';

/**
 * Who made a change, and how that is known. Each tier sees more than the next one, and says no more than it sees:
 *
 * - `audit`: the API server's audit events: user, verb, address and user agent of the request.
 * - `stamp`: the user that the admission policy wrote on the object (`EditStamp`).
 * - `manager`: the field manager, a name that a client gives itself: a tool, and no person.
 * - `none`: nothing is known.
 */
export interface Attribution {
  readonly tier: 'audit' | 'stamp' | 'manager' | 'none';
  readonly user?: string;
  /** Who acted as that user, where the rights were borrowed. */
  readonly impersonator?: string;
  readonly manager?: string;
  readonly operation?: 'Apply' | 'Update';
  /** RFC 3339. */
  readonly time?: string;
  readonly verb?: string;
  readonly address?: string;
  readonly agent?: string;
  readonly auditId?: string;
}

/** What there is to tell the author of a change from. */
export interface ChangeEvidence {
  /** As it is after the change, with its managedFields. */
  readonly object: KubeObject;
  /** Whether the policy that writes stamps is in force: else what looks like a stamp may be anybody's. */
  readonly isStamped: boolean;
  /** Writes of others on the object that the audit trail has, in any order. */
  readonly events: readonly AuditEvent[];
  /**
   * The last version of this very object that is known to have been without the change, and when that was (milliseconds
   * since 1970). The closer to the change, the more can be said. Default: nothing, and the time of our entry.
   */
  readonly known?: { readonly version?: string | undefined; readonly sinceMs?: number | undefined };
}

export interface AttributedFields {
  readonly attribution: Attribution;
  readonly fields: readonly LostField[];
}

/** The authors of a change, each with the fields that are theirs; the latest first. */
export function attributeFields(fields: readonly LostField[], evidence: ChangeEvidence): readonly AttributedFields[] {
  const groups = new Map<string, { attribution: Attribution; fields: LostField[] }>();
  for (const field of fields) {
    const attribution = attributeField(field.managers[0], evidence);
    const id = JSON.stringify(attribution);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, { attribution, fields: [field] });
    else group.fields.push(field);
  }
  return [...groups.values()].sort((a, b) => Number(timeOf(b) > timeOf(a)) - Number(timeOf(b) < timeOf(a)));
}

/** The author of the latest of these changes; `none` where nothing was lost. */
export function attributeChange(fields: readonly LostField[], evidence: ChangeEvidence): Attribution {
  return attributeFields(fields, evidence)[0]?.attribution ?? { tier: 'none' };
}

/** Who wrote a field as it is now; `owner` is undefined of a field that is gone, since nobody owns that. */
export function attributeField(owner: FieldOwner | undefined, evidence: ChangeEvidence): Attribution {
  const audited = auditOf(owner, evidence);
  const base = owner === undefined ? {} : managerFacts(owner);
  if (audited !== undefined) return { tier: 'audit', ...base, ...auditFacts(audited) };
  const stamp = evidence.isStamped ? readStamp(evidence.object) : undefined;
  if (stamp !== undefined && isStampOf(stamp, owner, evidence.known?.version)) {
    return { tier: 'stamp', user: stamp.user, ...(owner === undefined ? managerFacts(stamp) : base) };
  }
  return owner === undefined || owner.manager === '' ? { tier: 'none' } : { tier: 'manager', ...base };
}

/** Who deleted an object: only audit events tell, since what the object said of itself is gone with it. */
export function attributeDeletion(
  events: readonly AuditEvent[],
  { sinceMs = 0 }: { readonly sinceMs?: number } = {},
): Attribution {
  const late = events.filter(({ completedMs }) => completedMs >= sinceMs);
  const byName = late.filter(({ verb, subresource }) => verb === 'delete' && subresource === undefined);
  // What a selector chose may have left this object out.
  const ofAll = late.filter(({ verb, isSelective }) => verb === 'deletecollection' && isSelective !== true);
  const event = unanimous(byName.length > 0 ? byName : ofAll);
  return event === undefined ? { tier: 'none' } : { tier: 'audit', ...auditFacts(event) };
}

/** `j.doe (kubectl-edit)`, `unknown user, manager kubectl-edit`, `unknown`. */
export function attributionText(attribution: Attribution): string {
  const { user, impersonator, manager, agent } = attribution;
  const tool = manager ?? agent?.split(' ', 1)[0] ?? '';
  if (user === undefined) return tool === '' ? 'unknown' : `unknown user, manager ${tool}`;
  const who = impersonator === undefined ? user : `${user}, impersonated by ${impersonator}`;
  return tool === '' ? who : `${who} (${tool})`;
}

/**
 * The one user who can have done it. The entry in managedFields has the time of its *last* write, so each write as this
 * manager since we last had the field counts: where they are of several users nothing is said.
 */
function auditOf(owner: FieldOwner | undefined, { object, events, known }: ChangeEvidence): AuditEvent | undefined {
  const sinceMs = known?.sinceMs ?? Date.parse(ownTime(object) ?? '');
  const writes = events.filter(
    ({ verb, subresource, completedMs }) =>
      (verb === 'create' || verb === 'update' || verb === 'patch') &&
      (subresource === undefined || subresource === 'scale') &&
      !(completedMs < sinceMs),
  );
  if (owner === undefined) return unanimous(writes);
  const asManager = writes.filter(({ manager }) => manager === owner.manager);
  const { time } = owner;
  if (time === undefined) return unanimous(asManager);
  const untilThen = asManager.filter((event) => wholeSecond(event.receivedMs) <= Date.parse(time));
  const isThere = untilThen.some(({ completedMs }) => completedMs >= Date.parse(time));
  return isThere ? unanimous(untilThen) : undefined;
}

/** The last of the events, where all are of the same user. */
function unanimous(events: readonly AuditEvent[]): AuditEvent | undefined {
  let last: AuditEvent | undefined;
  for (const event of events) {
    if (last !== undefined && (event.user !== last.user || event.impersonator !== last.impersonator)) return undefined;
    if (last === undefined || event.completedMs > last.completedMs) last = event;
  }
  return last;
}

/** Times in managedFields have no fractions: what happens within a second bears its beginning. */
function wholeSecond(ms: number): number {
  return Math.floor(ms / 1_000) * 1_000;
}

/**
 * Whether the stamp names the one who wrote the field. It has to be of the write that made the owner's entry what it is,
 * and nobody else may have written as that manager since the version that is known to have been good. Of a field that is
 * gone there is no entry: the stamped write has to be the very next one after that version.
 */
function isStampOf(stamp: EditStamp, owner: FieldOwner | undefined, known: string | undefined): boolean {
  const { over, since } = stamp;
  const isNext = known !== undefined && over === known;
  if (owner === undefined) return isNext;
  const isOfEntry = stamp.manager === owner.manager && stamp.operation === owner.operation && stamp.time === owner.time;
  if (!isOfEntry || owner.time === undefined) return false;
  // A write before the good state has not made it bad.
  if (known !== undefined && over !== undefined && isOlderVersion(over, known)) return false;
  return isNext || since === undefined || (known !== undefined && isOlderVersion(since, known));
}

function managerFacts({
  manager,
  operation,
  time,
}: Pick<FieldOwner, 'manager' | 'operation' | 'time'>): Partial<Attribution> {
  return { ...(manager === '' ? {} : { manager }), operation, ...(time === undefined ? {} : { time }) };
}

function auditFacts(event: AuditEvent): Omit<Attribution, 'tier'> {
  const { user, impersonator, verb, address, agent, auditId, receivedMs } = event;
  return {
    user,
    ...(impersonator === undefined ? {} : { impersonator }),
    time: new Date(receivedMs).toISOString(),
    verb,
    ...(address === undefined ? {} : { address }),
    ...(agent === undefined ? {} : { agent }),
    ...(auditId === '' ? {} : { auditId }),
  };
}

function timeOf({ attribution: { time } }: AttributedFields): number {
  return time === undefined ? -Infinity : Date.parse(time);
}
