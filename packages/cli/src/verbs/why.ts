import { APPLICATION, type Application, type TargetStatus } from '@plumb/api';
import {
  diffObjects,
  formatChanges,
  formatWhere,
  keyOf,
  PlumbError,
  shortName,
  refOf,
  targetKey,
  type KubeObject,
  type TargetKey,
} from '@plumb/core';
import { openLedgerReadOnly, releaseName, type LedgerReader, type Release } from '@plumb/ledger';
import { checkEnvironment, decodedApplication, listObjects, selectOne } from '../applications.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, readEngineSign } from '../engine-lease.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import { readEngineRules, type EngineRuleFlags } from '../health-rules.ts';
import { readLiveTree, type TreeNode } from '../live-tree.ts';
import { jsonText, oneLine } from '../printable.ts';
import { showSign, STATE_SIGNS, type Style } from '../style.ts';
import { JSON_VERSION } from '../version.ts';

export interface WhyFlags extends EveryVerb, ClusterFlags, EngineRuleFlags {
  readonly env?: string | undefined;
  readonly output: 'text' | 'json';
}

/** Why one target is as it is: each link of the chain leads to the next, as far as that is known. */
export interface Explanation {
  readonly app: string;
  readonly env: string;
  readonly state: TargetStatus['state'];
  /** What is the matter, in one sentence. */
  readonly what: string;
  readonly object?: string;
  readonly because: readonly string[];
  /** What could not be found out, and why. */
  readonly unknown: readonly string[];
  readonly tryNext: readonly string[];
}

/** `plumb why`: from what is red to the line and the commit that made it so. */
export async function why(this: CliContext, flags: WhyFlags, name?: string): Promise<void> {
  const { cwd, clock, signal } = this.surroundings;
  const { assess } = await readEngineRules(flags, cwd, clock);
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  const object = selectOne(await listObjects(client, APPLICATION.kind, cluster, { signal }), name, cluster);
  const application = decodedApplication(object);
  checkEnvironment(application, flags.env);
  const engine = await readEngineSign(client, {
    namespaces: [application.metadata.namespace],
    now: clock.now(),
    signal,
  });
  await using stack = new AsyncDisposableStack();
  const ledger = await openLedgerReadOnly(cluster.stateFolder).then(
    (opened) => stack.use(opened),
    (thrown: unknown) => {
      if (thrown instanceof PlumbError) return thrown;
      throw thrown;
    },
  );
  const explanations: Explanation[] = [];
  for (const status of statusesOf(application, flags.env)) {
    const environment = status.name === '' ? undefined : status.name;
    const { namespace, name: app } = application.metadata;
    const target = targetKey({ namespace, application: app, environment });
    const isRollout = status.state === 'Degraded' || status.state === 'Syncing';
    const tree = isRollout ? await readLiveTree(client, application, target, { signal, assess }) : [];
    const worst = tree.find(({ health }) => health.status === 'Degraded' || health.status === 'Progressing');
    const origin = worst === undefined ? undefined : await originOf(ledger, target, worst.object);
    const explanation = explain(application, status, worst, origin);
    const stale = engine.isRunning ? [] : [`whether this is still so: ${describeAbsence(engine, clock.now())}`];
    explanations.push({ ...explanation, unknown: [...stale, ...explanation.unknown] });
  }
  const isWell = explanations.every(({ state }) => state === 'Healthy') && engine.isRunning;
  this.answer(isWell ? EXIT.yes : EXIT.no);
  if (flags.output === 'json') {
    this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Why', items: explanations }, 2)}\n`);
  } else this.show(explanations.map((explanation) => whyText(explanation, this.style)).join('\n'));
}

function statusesOf({ status, spec }: Application, environment: string | undefined): readonly TargetStatus[] {
  const told = (status?.environments ?? []).filter(({ name }) => environment === undefined || name === environment);
  if (told.length > 0) return told;
  const name = spec.environments === undefined ? '' : (environment ?? '');
  return [{ name, state: status?.state ?? 'Pending', message: status?.message ?? 'Not looked at yet.' }];
}

/** What changed an object last, told from two releases: the running one, and the last healthy one before it. */
interface ObjectOrigin {
  readonly because: readonly string[];
  readonly unknown: readonly string[];
}

