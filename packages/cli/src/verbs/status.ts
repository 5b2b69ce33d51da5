import { APPLICATION, shortRevision, type State } from '@plumb/api';
import { PlumbError, oneLine } from '@plumb/core';
import { plumbResource } from '../list-objects.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, formatAge } from '../engine-lease.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { readFleet, type Fleet, type FleetRow } from '../fleet.ts';
import { jsonText } from '../json-text.ts';
import { paint, showSign, STATE_SIGNS, type Style } from '../style.ts';
import { formatTable } from '../table.ts';
import { JSON_VERSION } from '../version.ts';
import { yamlText } from '../yaml-text.ts';

export interface StatusFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly output: 'table' | 'wide' | 'json' | 'yaml' | 'jsonl' | 'name';
  readonly watch?: boolean | undefined;
}

/** `plumb status`: how the applications are, as their own statuses tell it. */
export async function status(this: CliContext, flags: StatusFlags, name?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const look = async (): Promise<void> => {
    const query = { name, environment: flags.env };
    const fleet = await readFleet(client, cluster, query, { now: clock.now(), signal });
    if (flags.env !== undefined && fleet.rows.length === 0) {
      throw new PlumbError('EnvironmentMissing', `no application has an environment ${flags.env}`);
    }
    this.answer(isWell(fleet) ? EXIT.yes : EXIT.no);
    if (flags.output === 'table' || flags.output === 'wide') {
      this.show(fleetText(fleet, { style: this.style, now: clock.now(), isWide: flags.output === 'wide' }));
      if (name !== undefined) this.show(fleet.rows.map(pendingText).join(''));
    } else this.print(fleetData(fleet, flags.output));
  };
  await look();
  if (flags.watch !== true) return;

  const resource = await plumbResource(client, APPLICATION.kind, { signal });
  let turn = Promise.withResolvers<void>();
  await using _watch = client.reflect(resource, {
    namespace: cluster.namedNamespace,
    trim: ({ apiVersion, kind, metadata }) => ({ apiVersion, kind, metadata: { ...metadata, managedFields: [] } }),
    onChange: () => turn.resolve(),
    signal,
  });
  const interrupted = rejectOnAbort(signal);
  for (;;) {
    await Promise.race([turn.promise, interrupted]);
    // Many changes come together; one picture of them is enough.
    await clock.sleep(SETTLE_MS, { signal });
    turn = Promise.withResolvers();
    if (flags.output === 'table' || flags.output === 'wide') this.show('\n');
    await look();
  }
}

const SETTLE_MS = 500;

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** Of one application that was asked for: which deletions wait, why, and what lets them go. */
function pendingText({ app, env, pendingDeletions, failures }: FleetRow): string {
  if (pendingDeletions === undefined) return '';
  const { count, objects = [], reason = '' } = pendingDeletions;
  const lines = objects.map(({ object, removedBy, takes }) => {
    const facts = [
      ...(takes === undefined ? [] : [`takes ${takes} of its kind with it`]),
      ...(removedBy === undefined ? [] : [`removed by ${removedBy}`]),
    ];
    return `  − ${[object, ...facts].map(oneLine).join('   ')}\n`;
  });
  const rest = count > objects.length ? `  and ${count - objects.length} more: plumb plan ${app}\n` : '';
  const fix = failures.find(({ code }) => code === 'DeletionBlocked')?.fix;
  const place = env === '' ? app : `${app} ${env}`;
  const what = `\n${count === 1 ? '1 deletion' : `${count} deletions`} of ${place} wait: ${oneLine(reason)}\n`;
  return `${what}${lines.join('')}${rest}${fix === undefined ? '' : `  ${oneLine(fix)}\n`}`;
}

function isWell({ rows }: Fleet): boolean {
  return rows.every(({ state, isStale }) => !isStale && (state === 'Healthy' || state === 'Suspended'));
}

interface TableOptions {
  readonly style: Style;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly isWide: boolean;
}

/** One row an application with a column for each environment; `wide` is one row a target. */
export function fleetText(fleet: Fleet, options: TableOptions): string {
  const { rows, engine } = fleet;
  if (rows.length === 0) return 'No applications yet. Add one with "plumb repo add" and "plumb app add".\n';
  const table = options.isWide ? wideTable(rows, options) : matrix(rows, options);
  const absence = engine.isRunning ? '' : `${describeAbsence(engine, options.now)}: these states may be out of date.\n`;
  return `${formatTable(table)}${countsLine(rows, options)}\n${capitalized(absence)}`;
}

