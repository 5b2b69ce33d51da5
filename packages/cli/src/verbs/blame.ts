import {
  attributionText,
  closest,
  formatWhere,
  parseTargetKey,
  PlumbError,
  refOf,
  shortName,
  trackedTarget,
  type FieldHolder,
  type Json,
  type KubeObject,
  type TargetKey,
  oneLine,
} from '@plumb/core';
import { listMembers } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { openLedgerReadOnly, releaseName } from '@plumb/ledger';
import { blameObject, type BlamedObject, type BlameRecords, type PlacedField } from '../blamed-object.ts';
import { openApplication, type ChosenApplication } from '../chosen-application.ts';
import { chooseCluster, openClient, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { formatAge } from '../engine-lease.ts';
import { FieldAuthors } from '../field-authors.ts';
import type { EveryVerb } from '../flags.ts';
import { isNamed, parseObjectName, readNamed, type ObjectName } from '../named-object.ts';
import { jsonText } from '../json-text.ts';
import { degrade, paint, showSign, STATE_SIGNS, type Style } from '../style.ts';
import { formatTable } from '../table.ts';
import { JSON_VERSION } from '../version.ts';

export interface BlameFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly field?: string | undefined;
  readonly status?: boolean | undefined;
  readonly output: 'text' | 'json';
}

/** `plumb blame`: who owns each field of a live object, since when, and which line of the repository says so. */
export async function blame(this: CliContext, flags: BlameFlags, first: string, second?: string): Promise<void> {
  const { clock, signal } = this.surroundings;
  await using stack = new AsyncDisposableStack();
  const named = parseObjectName(second ?? first);
  const { client, chosen, subjects } =
    second === undefined
      ? await lookUp(this, flags, named, stack)
      : await lookInto(this, flags, { app: first, named }, stack);
  const records = chosen === undefined ? undefined : await recordsOf(this, chosen, stack);
  const items: Blamed[] = [];
  for (const { object, target } of subjects) {
    const blamed = await blameObject(object, {
      client,
      records: records === undefined || target === undefined ? undefined : { ...records, target },
      withStatus: flags.status === true,
      isShown: (path) => flags.field === undefined || isWithin(path, flags.field),
      signal,
    });
    items.push({ ...blamed, target });
  }
  if (flags.field !== undefined && items.every(({ fields }) => fields.length === 0)) {
    throw new PlumbError('NotFound', `${named.kind}/${named.name} has no field ${flags.field}`, {
      fix: 'Leave --field out to see all of them.',
    });
  }
  if (flags.output === 'json') {
    this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Blame', items: items.map(blameData) }, 2)}\n`);
  } else this.show(items.map((item) => blameText(item, this.style, clock.now())).join('\n'));
}

interface Found {
  readonly client: KubeClient;
  /** Undefined of an object that belongs to no application. */
  readonly chosen: ChosenApplication | undefined;
  readonly subjects: readonly { readonly object: KubeObject; readonly target: TargetKey | undefined }[];
}

type Blamed = BlamedObject & { readonly target: TargetKey | undefined };

/** Among the objects of an application: in each environment, or in the one that is named. */
async function lookInto(
  cli: CliContext,
  flags: BlameFlags,
  { app, named }: { readonly app: string; readonly named: ObjectName },
  stack: AsyncDisposableStack,
): Promise<Found> {
  const { signal } = cli.surroundings;
  const chosen = stack.use(await openApplication(cli, flags, app));
  const { client, application } = chosen;
  const all: { object: KubeObject; target: TargetKey }[] = [];
  for (const { target } of chosen.targets) {
    const members = await listMembers(client, application, target, { signal });
    all.push(...members.map((object) => ({ object, target })));
  }
  const subjects = all.filter(({ object }) => isNamed(named, object));
  if (subjects.length > 0) return { client, chosen, subjects };
  const wanted = `${named.kind}/${named.name}`;
  const guess = closest(
    wanted,
    all.map(({ object }) => shortName(refOf(object))),
  );
  throw new PlumbError('NotFound', `${app} has no live object ${wanted}`, {
    fix: guess === undefined ? 'See what it has with "plumb tree".' : `Did you mean ${guess}?`,
  });
}

/** In a namespace, whosever it is. */
async function lookUp(
  cli: CliContext,
  flags: BlameFlags,
  named: ObjectName,
  stack: AsyncDisposableStack,
): Promise<Found> {
  if (flags.env !== undefined) {
    throw new PlumbError('Usage', '-e names an environment of an application', {
      fix: 'Name the application before the object.',
    });
  }
  const { signal } = cli.surroundings;
  const cluster = await chooseCluster(cli, flags);
  const client = stack.use(openClient(cli.surroundings, cluster.config));
  const object = await readNamed(client, named, { namespace: cluster.namespace, signal });
  const target = trackedTarget(object);
  const chosen = target === undefined ? undefined : await applicationOf(cli, flags, target);
  if (chosen !== undefined) stack.use(chosen);
  return { client, chosen, subjects: [{ object, target }] };
}

