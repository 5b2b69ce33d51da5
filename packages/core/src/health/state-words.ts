import { type HealthStatus } from './health.ts';

/** What a word says about whoever wrote it; the first row that matches decides, so "not ready" is not "ready". */
export interface WordRow {
  readonly status: Exclude<HealthStatus, 'Missing'>;
  /** Read against the words in lower case, with single spaces between them. */
  readonly words: RegExp;
  readonly examples: readonly string[];
}

/**
 * How the words of phases, states and reasons are read: `PENDING_RERUN`, `CreateContainerError` and `Not Ready` are split
 * into words first. A row may be read by the order of its words only, never by the kind that wrote it.
 */
export const STATE_WORDS: readonly WordRow[] = [
  {
    status: 'Progressing',
    words:
      /\b(in progress|not (yet )?(ready|started|initiali[sz]ed|observed|reconciled|created|available|running)|not yet|will retry|retry|retrying|rerun|dependency not ready)\b/,
    examples: ['InProgress', 'NotReady', 'PENDING_RERUN'],
  },
  {
    status: 'Degraded',
    words:
      /\b(fail(s|ed|ure|ures|ing)?|errors?|errored|err|degraded|unhealthy|invalid|reject(ed|ion)?|denied|refused|lost|crash(ed|ing|loop)?|broken|abort(ed)?|non ?compliant|not compliant|timeout|timed out|expired|conflict(s|ed|ing)?|critical|fatal|unreachable|missing|not found|unauthorized|forbidden|not (valid|accepted|allowed|permitted|supported|adopted)|unsupported|incompatible|misconfigured|warn(ing)?|red|exceeded|unrecoverable|incorrect|deadlock|stalled|back ?off|evicted|disconnected|faulted|disabled by error|mismatch(ed)?|already exists|blocked|delayed|corrupt(ed)?|denied|insufficient|not (controlled|set|reachable|connected|synced|met))\b/,
    examples: ['Failed', 'ReconcileError', 'NonCompliant', 'NotFound', 'HEALTH_WARN'],
  },
  {
    status: 'Suspended',
    words: /\b(paused|suspend(ed)?|stopped|hibernated|halted|held|on hold|shut ?down|powered off)\b/,
    examples: ['Paused', 'Stopped', 'hibernated'],
  },
  {
    status: 'Progressing',
    words:
      /^new( state)?$|\b(pending|wait|submitted|scheduled|queued|yellow|start|init|setup|(?!running\b|serving\b|listening\b|existing\b|nothing\b|missing\b|failing\b|string\b|pricing\b|billing\b|listing\b|following\b|during\b|using\b|being\b|warning\b|matching\b)[a-z]{3,}ing)\b/,
    examples: ['Pending', 'Creating', 'Finalising', 'ScalingUp'],
  },
  {
    status: 'Healthy',
    words:
      /\b(ready|running|serving|active|available|bound|healthy|ok|okay|succeeded|success|successful|successfully|completed?|deployed|created|synced|in sync|up|online|established|accepted|approved|admitted|applied|provisioned|installed|initiali[sz]ed|compliant|enabled|reconciled|finished|done|normal|green|promoted|released|connected|stable|valid|validated|verified|attached|exists|updated|configured|programmed|resolved|true|aligned|recovered|operational|alive|passed|open|in use|optimal|idle|detached|up to date|current|latest)\b/,
    examples: ['Ready', 'Running', 'HEALTH_OK', 'Succeeded', 'Bound'],
  },
  {
    status: 'Unknown',
    words: /^(unknown|inconclusive|undefined)( state)?$/,
    examples: ['Unknown', 'Inconclusive'],
  },
];

/** What a phase or a state says; undefined where none of its words is known. */
export function statusOfWords(text: string): WordRow['status'] | undefined {
  const words = splitWords(text);
  return STATE_WORDS.find((row) => row.words.test(words))?.status;
}

/** Prose in which a controller reports a fault, whatever reason it gave. */
const FAULT_PROSE =
  /\b(errors?|fail(s|ed|ure)?|cannot|can't|could not|couldn't|unable to|invalid|denied|forbidden|not found|does not exist|doesn't exist|timed out|refused|exceeded|not allowed|rejected|unsupported|malformed)\b/i;

/** Prose in which a controller says that it is at work. */
const WORK_PROSE = /\b(waiting|pending|in progress|creating|provisioning|initiali[sz]ing|starting|retrying|not yet)\b/i;

/** Prose that begins with the fault; further on it may be about the last try. */
const FAULT_FIRST = /^\W*(errors?|fail(ed|ure)|cannot|could not|unable to)\b/i;

export function beginsWithFault(prose: string | undefined): boolean {
  return prose !== undefined && FAULT_FIRST.test(prose);
}

export function tellsFault(prose: string | undefined): boolean {
  return prose !== undefined && FAULT_PROSE.test(prose);
}

export function tellsWork(prose: string | undefined): boolean {
  return prose !== undefined && WORK_PROSE.test(prose);
}

/** `CreateContainerError` and `PENDING_RERUN` as words in lower case. */
function splitWords(text: string): string {
  return text
    .slice(0, MAX_TEXT)
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .toLowerCase();
}

/** A state is a few words; a longer text says it in its first ones. */
const MAX_TEXT = 200;
