import { groupOf, isJsonObject, type Json, type JsonObject, type KubeObject } from '../object.ts';
import { CONDITION_TABLE, type ConditionRow } from './condition-table.ts';
import { conditionsIn, type Condition } from './conditions.ts';
import {
  because,
  degraded,
  healthy,
  listAt,
  numberAt,
  progressing,
  suspended,
  textAt,
  type Health,
  type HealthRule,
} from './health.ts';
import { alwaysReports } from './reporting-kinds.ts';
import { statusOfWords, tellsFault, tellsWork, type WordRow } from './state-words.ts';

/**
 * The health of kinds that bring no rule, by what controllers have in common: conditions, then phases and states, then
 * counts. What holds for every kind (deletion, generation, `Reconciling`, `Stalled`) was asked before.
 */
export const customResource: HealthRule = {
  assess: assessByConventions,
  reads: { spec: ['suspend', 'suspended', 'paused', 'replicas'], status: 'all' },
};

function assessByConventions(object: KubeObject): Health {
  const { status } = object;
  const spec = isJsonObject(object.spec) ? object.spec : {};
  if (spec.suspend === true || spec.suspended === true || spec.paused === true) return suspended('is suspended');
  const kind = { group: groupOf(object.apiVersion), kind: object.kind };
  if (!isJsonObject(status) || Object.keys(status).length === 0) {
    return alwaysReports(kind) ? progressing('waiting for its controller to report a status') : healthy('exists');
  }
  return (
    assessConditions(object, conditionsIn(listAt(status, 'conditions'))) ??
    assessPlaces(object, status) ??
    assessFault(status) ??
    assessStates(object.kind, status) ??
    assessFlags(status) ??
    assessReplicas(object) ??
    healthy('exists')
  );
}

/** The verdict of one condition; `isSure` where it is more than "not there yet". */
interface Verdict {
  readonly health: Health;
  readonly isSure: boolean;
}

function assessConditions(object: KubeObject, conditions: readonly Condition[]): Health | undefined {
  const verdict = verdictOf(object, conditions);
  if (verdict === undefined || verdict.isSure) return verdict?.health;
  // Not there yet, says a condition: a phase may know that it never will be, or that somebody stopped it.
  const state = isJsonObject(object.status) ? assessStates(object.kind, object.status) : undefined;
  if (verdict.health.status === 'Progressing' && numberAt(object, 'spec', 'replicas') === 0) {
    return suspended('is scaled to 0 replicas');
  }
  const knowsMore = state?.status === 'Degraded' || state?.status === 'Suspended';
  const isBehind = state?.status === 'Progressing' && verdict.health.status === 'Healthy';
  return state !== undefined && (knowsMore || isBehind) ? state : verdict.health;
}

function verdictOf(object: KubeObject, conditions: readonly Condition[]): Verdict | undefined {
  let found: Verdict | undefined;
  for (const row of CONDITION_TABLE) {
    for (const condition of conditions) {
      if (!row.types.test(bareType(condition.type))) continue;
      const verdict = readCondition(object, row, condition);
      if (verdict === undefined) continue;
      if (row.settles || verdict.health.status === 'Degraded') return worse(found, verdict);
      found = worse(found, verdict);
    }
  }
  return found;
}

/** The type without the domain that some controllers put before it: `ACK.Terminal`, `example.org/Ready`. */
function bareType(type: string): string {
  return type.slice(Math.max(type.lastIndexOf('.'), type.lastIndexOf('/')) + 1);
}

/** A success that a later row settles must not hide that an earlier row is still at work, nor the other way round. */
function worse(first: Verdict | undefined, second: Verdict): Verdict {
  return first === undefined || severity(second.health) >= severity(first.health) ? second : first;
}

function severity({ status }: Health): number {
  return ['Healthy', 'Suspended', 'Progressing', 'Degraded'].indexOf(status);
}

function readCondition(object: KubeObject, row: ConditionRow, condition: Condition): Verdict | undefined {
  const { status } = condition;
  if (status !== 'True' && row.otherwise === 'nothing') return undefined;
  if (isOutdated(object, condition)) {
    return { health: progressing(`waiting for generation ${object.metadata.generation} to be observed`), isSure: true };
  }
  return status === 'True' ? readTrue(row, condition) : readOther(row, condition);
}

