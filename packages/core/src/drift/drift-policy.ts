import { parseFieldPath } from '../field-path.ts';
import { isNeverFought, type FieldConflict } from '../field-conflict.ts';
import { parseObjectKey, type ObjectKey } from '../key.ts';
import { isOwnershipOnly, type Drift, type DriftField } from './drift.ts';
import { coversField, type FieldPattern } from './field-pattern.ts';

/**
 * What happens to a deviation: `revert` puts Git's value back, `report` leaves it and says so, `allow` leaves it and counts it as
 * fine (until a date, for a reason), `ignore` does not even record it.
 */
export type DriftPolicy = 'revert' | 'report' | 'allow' | 'ignore';

/** What a rule knows of a field of an object. */
export interface RuleFacts {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** As `formatFieldPath` writes it; empty for the object as a whole. */
  readonly field: string;
  /** Who owns the field now; empty for nobody. */
  readonly manager: string;
}

/** Which objects and fields a rule is about; what is left out means all of them. */
export interface DriftScope {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly fields?: readonly FieldPattern[] | undefined;
  readonly managers?: readonly string[] | undefined;
  /** A condition besides, which never throws; a condition without an answer does not hold. */
  readonly when?: ((facts: RuleFacts) => boolean) | undefined;
}

export interface DriftRule extends DriftScope {
  readonly policy: DriftPolicy;
  /** Epoch milliseconds: from then on the rule does not count. */
  readonly until?: number | undefined;
  readonly reason?: string | undefined;
}

/** What may happen at the end of a hold to what was edited: put back; left and reported; left and turned into a pull request. */
export const HOLD_ENDS = ['heal', 'report', 'pull-request'] as const;
export type HoldEnd = (typeof HOLD_ENDS)[number];

/** What a person wants for a while: an `allow` that ends by itself. */
export interface DriftHold extends DriftScope {
  /** The name of the object that says so. */
  readonly hold: string;
  readonly until: number;
  readonly reason: string;
  readonly by: string;
  /** Since when, epoch milliseconds. */
  readonly since: number;
  /** What happens at the end to what was edited meanwhile. */
  readonly atEnd: HoldEnd;
  /** Where the edits are proposed to Git since it has ended. */
  readonly proposal?: string | undefined;
}

/** Whether it is about all objects of its target. */
export function holdsTarget({ group, kind, namespace, name, fields }: DriftHold): boolean {
  return [group, kind, namespace, name, fields].every((part) => part === undefined);
}

export interface DriftRules {
  /** Where no rule fits. */
  readonly policy: Exclude<DriftPolicy, 'ignore'>;
  /** The first that fits counts. */
  readonly rules: readonly DriftRule[];
}

export const REVERT_ALL: DriftRules = { policy: 'revert', rules: [] };

export interface DriftWishes {
  readonly rules: DriftRules;
  readonly holds: readonly DriftHold[];
  /** Heal what was found before that time (epoch milliseconds), whatever rules and holds say; of one object or of all. */
  readonly heal?: { readonly at: number; readonly key?: ObjectKey | undefined } | undefined;
}

/** What happens to one field, and why. */
export interface DriftVerdict {
  readonly policy: DriftPolicy;
  /** Epoch milliseconds. */
  readonly until?: number | undefined;
  readonly reason?: string | undefined;
  /** The hold that says so. */
  readonly hold?: string | undefined;
  /** Who wants it, where a person does. */
  readonly by?: string | undefined;
  /** Where it is proposed to Git. */
  readonly proposal?: string | undefined;
  /** Its owner is never fought: that is no wish that could end. */
  readonly isTheirs?: true;
}

export interface JudgedDrift {
  readonly drift: Drift;
  /** Put back. Where `isWhole` says so it is the object as a whole. */
  readonly revert: readonly DriftField[];
  readonly isWhole: boolean;
  /** Left as they are, with the reason of each; the object as a whole has an empty path. */
  readonly stands: readonly { readonly path: string; readonly verdict: DriftVerdict }[];
  /** The strictest of what stands; undefined where nothing does. */
  readonly standing: DriftVerdict | undefined;
  /** When the first of what stands has to be looked at again, epoch milliseconds. */
  readonly until: number | undefined;
}

/** What happens to each field of a drift. */
export function judgeDrift(drift: Drift, object: unknown, wishes: DriftWishes, time: number): JudgedDrift {
  if (isOwnershipOnly(drift)) {
    return { drift, revert: [], isWhole: true, stands: [], standing: undefined, until: undefined };
  }
  const { heal } = wishes;
  const isWished = heal !== undefined && drift.foundAt <= heal.at && (heal.key === undefined || heal.key === drift.key);
  const { key, foundAt } = drift;
  const judge = (field: string, owners: readonly FieldConflict[]): DriftVerdict => {
    const verdict = verdictOf({ key, field, owners, foundAt }, object, wishes, time);
    return isWished && verdict.policy !== 'ignore' ? { policy: 'revert' } : verdict;
  };
  const whole = drift.fields.length === 0 ? judge('', []) : undefined;
  const judged = drift.fields.map((field) => ({ field, verdict: judge(field.path, field.owners) }));
  const stands = [
    ...(whole === undefined || whole.policy === 'revert' ? [] : [{ path: '', verdict: whole }]),
    ...judged.flatMap(({ field, verdict }) => (verdict.policy === 'revert' ? [] : [{ path: field.path, verdict }])),
  ];
  const verdicts = stands.map(({ verdict }) => verdict);
  const untils = verdicts.flatMap(({ until }) => until ?? []);
  return {
    drift,
    revert: judged.flatMap(({ field, verdict }) => (verdict.policy === 'revert' ? field : [])),
    isWhole: whole?.policy === 'revert',
    stands,
    standing: STRICTEST_FIRST.flatMap((policy) => verdicts.find((verdict) => verdict.policy === policy) ?? [])[0],
    until: untils.length === 0 ? undefined : Math.min(...untils),
  };
}