async function originOf(
  ledger: LedgerReader | PlumbError,
  target: TargetKey,
  object: KubeObject,
): Promise<ObjectOrigin> {
  if (ledger instanceof PlumbError) {
    return { because: [], unknown: [`what changed it: ${ledger.message} (the ledger lies where the engine runs)`] };
  }
  const releases = await ledger.releases(target, { limit: MAX_RELEASES });
  const [current] = releases;
  if (current === undefined) return { because: [], unknown: ['what changed it: nothing was released yet'] };
  const now = (await ledger.releaseObjects(target, current.number))?.find(
    (entry) => keyOf(entry.object) === keyOf(object),
  );
  if (now === undefined) {
    return { because: [], unknown: [`what changed it: it is not part of ${releaseName(current.number)}`] };
  }
  const good = releases.find(({ outcome, number }) => outcome === 'healthy' && number < current.number);
  const kept = good === undefined ? undefined : await ledger.releaseObjects(target, good.number);
  const before = kept?.find((entry) => keyOf(entry.object) === keyOf(object))?.object;
  // The first release after the good one in which it is as it is now: its commit is the one that did it.
  const culprit = await firstWith(ledger, target, releases, now.object, good, current);
  const place = now.origin === undefined ? '' : `${formatWhere(now.origin)}, `;
  const who = `${place}commit ${culprit.commit.slice(0, 7)}, ${culprit.author}: ${culprit.subject}`;
  if (good === undefined) {
    return { because: [who], unknown: ['what it was like before: no earlier release was healthy'] };
  }
  if (kept === undefined) {
    return {
      because: [who],
      unknown: [`which field changed: the objects of ${releaseName(good.number)} are not kept any more`],
    };
  }
  const lines = formatChanges(diffObjects(before, now.object));
  if (lines.length === 0) {
    return {
      because: [`it is as it was in ${releaseName(good.number)}, which was healthy: look outside of Git`],
      unknown: [],
    };
  }
  const release = releaseName(culprit.number);
  if (before === undefined) return { because: [`it is new in ${release}`, who], unknown: [] };
  const more = lines.length - MAX_CHANGES;
  const shown = [...lines.slice(0, MAX_CHANGES), ...(more > 0 ? [`${more} more fields`] : [])];
  return { because: [`${shown.join(', ')} in ${release}`, who], unknown: [] };
}

async function firstWith(
  ledger: LedgerReader,
  target: TargetKey,
  releases: readonly Release[],
  object: KubeObject,
  good: Release | undefined,
  current: Release,
): Promise<Release> {
  let first = current;
  for (const release of releases) {
    if (release.number >= current.number) continue;
    if (release.number <= (good?.number ?? 0)) break;
    const entries = await ledger.releaseObjects(target, release.number);
    const then = entries?.find((entry) => keyOf(entry.object) === keyOf(object));
    if (then === undefined || diffObjects(then.object, object).length > 0) break;
    first = release;
  }
  return first;
}

const MAX_RELEASES = 50;
const MAX_CHANGES = 3;

/** Puts the links together. Pure. */
export function explain(
  application: Application,
  status: TargetStatus,
  worst: TreeNode | undefined,
  origin: ObjectOrigin | undefined,
): Explanation {
  const { name: app } = application.metadata;
  const { name: env, state, message = '' } = status;
  const at = `${app}${env === '' ? '' : ` -e ${env}`}`;
  const base = { app, env, state, because: [], unknown: [], tryNext: [] };
  if (state === 'Healthy') return { ...base, what: `${app} is healthy: ${message}` };
  if (worst !== undefined) {
    const object = shortName(refOf(worst.object));
    return {
      ...base,
      object,
      what: `${object} is ${worst.health.status.toLowerCase()}${status.since === undefined ? '' : ` since ${status.since}`}`,
      because: [worst.health.message, ...(origin?.because ?? [])],
      unknown: origin?.unknown ?? [],
      tryNext: [`plumb history ${at}`, `plumb plan ${at}`],
    };
  }
  const because = (status.failures ?? []).map((failure) => {
    const place =
      failure.file === undefined
        ? ''
        : `${formatWhere({ file: failure.file, ...(failure.line === undefined ? {} : { line: failure.line }) })}: `;
    return `${place}${failure.message} (${failure.code})${failure.fix === undefined ? '' : ` ${failure.fix}`}`;
  });
  return { ...base, what: `${app} is ${state.toLowerCase()}: ${message}`, because, tryNext: [`plumb plan ${at}`] };
}

/** The chain for people, one link a line. */
export function whyText(explanation: Explanation, style: Style): string {
  const { env, state, what, because, unknown, tryNext } = explanation;
  const lines = [
    `${showSign(style, STATE_SIGNS[state])} ${env === '' ? '' : `${env}: `}${oneLine(what)}`,
    ...because.map((link) => `  because  ${oneLine(link)}`),
    ...unknown.map((link) => `  unknown  ${oneLine(link)}`),
    ...(tryNext.length === 0 ? [] : [`Try  ${tryNext.map(oneLine).join('   |   ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}
