import { attributionText, driftText, minuteText, oneLine, parseTargetKey, shortNameOf } from '@plumb/core';
import { releaseName, type DriftRecord, type HoldRecord, type Release } from '@plumb/ledger';
import { driftData, outcomeText } from './drift-text.ts';
import { releaseData } from './release-data.ts';
import { showSign, STATE_SIGNS, type Style } from './style.ts';
import { formatTable } from './table.ts';

/** What a history may have besides releases. */

export type TimelineKind = 'drift' | 'hold';

export const OUTCOME_SIGNS = {
  running: STATE_SIGNS.Syncing,
  healthy: STATE_SIGNS.Healthy,
  failed: STATE_SIGNS.Failed,
  superseded: STATE_SIGNS.Pending,
} as const satisfies Readonly<Record<Release['outcome'], unknown>>;

export interface Timeline {
  readonly releases: readonly Release[];
  readonly drifts: readonly DriftRecord[];
  readonly holds: readonly HoldRecord[];
}

/** One line an event, the newest first; the target is named where there are several. */
export function timelineText(
  timeline: Timeline,
  { style, now }: { readonly style: Style; readonly now: number },
): string {
  const entries = entriesOf(timeline);
  if (entries.length === 0) return 'Nothing has happened yet.\n';
  const showsTarget = new Set(entries.map(({ target }) => target)).size > 1;
  const rows = entries.map((entry) => [
    minuteText(entry.at),
    ...(showsTarget ? [entry.target] : []),
    ...cellsOf(entry, style, now).map(oneLine),
  ]);
  return formatTable([['UTC', ...(showsTarget ? ['TARGET'] : []), 'EVENT', 'RESULT', 'BY', 'WHAT'], ...rows]);
}

/** The same for programs, one entry after another; `type` tells them apart. */
export function timelineData(timeline: Timeline): readonly object[] {
  return entriesOf(timeline).map((entry) => {
    if (entry.type === 'release') return { type: entry.type, ...releaseData(entry.release) };
    if (entry.type === 'drift') return { type: entry.type, ...driftData(entry.drift) };
    return { type: entry.type, ...heldData(entry.hold) };
  });
}

/** A hold on record for programs. */
export function heldData({ target, liftedAt, outcome, ...hold }: HoldRecord): object {
  const ref = parseTargetKey(target);
  return {
    namespace: ref?.namespace,
    app: ref?.application,
    ...(ref?.environment === undefined ? {} : { env: ref.environment }),
    name: hold.name,
    covers: hold.covers,
    by: hold.by,
    reason: hold.reason,
    since: timeOf(hold.since),
    until: timeOf(hold.until),
    atEnd: hold.atEnd,
    ...(liftedAt === undefined ? {} : { liftedAt: timeOf(liftedAt) }),
    ...(outcome === undefined ? {} : { outcome }),
  };
}

type Entry = { readonly at: number; readonly target: string } & (
  | { readonly type: 'release'; readonly release: Release }
  | { readonly type: 'drift'; readonly drift: DriftRecord }
  | { readonly type: 'hold'; readonly hold: HoldRecord }
);

function entriesOf({ releases, drifts, holds }: Timeline): readonly Entry[] {
  const entries: Entry[] = [
    ...releases.map(
      (release) => ({ type: 'release', at: release.startedAt, target: release.target, release }) as const,
    ),
    ...drifts.map((drift) => ({ type: 'drift', at: drift.foundAt, target: drift.target, drift }) as const),
    ...holds.map((hold) => ({ type: 'hold', at: hold.since, target: hold.target, hold }) as const),
  ];
  return entries.sort((a, b) => b.at - a.at);
}

/** Event, result, by whom, and what. */
function cellsOf(entry: Entry, style: Style, now: number): readonly [string, string, string, string] {
  switch (entry.type) {
    case 'release': {
      const { number, outcome, author, subject, commit, message } = entry.release;
      const why = outcome === 'failed' && message !== undefined ? ` (${message})` : '';
      const result = `${showSign(style, OUTCOME_SIGNS[outcome])} ${outcome}`;
      return [releaseName(number), result, author, `${commit.slice(0, 7)} ${subject}${why}`];
    }
    case 'drift': {
      const { drift } = entry;
      const what = `${shortNameOf(drift.object)} ${driftText(drift)}`;
      return ['drift', outcomeText(drift, style, now), attributionText(drift.by), what];
    }
    case 'hold': {
      const { covers, reason, by, outcome } = entry.hold;
      const came = outcome === undefined ? '' : `; ${outcome}`;
      return ['hold', holdResult(entry.hold, style, now), by, `${covers}: ${reason}${came}`];
    }
  }
}

function holdResult({ until, liftedAt }: HoldRecord, style: Style, now: number): string {
  if (liftedAt !== undefined) return `${showSign(style, STATE_SIGNS.Healthy)} lifted ${minuteText(liftedAt)}`;
  if (until <= now) return `${showSign(style, STATE_SIGNS.Healthy)} ended ${minuteText(until)}`;
  return `${showSign(style, STATE_SIGNS.Held)} until ${minuteText(until)}`;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
