import { fieldAt, groupOf, isJsonObject, type Json, type JsonObject, type KubeObject } from '../object.ts';
import { CONDITION_TABLE, type ConditionRow } from './condition-table.ts';
import { conditionsIn, type Condition } from './conditions.ts';
import { assessCounts, assessHold } from './counts.ts';
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
import { beginsWithFault, statusOfWords, tellsFault, tellsWork } from './state-words.ts';
import { assessStates, detailOf } from './states.ts';

/**
 * The health of kinds that bring no rule, by what controllers have in common: conditions, then phases and states, then
 * counts. What holds for every kind (deletion, generation, `Reconciling`, `Stalled`) was asked before.
 */
export const customResource: HealthRule = {
  assess: assessByConventions,
  reads: { spec: ['suspend', 'suspended', 'paused', 'replicas', 'instances', 'updateStrategy'], status: 'all' },
};

function assessByConventions(object: KubeObject): Health {
  const { status } = object;
  const spec = isJsonObject(object.spec) ? object.spec : {};
  if (spec.suspend === true || spec.suspended === true || spec.paused === true) return suspended('is suspended');
  const pause = pauseAnnotation(object);
  if (pause !== undefined) return suspended(`is paused by its annotation ${pause}`);
  const kind = { group: groupOf(object.apiVersion), kind: object.kind };
  if (!isJsonObject(status) || Object.keys(status).length === 0) {
    return alwaysReports(kind) ? progressing('waiting for its controller to report a status') : healthy('exists');
  }
  const told =
    assessHold(object) ??
    worst(assessConditions(object, conditionsIn(listAt(status, 'conditions'))), assessPlaces(object, status)) ??
    assessFault(status) ??
    notAhead(assessStates(object.kind, status), object) ??
    assessFlags(status) ??
    assessCounts(object);
  if (told !== undefined) return told;
  // Conditions are there, and none that tells how it is. A schedule has none to tell until its first run.
  const isSilent = Array.isArray(status['conditions']) && alwaysReports(kind) && !/Cron|Schedul/.test(object.kind);
  return isSilent ? progressing('its controller has not said yet how it is') : healthy('exists');
}

/** Annotations by which people keep a controller's hands off one object, whatever the domain before the slash. */
export const PAUSES = /\/(paused?|pause-reconciliation|suspended?|reconcile-paused)$/;

function pauseAnnotation({ metadata }: KubeObject): string | undefined {
  return Object.entries(metadata.annotations ?? {}).find(
    ([name, value]) =>
      (PAUSES.test(name) && value !== 'false') ||
      (/\/reconcil(e|iation)$/.test(name) && /^(disabled|paused)$/.test(value)),
  )?.[0];
}

function worst(first: Health | undefined, second: Health | undefined): Health | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return first.status === 'Healthy' ? second : first;
}

/** What says that all is well is not ahead of its own counts. */
function notAhead(health: Health | undefined, object: KubeObject): Health | undefined {
  const counts = health?.status === 'Healthy' ? assessCounts(object) : undefined;
  return counts === undefined || counts.status === 'Healthy' ? health : counts;
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
  return state !== undefined && (knowsMore || isBehind) ? state : notAhead(verdict.health, object);
}

function verdictOf(object: KubeObject, conditions: readonly Condition[]): Verdict | undefined {
  let found: Verdict | undefined;
  let isSettled = false;
  for (const row of CONDITION_TABLE) {
    for (const condition of conditions) {
      if (!row.types.test(bareType(condition.type))) continue;
      const verdict = readCondition(object, row, condition);
      if (verdict === undefined) continue;
      const isFault = verdict.health.status === 'Degraded';
      // "Not yet", says the summary: of what comes after it only the step that has failed is heard.
      if (isSettled && !(isFault && verdict.isSure)) continue;
      found = worse(found, verdict);
      if (isFault || (row.settles && (verdict.isSure || verdict.health.status !== 'Progressing'))) return found;
      isSettled ||= row.settles;
    }
  }
  return found;
}

/** The type without its domain, in one way of writing: `ACK.Terminal`, `example.org/Ready`, `example.org/app-ready`. */
function bareType(type: string): string {
  const bare = type.slice(Math.max(type.lastIndexOf('.'), type.lastIndexOf('/')) + 1);
  return bare.replaceAll(/(^|-)([a-z])/g, (_, _dash, letter: string) => letter.toUpperCase());
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
      if (reasonSays === 'Healthy' && row.otherwise === 'fault' && !BEGINNINGS.test(reason ?? '')) return undefined;
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

/** Reasons of a Deployment and its likes that sound like an end, and are the start: `ReplicaSetUpdated`. */
const BEGINNINGS = /(Updated|Created)$/;

/** Conditions that are True at a bad end as well. */
const ENDINGS = /(Completed?|Finished|Done)$/;

function readOther(row: ConditionRow, condition: Condition): Verdict | undefined {
  const { status, reason, message } = condition;
  const detail = because(says(condition), message, reason);
  const work = { health: progressing(detail), isSure: false };
  const reasonSays = reason === undefined ? undefined : statusOfWords(reason);
  const isFaultWord = message !== undefined && /^\w+$/.test(message) && statusOfWords(message) === 'Degraded';
  const isWaiting = status === 'Unknown' && tellsWork(message);
  if ((reasonSays === 'Degraded' || isFaultWord) && !isWaiting) return { health: degraded(detail), isSure: true };
  if (reasonSays === 'Suspended') return { health: suspended(detail), isSure: true };
  if (row.otherwise === 'fault') {
    return reasonSays === undefined && tellsFault(message) ? { health: degraded(detail), isSure: false } : undefined;
  }
  if (status === 'Unknown' || (reasonSays === 'Progressing' && !beginsWithFault(message))) return work;
  // A fault that only the prose tells is weighed against the phase.
  const isRefusal = row.otherwise === 'refused' || (row.otherwise === 'explained' && (reason ?? message) !== undefined);
  const isFault = tellsFault(message) || (isRefusal && !tellsWork(message));
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
  const items = PLACES.flatMap((place) => listAt(status, place));
  const silent = items.find(
    (item) => textAt(item, 'controllerName') !== undefined && fieldAt(item, 'conditions') === undefined,
  );
  if (silent !== undefined) return progressing(`waiting for ${textAt(silent, 'controllerName')} to report`);
  const places = items.map((item) => conditionsIn(listAt(item, 'conditions')));
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
