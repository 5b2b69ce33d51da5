import { minuteText, parseTargetKey, PlumbError, type TargetKey, oneLine } from '@plumb/core';
import { openLedgerReadOnly, releaseName, type DriftRecord, type HoldRecord, type Release } from '@plumb/ledger';
import { selectNamed } from '../applications.ts';
import { chooseCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { driftData } from '../drift-text.ts';
import { jsonText } from '../json-text.ts';
import { releaseData } from '../release-data.ts';
import { showSign, type Style } from '../style.ts';
import { formatTable } from '../table.ts';
import { heldData, OUTCOME_SIGNS, timelineData, timelineText, type TimelineKind } from '../timeline.ts';
import { JSON_VERSION } from '../version.ts';

export interface HistoryFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly limit: number;
  /** `drift`, `hold`. */
  readonly include?: readonly TimelineKind[] | undefined;
  readonly output: 'table' | 'json' | 'jsonl' | 'name';
}

/**
 * `plumb history`: the releases that the ledger of this machine knows; with `--include` also what others have changed and who
 * let that stand, in the order of time. It asks no cluster.
 */
export async function history(this: CliContext, flags: HistoryFlags, name?: string): Promise<void> {
  const cluster = await chooseCluster(this, flags);
  await using ledger = await openLedgerReadOnly(cluster.stateFolder);
  const targets = selectTargets(await ledger.targets(), name, flags.env, cluster);
  const { include = [], limit } = flags;
  const releases: Release[] = [];
  const drifts: DriftRecord[] = [];
  const holds: HoldRecord[] = [];
  for (const target of targets) {
    releases.push(...(await ledger.releases(target, { limit })));
    if (include.includes('drift')) drifts.push(...(await ledger.drifts({ target, limit })));
    if (include.includes('hold')) holds.push(...(await ledger.holds({ target, limit })));
  }
  const isMixed = include.length > 0;
  const now = this.surroundings.clock.now();
  if (flags.output === 'table') {
    const text = isMixed
      ? timelineText({ releases, drifts, holds }, { style: this.style, now })
      : historyText(releases, this.style);
    return this.show(text);
  }
  if (flags.output === 'name') return this.print(releases.map(({ number }) => `${releaseName(number)}\n`).join(''));
  const items = releases.map(releaseData);
  if (flags.output === 'jsonl') {
    const lines = isMixed ? timelineData({ releases, drifts, holds }) : items;
    return this.print(lines.map((item) => `${jsonText({ apiVersion: JSON_VERSION, ...item })}\n`).join(''));
  }
  const besides = {
    ...(include.includes('drift') ? { drifts: drifts.map(driftData) } : {}),
    ...(include.includes('hold') ? { holds: holds.map(heldData) } : {}),
  };
  this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'History', items, ...besides }, 2)}\n`);
}

function selectTargets(
  targets: readonly TargetKey[],
  name: string | undefined,
  environment: string | undefined,
  cluster: Awaited<ReturnType<typeof chooseCluster>>,
): readonly TargetKey[] {
  const known = targets.flatMap((target) => {
    const ref = parseTargetKey(target);
    return ref === undefined ? [] : [{ target, ref }];
  });
  const inReach = known.filter(
    ({ ref }) => cluster.namedNamespace === undefined || ref.namespace === cluster.namedNamespace,
  );
  const applications = new Map(
    inReach.map(({ ref: { namespace, application } }) => [
      `${namespace}/${application}`,
      { apiVersion: '', kind: '', metadata: { namespace, name: application } },
    ]),
  );
  const chosen = new Set(
    selectNamed([...applications.values()], name, cluster).map(
      ({ metadata }) => `${metadata.namespace}/${metadata.name}`,
    ),
  );
  const found = inReach.filter(
    ({ ref }) =>
      chosen.has(`${ref.namespace}/${ref.application}`) &&
      (environment === undefined || ref.environment === environment),
  );
  if (found.length === 0 && environment !== undefined) {
    throw new PlumbError('EnvironmentMissing', `nothing was ever released to an environment ${environment}`);
  }
  return found.map(({ target }) => target);
}

/** One line a release, the newest first; the target is named where there are several. */
export function historyText(releases: readonly Release[], style: Style): string {
  if (releases.length === 0) return 'Nothing was released yet.\n';
  const showsTarget = new Set(releases.map(({ target }) => target)).size > 1;
  const showsChart = releases.some(({ chart }) => chart !== undefined);
  const rows = releases.map((release) => [
    ...(showsTarget ? [release.target] : []),
    releaseName(release.number),
    release.commit.slice(0, 7),
    `${showSign(style, OUTCOME_SIGNS[release.outcome])} ${release.outcome}`,
    minuteText(release.startedAt),
    String(release.objectCount),
    ...(showsChart ? [oneLine(release.chart?.split(' ').slice(0, 2).join(' ') ?? '')] : []),
    oneLine(release.author),
    oneLine(release.outcome === 'failed' ? `${release.subject} (${release.message ?? ''})` : release.subject),
  ]);
  const header = [
    'REL',
    'COMMIT',
    'RESULT',
    'STARTED (UTC)',
    'OBJECTS',
    ...(showsChart ? ['CHART'] : []),
    'BY',
    'WHAT',
  ];
  return formatTable([[...(showsTarget ? ['TARGET'] : []), ...header], ...rows]);
}
