import type { Application, TargetStatus } from '@plumb/api';
import { formatWhere, PlumbError, shortName, refOf, targetKey, type TargetKey, oneLine } from '@plumb/core';
import { openLedgerReadOnly, releaseName, type LedgerReader } from '@plumb/ledger';
import { changeLines, type PlacedChange } from '../change-lines.ts';
import { openApplication } from '../chosen-application.ts';
import type { ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { describeAbsence, readEngineSign } from '../engine-lease.ts';
import { EXIT } from '../exit-codes.ts';
import { FieldAuthors, type Author, type PlacedChanges } from '../field-authors.ts';
import type { EveryVerb } from '../flags.ts';
import { readEngineRules, type EngineRuleFlags } from '../health-rules.ts';
import { readLiveTree, type TreeNode } from '../live-tree.ts';
import { mostTellingFirst, readOrigin, type ObjectOrigin } from '../object-origin.ts';
import { jsonText } from '../json-text.ts';
import { showSign, STATE_SIGNS, type Style } from '../style.ts';
import { JSON_VERSION } from '../version.ts';

export interface WhyFlags extends EveryVerb, ClusterFlags, EngineRuleFlags {
  readonly env?: string | undefined;
  readonly output: 'text' | 'json';
}

/** The commit that made the object what it is, and the fields that changed with it, as far as their lines are known. */
interface Change extends Author {
  /** `r2`. */
  readonly release: string;
  readonly fields: readonly { readonly path: string; readonly file?: string; readonly line?: number | undefined }[];
}

/** Why one target is as it is: each link of the chain leads to the next, as far as that is known. */
export interface Explanation {
  readonly app: string;
  readonly env: string;
  readonly state: TargetStatus['state'];
  /** What is the matter, in one sentence. */
  readonly what: string;
  readonly object?: string;
  readonly change?: Change;
  readonly because: readonly string[];
  /** What could not be found out, and why. */
  readonly unknown: readonly string[];
  readonly tryNext: readonly string[];
}

/** `plumb why`: from what is red to the line and the commit that made it so. */
export async function why(this: CliContext, flags: WhyFlags, name?: string): Promise<void> {
  const { cwd, clock, signal } = this.surroundings;
  const { assess } = await readEngineRules(flags, cwd, clock);
  await using chosen = await openApplication(this, flags, name);
  const { client, cluster, application } = chosen;
  await using authors = new FieldAuthors(this.surroundings, chosen);
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
    const origin = worst === undefined ? undefined : await originsOf(ledger, authors, target, worst);
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

/** What is known of the change that did it: links of the chain, and what is not known. */
interface Origins {
  readonly because: readonly string[];
  readonly unknown: readonly string[];
  readonly change?: Change;
}

async function originsOf(
  ledger: LedgerReader | PlumbError,
  authors: FieldAuthors,
  target: TargetKey,
  { object, health }: TreeNode,
): Promise<Origins> {
  if (ledger instanceof PlumbError) {
    return { because: [], unknown: [`what changed it: ${ledger.message} (the ledger lies where the engine runs)`] };
  }
  const found = await readOrigin(ledger, target, object);
  if (typeof found === 'string') return { because: [], unknown: [`what changed it: ${found}`] };
  const changes = mostTellingFirst(found.changes ?? [], health.message);
  const { release, previous, origin, isNew } = found;
  if (origin === undefined || isNew || isOfSameCommit(found)) return originLinks(found, { changes });
  try {
    const commit = { target, commit: release.commit, before: previous?.commit };
    return originLinks(found, await authors.find({ ...commit, origin, changes }));
  } catch (thrown) {
    if (!(thrown instanceof PlumbError)) throw thrown;
    return originLinks(found, { changes, failure: thrown });
  }
}

/** Then no commit made the change: what comes from elsewhere did. */
function isOfSameCommit({ release, previous }: ObjectOrigin): boolean {
  return previous?.commit === release.commit;
}

const MAX_CHANGES = 3;

/** Links from the field that changed to who changed it. Pure. */
export function originLinks(
  found: ObjectOrigin,
  placed: Partial<PlacedChanges> & Pick<PlacedChanges, 'changes'> & { readonly failure?: PlumbError },
): Origins {
  const { release, origin, good, isNew } = found;
  const { changes, place = origin, failure } = placed;
  const author = placed.author ?? { commit: release.commit, name: release.author, subject: release.subject };
  const at = place === undefined ? '' : `${formatWhere(place)}, `;
  const who = isOfSameCommit(found)
    ? elsewhereText(found)
    : `${at}commit ${author.commit.slice(0, 7)}, ${author.name}: ${author.subject}`;
  const name = releaseName(release.number);
  const unknown = [
    ...(failure === undefined ? [] : [`the line of the field: ${failure.message}`]),
    ...(found.wasHealthy ? [`whether that is the cause: ${name} was healthy at first`] : []),
  ];
  if (good === undefined) {
    return { because: [who], unknown: ['what it was like before: no earlier release was healthy', ...unknown] };
  }
  const before = releaseName(good.number);
  if (found.changes === undefined) {
    return {
      because: [who],
      unknown: [`which field changed: the objects of ${before} are not kept any more`, ...unknown],
    };
  }
  if (changes.length === 0) {
    return { because: [`it is as it was in ${before}, which was healthy: look outside of Git`], unknown: [] };
  }
  const change = { release: name, ...author, fields: isNew ? [] : changes.map(fieldOf) };
  const known = isOfSameCommit(found) ? {} : { change };
  if (isNew) return { because: [`it is new in ${name}`, who], unknown, ...known };
  const lines = changeLines(changes, place);
  const more = lines.length - MAX_CHANGES;
  const shown = [...lines.slice(0, MAX_CHANGES), ...(more > 0 ? [`${more} more fields`] : [])];
  return { because: [`${shown.join(', ')} in ${name}`, who], unknown, ...known };
}

function fieldOf({ path, place }: PlacedChange): Change['fields'][number] {
  return { path, ...(place === undefined ? {} : { file: place.file, line: place.line }) };
}

function elsewhereText({ release, previous }: ObjectOrigin): string {
  const same = `not by a commit: ${releaseName(previous?.number ?? 0)} is of ${release.commit.slice(0, 7)} too`;
  return previous?.chart === release.chart
    ? `${same}, so look at the Application's own values, at its variables and at what the cluster can do`
    : `${same}, but chart ${previous?.chart ?? 'none'} → ${release.chart ?? 'none'}`;
}

/** Puts the links together. Pure. */
export function explain(
  application: Application,
  status: TargetStatus,
  worst: TreeNode | undefined,
  origin: Origins | undefined,
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
      ...(origin?.change === undefined ? {} : { change: origin.change }),
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