/** Undefined where it is gone, or may not be read: the object tells its owners all the same. */
async function applicationOf(
  cli: CliContext,
  flags: BlameFlags,
  target: TargetKey,
): Promise<ChosenApplication | undefined> {
  const ref = parseTargetKey(target);
  try {
    return await openApplication(cli, { ...flags, namespace: ref?.namespace }, ref?.application);
  } catch (thrown) {
    const isMissing = thrown instanceof PlumbError && MISSING.has(thrown.code);
    if (!isMissing) throw thrown;
    return undefined;
  }
}

const MISSING: ReadonlySet<string> = new Set(['ApplicationMissing', 'EnvironmentMissing', 'Forbidden', 'NotRunning']);

async function recordsOf(
  cli: CliContext,
  chosen: ChosenApplication,
  stack: AsyncDisposableStack,
): Promise<Omit<BlameRecords, 'target'>> {
  const authors = stack.use(new FieldAuthors(cli.surroundings, chosen));
  const ledger = await openLedgerReadOnly(chosen.cluster.stateFolder).then(
    (opened) => stack.use(opened),
    (thrown: unknown) => {
      if (thrown instanceof PlumbError) return thrown;
      throw thrown;
    },
  );
  return { authors, ledger };
}

/** Whether a field is the one that is asked for, is in it, or is called so: `spec.template`, `image`. */
function isWithin(path: string, asked: string): boolean {
  const isPart = path.startsWith(asked) && /^(?:$|[.[])/.test(path.slice(asked.length));
  return isPart || path.endsWith(`.${asked}`);
}

function blameData({ object, target, release, fields, unknown }: Blamed): object {
  const { apiVersion, kind, metadata } = object;
  const ref = target === undefined ? undefined : parseTargetKey(target);
  return {
    app: ref?.application,
    env: ref === undefined ? undefined : (ref.environment ?? ''),
    object: { apiVersion, kind, namespace: metadata.namespace, name: metadata.name },
    ...(release === undefined
      ? {}
      : { release: { name: releaseName(release.number), commit: release.commit, author: release.author } }),
    fields: fields.map(fieldData),
    unknown,
  };
}

function fieldData({
  path,
  value,
  holders,
  isOurs,
  git,
  isDifferent,
  attribution,
  place,
  author,
}: PlacedField): object {
  return { path, value, owners: holders, isOurs, git, isDifferent, attribution, ...place, author };
}

/** The table for people: one field a line, those that Git wants otherwise with a sign. Pure. */
export function blameText({ object, target, release, fields, unknown }: Blamed, style: Style, now: number): string {
  const { namespace } = object.metadata;
  const ref = target === undefined ? undefined : parseTargetKey(target);
  const whose = ref === undefined ? 'no application' : [ref.application, ref.environment].filter(Boolean).join(' ');
  const of = release === undefined ? '' : `, ${releaseName(release.number)} of ${release.commit.slice(0, 7)}`;
  const name = `${shortName(refOf(object))}${namespace === undefined ? '' : ` in ${namespace}`}`;
  const head = ['', 'FIELD', 'VALUE', 'OWNER', 'SINCE', 'SOURCE'].map((cell) => paint(style, 'bold', cell));
  const rows = fields.map((field) => {
    const sign = field.isDifferent ? showSign(style, STATE_SIGNS.Drifted) : '';
    const [first] = field.holders;
    const since = first?.time === undefined ? '' : formatAge(now - Date.parse(first.time));
    return [sign, field.path, valueText(field.value), ownerText(field), since, sourceText(field)].map((cell, index) =>
      index === 0 ? cell : oneLine(cell),
    );
  });
  const notes = unknown.map((what) => `unknown  ${oneLine(what)}\n`);
  return degrade(
    style,
    `${oneLine(name)}   ${oneLine(whose)}${of}\n${formatTable([head, ...rows], { gap: 2 })}${notes.join('')}`,
  );
}

const MAX_VALUE_LENGTH = 36;

function valueText(value: Json | undefined): string {
  if (value === undefined) return '(not there)';
  const text = typeof value === 'string' && /^[^\s"](?:.*\S)?$/.test(value) ? value : JSON.stringify(value);
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH - 1)}…`;
}

/** `plumb Apply`, `j.doe (kubectl-edit) Update`, `default`. */
function ownerText({ holders, attribution, value }: PlacedField): string {
  if (value === undefined) return 'nobody';
  if (holders.length === 0) return 'default';
  return holders
    .map(({ manager, operation, subresource }: FieldHolder, index) => {
      const isNamed = index === 0 && attribution?.user !== undefined;
      const who = isNamed ? attributionText(attribution) : manager;
      return [who, operation, ...(subresource === undefined ? [] : [subresource])].join(' ');
    })
    .join(', ');
}

function sourceText({ isDifferent, git, place, author }: PlacedField): string {
  const at = place === undefined ? '' : formatWhere(place);
  const by = author === undefined ? '' : `${author.commit.slice(0, 7)} ${author.name}: ${author.subject}`;
  const says = isDifferent ? `Git says ${valueText(git)}` : '';
  return [says, at, by].filter((part) => part !== '').join(', ');
}