function readTrue(row: ConditionRow, condition: Condition): Verdict | undefined {
  const { type, reason, message } = condition;
  const detail = because(says(condition), message, row.whenTrue === 'Healthy' ? undefined : reason);
  const reasonSays = reason === undefined ? undefined : statusOfWords(reason);
  switch (row.whenTrue) {
    case 'Progressing':
      // As a Deployment says it: the progress has come to its end.
      if (reasonSays === 'Healthy' && row.otherwise === 'fault') return undefined;
      return { health: progressing(detail), isSure: true };
    case 'Degraded':
      if (reasonSays === 'Progressing') return { health: progressing(detail), isSure: false };
      return { health: degraded(detail), isSure: true };
    case 'Suspended':
      return { health: suspended(detail), isSure: true };
    case 'Healthy':
      // It is over, and the reason tells how it ended.
      if (reasonSays === 'Degraded' && ENDINGS.test(type))
        return { health: degraded(because(says(condition), message, reason)), isSure: true };
      // "Running: creating the autoscaler" has begun, and not arrived.
      if (!row.settles && type.endsWith('ing') && tellsWork(message))
        return { health: progressing(detail), isSure: false };
      return { health: healthy(detail), isSure: /^(Ready|Healthy)$/.test(type) };
  }
}

/** Conditions that are True at a bad end as well. */
const ENDINGS = /(Completed?|Finished|Done)$/;

function readOther(row: ConditionRow, condition: Condition): Verdict | undefined {
  const { status, reason, message } = condition;
  const detail = because(says(condition), message, reason);
  const work = { health: progressing(detail), isSure: false };
  const reasonSays = reason === undefined ? undefined : statusOfWords(reason);
  const isFaultWord = message !== undefined && /^\w+$/.test(message) && statusOfWords(message) === 'Degraded';
  if (reasonSays === 'Degraded' || isFaultWord) return { health: degraded(detail), isSure: true };
  if (row.otherwise === 'fault') {
    return reasonSays === undefined && tellsFault(message) ? { health: degraded(detail), isSure: false } : undefined;
  }
  if (reasonSays === 'Suspended') return { health: suspended(detail), isSure: true };
  if (status === 'Unknown' || reasonSays === 'Progressing') return work;
  // A fault that only the prose tells is weighed against the phase.
  const isFault = tellsFault(message) || (row.otherwise === 'refused' && !tellsWork(message));
  return isFault ? { health: degraded(detail), isSure: false } : work;
}

/** `is ready`, `is not synced`; of a condition that is no adjective: `condition ResolvedRefs is False`. */
function says({ type, status }: Condition): string {
  const adjective =
    /^(Ready|Available|Healthy|Synced|Accepted|Admitted|Programmed|Established|Degraded|Paused|Suspended)$/;
  if (!adjective.test(type)) return `condition ${type} is ${status}`;
  return status === 'True' ? `is ${type.toLowerCase()}` : `is not ${type.toLowerCase()}`;
}

/** Lists of places that each accept the object on their own, with conditions of their own. */
export const PLACES = ['parents', 'ancestors', 'ingress', 'listeners'];

function assessPlaces(object: KubeObject, status: JsonObject): Health | undefined {
  const places = PLACES.flatMap((place) =>
    listAt(status, place).map((item) => conditionsIn(listAt(item, 'conditions'))),
  );
  // A place that speaks of an older spec has gone from the spec, as long as another one speaks of this one.
  const current = places.filter((conditions) => conditions.some((condition) => !isOutdated(object, condition)));
  let found: Verdict | undefined;
  for (const conditions of current.length > 0 ? current : places) {
    const verdict = verdictOf(object, conditions);
    if (verdict !== undefined) found = worse(found, verdict);
  }
  return found?.health;
}

function isOutdated({ metadata: { generation } }: KubeObject, { observedGeneration }: Condition): boolean {
  return generation !== undefined && observedGeneration !== undefined && observedGeneration < generation;
}

/** Fields that are there only when something is wrong. */
export const FAULT_FIELDS = ['error', 'errorMessage', 'failureMessage', 'failureReason', 'errors'];

function assessFault(status: JsonObject): Health | undefined {
  for (const field of FAULT_FIELDS) {
    const value = status[field];
    const first = Array.isArray(value) ? (value as readonly Json[])[0] : value;
    const text = typeof first === 'string' ? first : textAt(first, 'message');
    if (text !== undefined && text !== '') return degraded(because('reports an error', text));
  }
  return undefined;
}

/** Kinds that run once and come to an end, by the last word of their name: what runs is not done. */
const RUNS_ONCE = /(Run|Job|Workflow|Backup|Restore|Migration|Task|Build|Test|Experiment|Execution|Import)$/;

