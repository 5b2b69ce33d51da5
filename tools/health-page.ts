import {
  CONDITION_TABLE,
  COUNT_TABLE,
  FAULT_FIELDS,
  FIRST_FIELDS,
  FLAGS,
  PAUSES,
  PLACES,
  REPORTING_FAMILIES,
  REPORTING_GROUPS,
  STATE_WORDS,
} from '@plumb/core';
import { cell, madeFrom, table } from './generated-page.ts';

const INTRODUCTION = `# How the health of custom resources is read

${madeFrom('packages/core/src/health')}

A kind that brings no rule of its own is read by what controllers have in common. The steps, most trusted first; the first
that says something decides:

1. An object that is being deleted, or whose \`status.observedGeneration\` is behind, is Progressing. \`Reconciling\` is
   Progressing and \`Stalled\` is Degraded, where they are \`True\`.
2. \`spec.suspend\`, \`spec.suspended\` or \`spec.paused\` is \`true\`: Suspended. So is an object with an annotation whose name
   ends as in <code>${cell(patternOf(PAUSES))}</code> and is not \`false\`, or with \`…/reconcile: disabled\`.
3. No status: Healthy, except of the groups at the end of this page, which always write one: Progressing.
4. \`spec.updateStrategy\` is paused, or its partition keeps replicas on the old version and its share is updated: Suspended.
5. Conditions, by the first table. A condition about an older generation is Progressing; one that is True at an end with a fault as its
   reason is Degraded. Where a condition says only "not
   there yet", \`spec.replicas\` of 0 makes it Suspended, a step that has failed for sure makes it Degraded, and a state of
   step 8 may still say that it failed or was stopped. Where it says that all is well, but not by \`Ready\` or \`Healthy\`, the
   counts of step 10 may hold it back.
6. The conditions of each place of ${list(PLACES)}; the worst counts, also against the
   object's own where those are well. A place that speaks of an older generation is left out where another speaks of this one.
7. A field that is there only when something is wrong: ${list(FAULT_FIELDS)}: Degraded.
8. States: the fields ${list(FIRST_FIELDS)}, others whose name ends so, then those one level deeper; read by the second
   table, and the worst counts. \`health.status\` alone decides where it is there. What a kind that runs once (its name ends
   in Run, Job, Workflow, Backup …) calls running is Progressing. Of a list of parts (\`domainStatus\`) only what has failed
   counts. A state that is well is held back by the counts of step 10.
9. Flags: ${list(FLAGS)}: \`true\` is Healthy, \`false\` is Progressing, of \`healthy\` and \`valid\` Degraded.
10. Counts, by the third table, old replicas that are left, and counts as they are printed (\`ready: 2/3\`).
11. Otherwise it is there: Healthy; except of the groups at the end of this page, where it has conditions and none of them
    says anything: Progressing.

Where this is wrong for a kind of yours, write [a rule](../guides/health-checks.md): it comes before all of this.
`;

const CONDITIONS = `## Conditions

Read from top to bottom. "Settles": \`True\` ends the reading. A prefix up to the last \`.\` or \`/\` of a type does not count, and \`app-ready\` is \`AppReady\`.
`;

const OTHERWISE = {
  nothing: 'says nothing',
  reason: 'Degraded where reason or message tell a fault, otherwise Progressing',
  fault: 'Degraded where reason or message tell a fault, otherwise says nothing',
  refused: 'Degraded, unless reason or message tell that work is going on',
  explained: 'Progressing without a reason and a message; Degraded, unless they tell that work is going on',
} as const;

const WORDS = `## Words

Phases, states and reasons are split into words: \`PENDING_RERUN\` is "pending rerun", \`ReconcileError\` is "reconcile error".
The first row that knows one of them decides.
`;

const COUNTS = `## Counts

The first field that is there counts. The worst row decides.
`;

const GROUPS = `## Groups that always write a status

Without one, their controller has not seen the object yet.
`;

/** The page `docs/reference/health-conventions.md`: the tables by which custom resources are read. */
export function healthPage(): string {
  const conditions = CONDITION_TABLE.map(({ examples, types, whenTrue, otherwise, settles }) => [
    list(examples),
    whenTrue,
    OTHERWISE[otherwise],
    settles ? 'yes' : 'no',
    `<code>${cell(patternOf(types))}</code>`,
  ]);
  const words = STATE_WORDS.map(({ status, examples, words: pattern }) => [
    status,
    list(examples),
    `<code>${cell(patternOf(pattern))}</code>`,
  ]);
  const counts = COUNT_TABLE.map(({ wanted, have, noun, tooFew }) => [
    list(have.map((path) => path.join('.'))),
    list(wanted.map((path) => path.join('.'))),
    noun,
    tooFew,
  ]);
  const groups = [...REPORTING_GROUPS].map(([group, { except }]) => [`\`${group}\``, list(except)]);
  const families = REPORTING_FAMILIES.map(({ suffix, except }) => [
    `\`*${suffix}\``,
    `<code>${cell(patternOf(except))}</code>`,
  ]);
  return [
    INTRODUCTION,
    CONDITIONS,
    ...table(['Such as', '`True` is', '`False` or `Unknown`', 'Settles', 'All types'], conditions),
    '',
    WORDS,
    ...table(['Is', 'Such as', 'All words'], words),
    '',
    COUNTS,
    ...table(['There are', 'Of', 'That is, how many', 'Fewer are'], counts),
    '',
    GROUPS,
    ...table(['Group', 'Except'], [...groups, ...families]),
    '',
  ].join('\n');
}

function list(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

function patternOf(pattern: RegExp): string {
  return pattern.source.replaceAll('\\', '&#92;');
}
