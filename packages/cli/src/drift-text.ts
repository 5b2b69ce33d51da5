import {
  attributionText,
  driftText,
  minuteText,
  parseObjectKey,
  parseTargetKey,
  shortNameOf,
  type DriftField,
  type Suggestion,
  type TargetKey,
  oneLine,
} from '@plumb/core';
import { releaseName, type DriftRecord } from '@plumb/ledger';
import { paint, showSign, STATE_SIGNS, type Style } from './style.ts';
import { formatTable } from './table.ts';
import { yamlText } from './yaml-text.ts';

/** How often something drifted in a time, and in the one before that. */
export interface TrendRow {
  /** What is counted: an application with its environment, or who did it. */
  readonly of: 'application' | 'author';
  readonly name: string;
  readonly count: number;
  readonly before: number;
}

export interface DriftList {
  readonly records: readonly DriftRecord[];
  readonly trend: readonly TrendRow[] | undefined;
  /** Rules that would end what keeps being changed. */
  readonly suggestions: readonly Suggestion[];
}

/** Whether a record is by somebody: a part of the user's or the manager's name. */
export function isBy({ by }: DriftRecord, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  const { user = '', manager = '', impersonator = '' } = by;
  return [user, manager, impersonator].some((name) => name.includes(wanted));
}

/** Counts what was found since a time, and before it, for each application and each author; the most first. */
export function trendOf(records: readonly DriftRecord[], from: number): readonly TrendRow[] {
  const rows = new Map<string, { of: TrendRow['of']; name: string; count: number; before: number }>();
  for (const { target, by, foundAt } of records) {
    for (const [of, name] of [
      ['application', targetName(target)],
      ['author', attributionText(by)],
    ] as const) {
      const row = rows.get(`${of} ${name}`) ?? { of, name, count: 0, before: 0 };
      if (foundAt >= from) row.count += 1;
      else row.before += 1;
      rows.set(`${of} ${name}`, row);
    }
  }
  return [...rows.values()].sort((a, b) => {
    const byKind = Number(a.of === 'author') - Number(b.of === 'author');
    return byKind || b.count - a.count || b.before - a.before || (a.name < b.name ? -1 : 1);
  });
}

interface DriftTextOptions {
  readonly style: Style;
  readonly now: number;
  /** Whether only what is open was asked for. */
  readonly isOpen: boolean;
}

/** One line a drift, the newest first, and what it comes to. */
export function driftsText(
  { records, trend, suggestions }: DriftList,
  { style, now, isOpen }: DriftTextOptions,
): string {
  const rows = records.map((record) => [
    `${new Date(record.foundAt).toISOString().slice(0, 19).replace('T', ' ')}`,
    oneLine(targetName(record.target)),
    oneLine(shortNameOf(record.object)),
    oneLine(driftText(record)),
    oneLine(attributionText(record.by)),
    oneLine(outcomeText(record, style, now)),
  ]);
  const header = ['FOUND (UTC)', 'APP', 'OBJECT', 'WHAT', 'BY', 'STATE'];
  const empty = isOpen ? 'Nothing has drifted.\n' : 'Nothing is recorded.\n';
  const table = rows.length === 0 ? empty : formatTable([header, ...rows]);
  const trends = trend === undefined || trend.length === 0 ? '' : `\n${trendText(trend, style)}`;
  return `${table}${trends}${suggestions.map(suggestionText).join('')}`;
}

/** For the Application in Git, as it would be written there. */
function suggestionText({ rule, count }: Suggestion): string {
  const head = `${rule.managers.join(', ')} has changed this ${count} times. To leave it alone, in the Application (plumb drift ignore):`;
  return `\n${oneLine(head)}\n${yamlText({ spec: { drift: { rules: [rule] } } }).replaceAll(/^(?=.)/gm, '  ')}`;
}

function trendText(trend: readonly TrendRow[], style: Style): string {
  return (['application', 'author'] as const)
    .map((kind) => {
      const rows = trend
        .filter(({ of }) => of === kind)
        .map(({ name, count, before }) => [
          `  ${oneLine(name)}`,
          String(count),
          paint(style, 'gray', `before: ${before}`),
        ]);
      return `By ${kind}\n${formatTable(rows, { gap: 2 })}`;
    })
    .join('');
}

/** What became of a drift, or by what decision it stands. */
export function outcomeText({ end, standing, foundAt }: DriftRecord, style: Style, now: number): string {
  if (end !== undefined) {
    const word = end.outcome === 'healed' ? `healed in ${seconds(end.at - foundAt)}` : end.outcome;
    return `${showSign(style, STATE_SIGNS.Healthy)} ${word}`;
  }
  const sign = showSign(style, STATE_SIGNS.Drifted);
  if (standing === undefined) return `${sign} open`;
  const { policy, until, reason, by } = standing;
  const isOver = until !== undefined && until <= now;
  const time = until === undefined ? '' : ` until ${minuteText(until)}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  const who = by === undefined ? '' : ` by ${by}`;
  return `${sign} ${policy === 'report' ? 'reported' : 'allowed'}${who}${isOver ? '' : time}${why}`;
}

function seconds(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, ms)} ms`;
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

/** `shop/prod`, with the namespace where it is not the usual one. */
function targetName(target: TargetKey): string {
  const ref = parseTargetKey(target);
  if (ref === undefined) return target;
  const inNamespace = ref.namespace === 'default' ? '' : `${ref.namespace}/`;
  return `${inNamespace}${ref.application}${ref.environment === undefined ? '' : `/${ref.environment}`}`;
}

/** The same for programs. */
export function driftData(record: DriftRecord): object {
  const { id, target, object, kind, fields, by, release, foundAt, standing, end } = record;
  const ref = parseTargetKey(target);
  return {
    id,
    namespace: ref?.namespace,
    app: ref?.application,
    ...(ref?.environment === undefined ? {} : { env: ref.environment }),
    object: parseObjectKey(object),
    what: kind,
    fields: fields.map(fieldData),
    by,
    release: releaseName(release),
    foundAt: timeOf(foundAt),
    ...(standing === undefined
      ? {}
      : { standing: { ...standing, ...(standing.until === undefined ? {} : { until: timeOf(standing.until) }) } }),
    ...(end === undefined ? {} : { outcome: end.outcome, endedAt: timeOf(end.at) }),
  };
}

function fieldData({ path, git, live, isOrder, owners, by }: DriftField): object {
  return {
    path,
    ...(git === undefined ? {} : { git }),
    ...(live === undefined ? {} : { live }),
    ...(isOrder === true ? { order: true } : {}),
    managers: owners.map(({ manager }) => manager),
    by,
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
