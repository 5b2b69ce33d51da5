import {
  CONDITION_TABLE,
  FAULT_FIELDS,
  FIRST_FIELDS,
  FLAGS,
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
2. \`spec.suspend\`, \`spec.suspended\` or \`spec.paused\` is \`true\`: Suspended.
3. No status: Healthy, except of the groups at the end of this page, which always write one: Progressing.
4. Conditions, by the first table. A condition about an older generation is Progressing; one that is True at an end with a fault as its
   reason is Degraded. Where a condition says only "not
   there yet", \`spec.replicas\` of 0 makes it Suspended, and a state of step 7 may still say that it failed or was stopped.
5. The conditions of each place of ${list(PLACES)}; the worst counts. A place that
   speaks of an older generation is left out where another speaks of this one.
6. A field that is there only when something is wrong: ${list(FAULT_FIELDS)}: Degraded.
7. States: the fields ${list(FIRST_FIELDS)}, others whose name ends so, then those one level deeper; read by the second
   table, and the worst counts. \`health.status\` alone decides where it is there. What a kind that runs once (its name ends
   in Run, Job, Workflow, Backup …) calls running is Progressing.
8. Flags: ${list(FLAGS)}: \`true\` is Healthy, \`false\` is Progressing, of \`healthy\` and \`valid\` Degraded.
9. \`status.readyReplicas\` against \`spec.replicas\`.
10. Otherwise it is there: Healthy.

Where this is wrong for a kind of yours, write [a rule](../guides/health-checks.md): it comes before all of this.
`;

const CONDITIONS = `## Conditions

Read from top to bottom. "Settles": \`True\` ends the reading. A prefix up to the last \`.\` or \`/\` of a type does not count.
`;

const OTHERWISE = {
  nothing: 'says nothing',
  reason: 'Degraded where reason or message tell a fault, otherwise Progressing',
  fault: 'Degraded where reason or message tell a fault, otherwise says nothing',
  refused: 'Degraded, unless reason or message tell that work is going on',
} as const;

const WORDS = `## Words

Phases, states and reasons are split into words: \`PENDING_RERUN\` is "pending rerun", \`ReconcileError\` is "reconcile error".
The first row that knows one of them decides.
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
