import { parseTargetKey, PlumbError, suggestRules, type TargetKey } from '@plumb/core';
import { openLedgerReadOnly, type DriftRecord } from '@plumb/ledger';
import { chooseCluster, type ChosenCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { driftData, driftsText, isBy, trendOf } from '../drift-text.ts';
import type { EveryVerb } from '../flags.ts';
import { jsonText } from '../json-text.ts';
import { JSON_VERSION } from '../version.ts';

export interface DriftFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly all?: boolean | undefined;
  /** Milliseconds; 0 where it was not asked. */
  readonly since: number;
  readonly by?: string | undefined;
  readonly limit: number;
  readonly output: 'table' | 'json' | 'jsonl';
}

/**
 * `plumb drift`: what others have changed, as the ledger of this machine has it. It asks no cluster. Without flags what is open;
 * `--all` with what has ended; `--since` of a time, with how often and by whom, against the time before.
 */
export async function drift(this: CliContext, flags: DriftFlags, name?: string): Promise<void> {
  const { clock } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using ledger = await openLedgerReadOnly(cluster.stateFolder);
  checkName(await ledger.targets(), name);
  const now = clock.now();
  const from = flags.since === 0 ? undefined : now - flags.since;
  // The time before is only counted.
  const reach = from === undefined ? undefined : from - flags.since;
  const isOpen = flags.all !== true && from === undefined;
  const found = await ledger.drifts({ isOpen, since: reach, limit: flags.limit });
  const meant = found.filter((record) => isMeant(record, flags, name, cluster) && isBy(record, flags.by));
  const records = meant.filter(({ foundAt, end }) => from === undefined || Math.max(foundAt, end?.at ?? 0) >= from);
  const trend = from === undefined ? undefined : trendOf(meant, from);
  const lately = await ledger.drifts({ since: Math.min(from ?? now, now - LATELY_MS), limit: flags.limit });
  const suggestions = suggestRules(lately.filter((record) => isMeant(record, flags, name, cluster)));
  if (found.length === flags.limit) this.note(`Only the newest ${flags.limit} were looked through (--limit).`);
  if (flags.output === 'table') {
    return this.show(driftsText({ records, trend, suggestions }, { style: this.style, now, isOpen }));
  }
  const items = records.map(driftData);
  if (flags.output === 'jsonl') {
    for (const item of items) this.print(`${jsonText({ apiVersion: JSON_VERSION, ...item })}\n`);
    return;
  }
  const counts = trend === undefined ? {} : { trend };
  this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Drifts', items, ...counts, suggestions }, 2)}\n`);
}

/** What flaps is looked for in a day at least. */
const LATELY_MS = 24 * 3_600_000;

function checkName(targets: readonly TargetKey[], name: string | undefined): void {
  const known = new Set(targets.flatMap((target) => parseTargetKey(target)?.application ?? []));
  if (name === undefined || known.has(name)) return;
  throw new PlumbError('ApplicationMissing', `nothing was ever released of an application ${name}`, {
    fix: known.size === 0 ? 'Name one that is on the cluster.' : `Name one of: ${[...known].slice(0, 10).join(', ')}.`,
  });
}

function isMeant(
  { target }: DriftRecord,
  { env }: DriftFlags,
  name: string | undefined,
  { namedNamespace }: Pick<ChosenCluster, 'namedNamespace'>,
): boolean {
  const ref = parseTargetKey(target);
  return (
    ref !== undefined &&
    (name === undefined || ref.application === name) &&
    (env === undefined || ref.environment === env) &&
    (namedNamespace === undefined || ref.namespace === namedNamespace)
  );
}