/** A field that holds a state: `phase`, `healthStatus`, `state`; of what was or will be it tells nothing of now. */
const STATE_FIELD =
  /^(?!last|previous|prev|old|desired|target|initial|expected|original)(\w*(phase|state|health)|status|\w+Status|compliant|robustness|result|verdict)$/i;

/** The fields whose name is the whole answer, in order of trust; others follow, then those one level deeper. */
export const FIRST_FIELDS = ['phase', 'state', 'status', 'health', 'printableStatus', 'healthStatus', 'compliant'];

function assessStates(kind: string, status: JsonObject): Health | undefined {
  const says = new Map<WordRow['status'], string>();
  for (const [field, text] of statesOf(status)) {
    const isUnderWay = RUNS_ONCE.test(kind) && /^(running|active|started)$/i.test(text);
    const verdict = isUnderWay ? 'Progressing' : statusOfWords(text);
    if (verdict !== undefined && !says.has(verdict))
      says.set(verdict, because(`${field} is ${text}`, detailOf(status)));
  }
  for (const verdict of ['Degraded', 'Suspended', 'Progressing', 'Healthy'] as const) {
    const message = says.get(verdict);
    if (message !== undefined) return { status: verdict, message };
  }
  return undefined;
}

function detailOf(status: JsonObject): string | undefined {
  return textAt(status, 'message') ?? textAt(status, 'reason') ?? textAt(status, 'errorMessage');
}

function statesOf(status: JsonObject): readonly (readonly [string, string])[] {
  // Where a controller sums its health up in so many words, what lies beside it is detail.
  const summed = textAt(status, 'health', 'status');
  if (summed !== undefined) return [['health.status', summed]];
  const own: [string, string][] = [];
  const deeper: [string, string][] = [];
  const fields = [...FIRST_FIELDS, ...Object.keys(status).filter((field) => !FIRST_FIELDS.includes(field))];
  for (const field of fields) {
    const value = Object.hasOwn(status, field) ? status[field] : undefined;
    if (typeof value === 'string' && value !== '' && STATE_FIELD.test(field)) own.push([field, value]);
    if (!isJsonObject(value) || NESTED_PAST.test(field)) continue;
    for (const [inner, text] of Object.entries(value)) {
      if (typeof text === 'string' && text !== '' && STATE_FIELD.test(inner)) deeper.push([`${field}.${inner}`, text]);
      else if (isJsonObject(text) && field === 'statuses') {
        const state = textAt(text, 'state');
        if (state !== undefined) deeper.push([`${field}.${inner}.state`, state]);
      }
    }
  }
  // A phase of the object's own, one word long, is a summary of what lies deeper, unless that is a health.
  const health = deeper.filter(([field]) => /health/i.test(field));
  return own.length > 0 ? [...own, ...health] : deeper;
}

/** Groups of fields that tell of the past or of parts, and not of the object now. */
const NESTED_PAST = /^(last|previous|history|desired|old)|history$/i;

/** Yes or no of an object that says no more. */
export const FLAGS = [
  'ready',
  'readyToUse',
  'healthy',
  'available',
  'active',
  'succeeded',
  'initialized',
  'synced',
  'valid',
];

function assessFlags(status: JsonObject): Health | undefined {
  for (const flag of FLAGS) {
    const value = status[flag];
    if (value === true) return healthy(`${flag} is true`);
    if (value !== false) continue;
    // Not ready may be not yet; unhealthy and invalid is what was found.
    const tell = flag === 'healthy' || flag === 'valid' ? degraded : progressing;
    return tell(because(`${flag} is false`, detailOf(status)));
  }
  return undefined;
}

/** Replicas as most controllers count them, and as the scale of a custom resource is printed: `2/3`. */
function assessReplicas(object: KubeObject): Health | undefined {
  const printed = textAt(object, 'status', 'scale', 'statusReplicas') ?? textAt(object, 'status', 'ready');
  const pair = printed === undefined ? null : /^(\d+)\/(\d+)$/.exec(printed);
  const wanted = pair === null ? numberAt(object, 'spec', 'replicas') : Number(pair[2]);
  const counted = numberAt(object, 'status', 'readyReplicas') ?? numberAt(object, 'status', 'availableReplicas');
  const ready = pair === null ? counted : Number(pair[1]);
  if (wanted === undefined || ready === undefined) return undefined;
  const message = `${ready} of ${wanted} replicas are ready`;
  return ready < wanted ? progressing(message) : healthy(message);
}