const STRICTEST_FIRST: readonly DriftPolicy[] = ['report', 'allow', 'ignore'];

interface JudgedField {
  readonly key: ObjectKey;
  readonly field: string;
  readonly owners: readonly FieldConflict[];
  /** Epoch milliseconds. */
  readonly foundAt: number;
}

/** Whether what another manager owns is left to it when Git's wish is sent: no rule or hold reverts it. */
export function isLeftToOthers(
  conflict: FieldConflict,
  key: ObjectKey,
  object: unknown,
  wishes: DriftWishes,
  time: number,
): boolean {
  const verdict = verdictOf({ key, field: conflict.field, owners: [conflict], foundAt: time }, object, wishes, time);
  return verdict.policy === 'ignore' || (verdict.policy === 'allow' && wishes.rules.policy !== 'allow');
}

function verdictOf(judged: JudgedField, object: unknown, { rules, holds }: DriftWishes, time: number): DriftVerdict {
  if (judged.owners.some(isNeverFought)) return { policy: 'ignore', isTheirs: true };
  const rule = rules.rules.find(
    (each) => (each.until === undefined || each.until > time) && isInScope(each, judged, object),
  );
  if (rule?.policy === 'ignore') return { policy: 'ignore', reason: rule.reason };
  const hold = holds.find((each) => each.until > time && isInScope(each, judged, object));
  if (hold !== undefined) {
    return { policy: 'allow', until: hold.until, reason: hold.reason, hold: hold.hold, by: hold.by };
  }
  const ended = holds.find((each) => isLeftBy(each, judged, time) && isInScope(each, judged, object));
  if (ended !== undefined) {
    const { reason, hold: name, by, proposal } = ended;
    return { policy: 'report', reason, hold: name, by, ...(proposal === undefined ? {} : { proposal }) };
  }
  if (rule === undefined) return { policy: rules.policy };
  return { policy: rule.policy, until: rule.until, reason: rule.reason };
}

/**
 * Whether a field of a drift was edited while a hold lasted that lets it be; undefined is the object as a whole.
 *
 * @param object as it is live
 */
export function isHeldField(
  hold: DriftHold,
  { object: key, foundAt }: { readonly object: ObjectKey; readonly foundAt: number },
  field: DriftField | undefined,
  object: unknown,
): boolean {
  const owners = field?.owners ?? [];
  if (owners.some(isNeverFought) || foundAt < hold.since || foundAt >= hold.until) return false;
  return isInScope(hold, { key, field: field?.path ?? '', owners, foundAt }, object);
}

/** A hold that has ended, and wants what was edited while it lasted to be left. */
function isLeftBy({ atEnd, since, until }: DriftHold, { foundAt }: JudgedField, time: number): boolean {
  return atEnd !== 'heal' && until <= time && since <= foundAt && foundAt < until;
}

function isInScope(scope: DriftScope, { key, field, owners }: JudgedField, object: unknown): boolean {
  const ref = parseObjectKey(key);
  if (ref === undefined) return false;
  const isNamed =
    isWanted(scope.group, ref.group) &&
    isWanted(scope.kind, ref.kind) &&
    isWanted(scope.namespace, ref.namespace) &&
    isWanted(scope.name, ref.name);
  if (!isNamed) return false;
  const path = field === '' ? undefined : parseFieldPath(field);
  if (scope.fields !== undefined) {
    if (path === undefined || !scope.fields.some((pattern) => coversField(pattern, path, object))) return false;
  }
  const manager = owners[0]?.manager ?? '';
  if (scope.managers !== undefined && !owners.some((owner) => scope.managers?.includes(owner.manager) === true))
    return false;
  const { kind, namespace, name } = ref;
  return scope.when?.({ kind, namespace, name, field, manager }) ?? true;
}

/** `*` stands for everything, also within a name. */
function isWanted(wanted: string | undefined, actual: string): boolean {
  if (wanted === undefined || wanted === '*') return true;
  if (!wanted.includes('*')) return wanted === actual;
  const parts = wanted.split('*');
  let at = 0;
  for (const [index, part] of parts.entries()) {
    const found = index === parts.length - 1 && part !== '' ? actual.lastIndexOf(part) : actual.indexOf(part, at);
    if (found < at || (index === 0 && found !== 0)) return false;
    at = found + part.length;
  }
  return parts.at(-1) === '' || at === actual.length;
}
