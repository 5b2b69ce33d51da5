import { setTimeout as sleep } from 'node:timers/promises';
import { shortNameOf, type KubeObject } from '@plumb/core';
import { openLedgerReadOnly, type DriftRecord } from '@plumb/ledger';
import { requestsBetween, totalOf, type RequestCounts } from './api-requests.ts';
import { samplesOf } from './exposition.ts';
import { applicationOf, filesOf, nameOf, NAMESPACE } from './fleet.ts';
import { settled } from './phase.ts';
import { quantile } from './quantile.ts';
import { goal, readable, rounded, type Bench, type BenchOptions, type Goal, type Measured } from './result.ts';
import { openRun, type Run } from './run.ts';

const GOAL_COUNT = 1_000;
const EDITS = 100;
const IDLE_SECONDS = 600;
const SHORT_IDLE_SECONDS = 60;
/** Between two edits: a person, or a script of one, does not wait for the first to be healed. */
const PAUSE_MS = 50;
const MANAGER = 'bench-edit';

export const drift: Bench = {
  name: 'drift',
  summary: `${EDITS} edits of live objects by a second client, over --count N applications of four objects, default ${GOAL_COUNT}`,
  run: runDrift,
};

export interface DriftFigures {
  readonly count: number;
  /** How many edits were a drift: the others only added labels. */
  readonly drifts: number;
  /** Seconds from before the edit was sent. */
  readonly detected: Spread;
  readonly healed: Spread;
  /** To the API server, of the engine, without status. */
  readonly requestsPerHealed: number;
  readonly requestsByVerb: Readonly<Record<string, number>>;
  /** Applied objects that nobody had changed. */
  readonly writesWithoutDrift: number;
  /** Drifts that are told as whose they are, as far as managedFields can tell. */
  readonly attributed: number;
  readonly idleSeconds: number;
  readonly idleRequests: number;
}

interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

interface Edit {
  readonly object: string;
  readonly how: 'changed' | 'deleted' | 'labelled';
  /** Epoch milliseconds, before it was sent. */
  readonly at: number;
}

async function runDrift(options: BenchOptions): Promise<Measured> {
  const count = options.count ?? GOAL_COUNT;
  const indices = Array.from({ length: count }, (_, index) => index);
  await using run = await openRun(
    {
      applications: indices.map((index) => applicationOf(index) as KubeObject),
      files: Object.assign({}, ...indices.map((index) => filesOf(index, '1'))) as Record<string, string>,
      label: `drift-${count}`,
    },
    options,
  );
  options.say(`${count} applications, ${EDITS} edits`);
  await run.create();
  const figures = { count, ...(await measureEdits(run, count)), ...(await measureIdle(run, options)) };
  options.say(`  detected ${spreadText(figures.detected)}, healed ${spreadText(figures.healed)}`);
  options.say(`  ${rounded(figures.requestsPerHealed)} requests a healed object`);
  return {
    name: count === GOAL_COUNT ? 'drift' : `drift-${count}`,
    figures: readable(figures),
    goals: goalsOf(figures),
  };
}

/** The promises for this bench, as `figures` keep them. */
export function goalsOf(figures: DriftFigures): readonly Goal[] {
  const { drifts, detected, healed, requestsPerHealed, writesWithoutDrift, attributed, idleRequests } = figures;
  return [
    goal('detected: p95', 1, detected.p95, 's'),
    goal('healed: p95', 2, healed.p95, 's'),
    goal('requests a healed object', 3, requestsPerHealed, 'requests'),
    goal('writes without a drift', 0, writesWithoutDrift, 'writes'),
    goal('drifts told as whose they are not', 0, drifts - attributed, 'drifts'),
    goal('idle: requests', 0, idleRequests, 'requests'),
  ];
}

