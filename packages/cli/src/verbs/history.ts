import { minuteText, parseTargetKey, PlumbError, type TargetKey, oneLine } from '@plumb/core';
import { openLedgerReadOnly, releaseName, type Release } from '@plumb/ledger';
import { selectNamed } from '../applications.ts';
import { chooseCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText } from '../json-text.ts';
import { showSign, STATE_SIGNS, type Style } from '../style.ts';
import { formatTable } from '../table.ts';
import { JSON_VERSION } from '../version.ts';

export interface HistoryFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly limit: number;
  readonly output: 'table' | 'json' | 'jsonl' | 'name';
}

/** `plumb history`: the releases that the ledger of this machine knows. It asks no cluster. */
export async function history(this: CliContext, flags: HistoryFlags, name?: string): Promise<void> {
  const cluster = await chooseCluster(this, flags);
  await using ledger = await openLedgerReadOnly(cluster.stateFolder);
  const targets = selectTargets(await ledger.targets(), name, flags.env, cluster);
  const releases: Release[] = [];
  for (const target of targets) releases.push(...(await ledger.releases(target, { limit: flags.limit })));
  if (flags.output === 'table') this.show(historyText(releases, this.style));
  else this.print(historyData(releases, flags.output));
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

const OUTCOME_SIGNS = {
  running: STATE_SIGNS.Syncing,
  healthy: STATE_SIGNS.Healthy,
  failed: STATE_SIGNS.Failed,
  superseded: STATE_SIGNS.Pending,
} as const satisfies Readonly<Record<Release['outcome'], unknown>>;

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

function historyData(releases: readonly Release[], output: 'json' | 'jsonl' | 'name'): string {
  if (output === 'name') return releases.map(({ number }) => `${releaseName(number)}\n`).join('');
  const items = releases.map((release) => {
    const ref = parseTargetKey(release.target);
    return {
      namespace: ref?.namespace,
      app: ref?.application,
      env: ref?.environment,
      release: releaseName(release.number),
      repository: release.repository,
      commit: release.commit,
      chart: release.chart,
      outcome: release.outcome,
      message: release.message,
      startedAt: new Date(release.startedAt).toISOString(),
      concludedAt: release.concludedAt === undefined ? undefined : new Date(release.concludedAt).toISOString(),
      author: release.author,
      subject: release.subject,
      objects: release.objectCount,
      digest: release.digest,
    };
  });
  if (output === 'jsonl') return items.map((item) => `${jsonText({ apiVersion: JSON_VERSION, ...item })}\n`).join('');
  return `${jsonText({ apiVersion: JSON_VERSION, kind: 'History', items }, 2)}\n`;
}
