import { isJsonObject, type Json, type JsonObject } from '../object.ts';
import { because, textAt, type Health } from './health.ts';
import { statusOfWords, type WordRow } from './state-words.ts';

// What phases and states say: fields that hold a word, their own first, then those one level deeper.

/** Kinds that run once and come to an end, by the last word of their name: what runs is not done. */
const RUNS_ONCE = /(Run|Job|Workflow|Backup|Restore|Migration|Task|Build|Test|Experiment|Execution|Import)$/;

/** A field that holds a state: `phase`, `healthStatus`, `state`; of what was or will be it tells nothing of now. */
const STATE_FIELD =
  /^(?!last|previous|prev|old|desired|target|initial|expected|original)(\w*(phase|state|health)|status|\w+Status|compliant|robustness|result|verdict)$/i;

/** The fields whose name is the whole answer, in order of trust; others follow, then those one level deeper. */
export const FIRST_FIELDS = ['phase', 'state', 'status', 'health', 'printableStatus', 'healthStatus', 'compliant'];

export function assessStates(kind: string, status: JsonObject): Health | undefined {
  const says = new Map<WordRow['status'], string>();
  for (const [field, text] of statesOf(status)) {
    const isUnderWay = RUNS_ONCE.test(kind) && /^(running|active|started)$/i.test(text);
    const verdict = isUnderWay ? 'Progressing' : statusOfWords(text);
    if (verdict !== undefined && !says.has(verdict))
      says.set(verdict, because(`${field} is ${text}`, detailOf(status)));
  }
  for (const verdict of ['Degraded', 'Suspended', 'Progressing', 'Healthy', 'Unknown'] as const) {
    const message = says.get(verdict);
    if (message !== undefined) return { status: verdict, message };
  }
  return undefined;
}

export function detailOf(status: JsonObject): string | undefined {
  return textAt(status, 'message') ?? textAt(status, 'reason') ?? textAt(status, 'errorMessage');
}

/** Of a list of parts with states of their own only what has failed counts: `domainStatus[0].status`. */
function faultsOfParts(status: JsonObject): readonly (readonly [string, string])[] {
  return Object.entries(status).flatMap(([field, value]) => {
    if (!Array.isArray(value) || !/^(?!last|prev)\w*(Status|Statuses|States)$/.test(field)) return [];
    return (value as readonly Json[]).flatMap((part, index): (readonly [string, string])[] => {
      const text = textAt(part, 'status') ?? textAt(part, 'state') ?? textAt(part, 'phase');
      return text !== undefined && statusOfWords(text) === 'Degraded' ? [[`${field}[${index}]`, text]] : [];
    });
  });
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
  return [...(own.length > 0 ? [...own, ...health] : deeper), ...faultsOfParts(status)];
}

/** Groups of fields that tell of the past or of parts, and not of the object now. */
const NESTED_PAST = /^(last|previous|history|desired|old)|history$/i;