async function measureEdits(
  run: Run,
  count: number,
): Promise<Omit<DriftFigures, 'count' | 'idleSeconds' | 'idleRequests'>> {
  const before = await countAll(run);
  const edits: Edit[] = [];
  for (let number = 0; number < EDITS; number += 1) {
    edits.push(await edit(run, number, count));
    await sleep(PAUSE_MS);
  }
  const wanted = new Map(edits.flatMap((made) => (made.how === 'labelled' ? [] : [[made.object, made] as const])));
  let records: readonly DriftRecord[] = [];
  await run.until(async () => {
    records = await recordsOf(run);
    return records.filter(({ end }) => end !== undefined).length >= wanted.size;
  }, 100);
  const after = await countAll(run);
  const requests = requestsBetween(before.requests, after.requests);
  const isOfEngine = (name: string): boolean => /^(?:APPLY|GET) /.test(name) && !name.endsWith('/status');
  const told = records.flatMap((record) => {
    const made = wanted.get(shortNameOf(record.object));
    return made === undefined ? [] : [{ record, made }];
  });
  return {
    drifts: wanted.size,
    detected: spreadOf(told.map(({ record, made }) => record.foundAt - made.at)),
    healed: spreadOf(told.map(({ record, made }) => (record.end?.at ?? Infinity) - made.at)),
    requestsPerHealed: totalOf(requests, isOfEngine) / wanted.size,
    requestsByVerb: Object.fromEntries(requests),
    writesWithoutDrift: after.applied - before.applied - wanted.size,
    attributed: told.filter(({ record, made }) => isWho(record, made)).length,
  };
}

/** A deletion leaves nothing behind that could tell; of an edit the manager is known, and no more may be said. */
function isWho({ kind, by }: DriftRecord, { how }: Edit): boolean {
  if (how === 'deleted') return kind === 'deleted' && by.tier === 'none';
  return kind === 'edited' && by.tier === 'manager' && by.manager === MANAGER;
}

const KINDS = [
  ['ServiceAccount', '/api/v1', 'serviceaccounts'],
  ['Service', '/api/v1', 'services'],
  ['Deployment', '/apis/apps/v1', 'deployments'],
  ['Ingress', '/apis/networking.k8s.io/v1', 'ingresses'],
] as const;

/** Each edit is of an application and a kind of its own; of ten, four change, three delete and three only add a label. */
async function edit(run: Run, number: number, count: number): Promise<Edit> {
  const name = nameOf(Math.floor((number * count) / EDITS));
  const [kind, root, plural] = KINDS[number % KINDS.length] ?? KINDS[0];
  const how = number % 10 < 4 ? 'changed' : number % 10 < 7 ? 'deleted' : 'labelled';
  const path = `${root}/namespaces/${NAMESPACE}/${plural}/${name}`;
  const at = Date.now();
  if (how === 'deleted') await run.api.send('DELETE', path);
  else {
    const labels = how === 'changed' ? { 'app.kubernetes.io/part-of': 'somebody' } : { touched: 'yes' };
    await run.api.send('PATCH', `${path}?fieldManager=${MANAGER}`, { metadata: { labels } });
  }
  return { object: `${kind}/${name}`, how, at };
}

async function measureIdle(
  run: Run,
  { short }: BenchOptions,
): Promise<Pick<DriftFigures, 'idleSeconds' | 'idleRequests'>> {
  const seconds = short ? SHORT_IDLE_SECONDS : IDLE_SECONDS;
  const before = await settled(run.api);
  await sleep(seconds * 1_000);
  const requests = requestsBetween(before, await settled(run.api));
  return { idleSeconds: seconds, idleRequests: totalOf(requests) };
}

async function recordsOf(run: Run): Promise<readonly DriftRecord[]> {
  await using ledger = await openLedgerReadOnly(run.place.stateFolder);
  return await ledger.drifts({ limit: 10 * EDITS });
}

/** Objects that were applied in earnest; the engine's own status and lease are none. */
async function countAll(run: Run): Promise<{ readonly requests: RequestCounts; readonly applied: number }> {
  const requests = await settled(run.api);
  let applied = 0;
  for (const { labels, value } of samplesOf(await run.api.text('/metrics'), 'apiserver_request_total')) {
    const { verb, resource, subresource = '', dry_run: dryRun = '' } = labels;
    const isObject = KINDS.some(([, , plural]) => plural === resource) && subresource === '';
    if (verb === 'APPLY' && isObject && dryRun === '') applied += value;
  }
  return { requests, applied };
}

function spreadOf(ms: readonly number[]): Spread {
  const seconds = ms.map((each) => Math.max(0, each) / 1_000);
  return { p50: quantile(seconds, 0.5), p95: quantile(seconds, 0.95), max: Math.max(...seconds) };
}

function spreadText({ p50, p95, max }: Spread): string {
  return `p50 ${rounded(p50)} s, p95 ${rounded(p95)} s, max ${rounded(max)} s`;
}