function matrix(rows: readonly FleetRow[], options: TableOptions): readonly (readonly string[])[] {
  const applications = Map.groupBy(rows, ({ namespace, app }) => `${namespace}/${app}`);
  const environments = [...new Set(rows.map(({ env }) => env))].filter((env) => env !== '');
  const columns = rows.some(({ env }) => env === '') ? ['', ...environments] : environments;
  const showsNamespace = new Set(rows.map(({ namespace }) => namespace)).size > 1;
  const header = columns.map((env) => (env === '' ? 'STATE' : env.toUpperCase()));
  const body = [...applications.values()].map((targets) => {
    const [first] = targets;
    const cells = columns.map((env) => {
      const row = targets.find((target) => target.env === env);
      return row === undefined ? '' : cellText(row, options);
    });
    return [...(showsNamespace ? [first?.namespace ?? ''] : []), first?.app ?? '', ...cells, whyOf(targets)];
  });
  return [[...(showsNamespace ? ['NAMESPACE'] : []), 'APP', ...header, 'WHY'], ...body];
}

function wideTable(rows: readonly FleetRow[], options: TableOptions): readonly (readonly string[])[] {
  const { style, now } = options;
  const body = rows.map((row) => [
    row.namespace,
    row.app,
    row.env || '-',
    `${showSign(style, STATE_SIGNS[shownState(row)])} ${row.state}`,
    row.revision === undefined ? '-' : shortRevision(row.revision),
    row.release ?? '-',
    row.objects === undefined ? '-' : String(row.objects),
    row.since === undefined ? '-' : formatAge(now - Date.parse(row.since)),
    oneLine(row.why ?? ''),
  ]);
  const header = ['NAMESPACE', 'APP', 'ENV', 'STATE', 'REVISION', 'RELEASE', 'OBJECTS', 'SINCE', 'WHY'];
  return [header, ...body];
}

/** `✓ 9f3c1ab  2m`: the sign, the commit that runs there, and for how long it has been so. */
function cellText(row: FleetRow, { style, now }: TableOptions): string {
  const sign = showSign(style, STATE_SIGNS[shownState(row)]);
  const revision = row.revision === undefined ? row.state : oneLine(shortRevision(row.revision));
  const age = row.since === undefined ? '' : ` ${paint(style, 'gray', formatAge(now - Date.parse(row.since)))}`;
  return `${sign} ${revision}${age}`;
}

function shownState({ state, isStale }: FleetRow): State {
  return isStale ? 'Stale' : state;
}

/** The cause of the worst target first; which one it is, is said where there are several. */
function whyOf(targets: readonly FleetRow[]): string {
  const [worst] = targets
    .filter(({ why }) => why !== undefined)
    .toSorted((a, b) => SEVERITY.indexOf(a.state) - SEVERITY.indexOf(b.state));
  if (worst?.why === undefined) return '';
  const why = oneLine(worst.why);
  return shorten(worst.env === '' || why.startsWith(`${worst.env}: `) ? why : `${worst.env}: ${why}`);
}

/** `-o wide` and `-o json` have all of it. */
function shorten(text: string): string {
  return text.length <= MAX_WHY ? text : `${text.slice(0, MAX_WHY - 1)}…`;
}

const MAX_WHY = 160;

const SEVERITY: readonly State[] = [
  'Failed',
  'Degraded',
  'Drifted',
  'Held',
  'Syncing',
  'Pending',
  'Suspended',
  'Stale',
  'Healthy',
];

/** `1 failed  2 healthy`: every target counted once, worst first. */
function countsLine(rows: readonly FleetRow[], { style }: TableOptions): string {
  const counts = Map.groupBy(rows, shownState);
  const known = [...SEVERITY].filter((state) => counts.has(state));
  return known
    .map((state) => `${showSign(style, STATE_SIGNS[state])} ${counts.get(state)?.length ?? 0} ${state.toLowerCase()}`)
    .join('   ');
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function fleetData({ rows, engine }: Fleet, output: 'json' | 'yaml' | 'jsonl' | 'name'): string {
  const items = rows.map(rowData);
  if (output === 'name') return [...new Set(rows.map(({ namespace, app }) => `${namespace}/${app}\n`))].join('');
  if (output === 'jsonl') return items.map((item) => `${jsonText({ apiVersion: JSON_VERSION, ...item })}\n`).join('');
  const seenAt = engine.seenAt === undefined ? undefined : new Date(engine.seenAt).toISOString();
  const document = { apiVersion: JSON_VERSION, kind: 'Status', engine: { running: engine.isRunning, seenAt }, items };
  return output === 'json' ? `${jsonText(document, 2)}\n` : yamlText(document);
}

function rowData(row: FleetRow): object {
  const { namespace, app, env, state, isStale, revision, release, objects, since, why, reason, failures } = row;
  return {
    namespace,
    app,
    ...(env === '' ? {} : { env }),
    state: isStale ? 'Stale' : state,
    ...(isStale ? { lastState: state } : {}),
    release,
    commit: revision,
    objects,
    since,
    ...(why === undefined ? {} : { why: { reason, message: why } }),
    ...(failures.length === 0 ? {} : { failures }),
    ...(row.pendingDeletions === undefined ? {} : { pendingDeletions: row.pendingDeletions }),
  };
}
