import { PlumbError, oneLine } from '@plumb/core';
import { chooseCluster, openClient } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import type { EveryVerb } from '../flags.ts';
import { coverText, restText } from '../hold-text.ts';
import { holdData, isHoldOf, listHolds, placeHold, type PlaceHoldFlags } from '../holds.ts';
import { jsonText } from '../json-text.ts';
import { paint } from '../style.ts';
import { formatTable } from '../table.ts';
import { JSON_VERSION } from '../version.ts';

export interface HoldVerbFlags extends EveryVerb, PlaceHoldFlags {
  readonly allowEdits?: boolean | undefined;
  readonly object?: string | undefined;
}

/** `plumb hold`: lets edits on the cluster stand for a while. `plumb hold list`: who does so, of what, and until when. */
export async function hold(this: CliContext, flags: HoldVerbFlags, first: string, second?: string): Promise<void> {
  if (first === 'list') return await showHolds(this, flags, second);
  if (second !== undefined) {
    throw new PlumbError('Usage', `there is one argument too many: "${second}"`, {
      fix: 'Name an object with --object KIND/NAME.',
    });
  }
  if (flags.allowEdits !== true) {
    throw new PlumbError('Usage', 'what is held is missing', {
      fix: 'Say --allow-edits: edits on the cluster stand while the hold lasts.',
    });
  }
  await placeHold(this, flags, { app: first, object: flags.object });
}

async function showHolds(cli: CliContext, flags: HoldVerbFlags, app: string | undefined): Promise<void> {
  const cluster = await chooseCluster(cli, flags);
  await using client = openClient(cli.surroundings, cluster.config);
  const holds = (await listHolds(cli, client, cluster)).filter((one) => {
    return (app === undefined || isHoldOf(one, app)) && (flags.env === undefined || one.spec.environment === flags.env);
  });
  const now = cli.surroundings.clock.now();
  if (flags.output === 'json') {
    const data = { apiVersion: JSON_VERSION, kind: 'Holds', items: holds.map((one) => holdData(one, now)) };
    cli.print(`${jsonText(data, 2)}\n`);
    return;
  }
  if (holds.length === 0) return cli.show('Nothing is held.\n');
  const isWide = new Set(holds.map(({ metadata }) => metadata.namespace)).size > 1;
  const head = ['NAME', 'APP', 'ENV', 'WHAT', 'BY', 'UNTIL', 'REASON'].map((cell) => paint(cli.style, 'bold', cell));
  const rows = holds.map(({ metadata, spec }) => [
    metadata.name,
    isWide ? `${metadata.namespace}/${spec.application}` : spec.application,
    spec.environment ?? '-',
    coverText(spec),
    oneLine(spec.by),
    restText(spec, now),
    oneLine(spec.reason),
  ]);
  cli.show(formatTable([head, ...rows]));
  for (const { metadata, status } of holds) {
    if (status?.message !== undefined) cli.show(`${oneLine(`${metadata.name}: ${status.message}`)}\n`);
  }
}
