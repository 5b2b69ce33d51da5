import { randomBytes } from 'node:crypto';
import type { Application } from '@plumb/api';
import {
  compareFiles,
  fieldAt,
  PlumbError,
  refOf,
  saysHook,
  secretMask,
  withPlainData,
  targetKey,
  type DocumentAt,
  type JsonObject,
  type KubeObject,
} from '@plumb/core';
import { listMembers, targetsOf, type TargetSpec } from '@plumb/engine';
import { openLedgerReadOnly, releaseName } from '@plumb/ledger';
import type { ChosenApplication } from './chosen-application.ts';
import type { CliContext } from './context.ts';
import { openRemote, repositoryOf } from './plan-source.ts';
import { byActionAndName, diffRenders, type RenderDiff, type RenderDiffItem } from './render-diff.ts';
import type { SideName } from './render-side.ts';
import { openRendererHere } from './renderer-here.ts';
import { throwAll } from './report-error.ts';
import type { RevisionRange } from './revision-range.ts';

/** What two states of an application differ in. */
export interface ApplicationDiff {
  readonly diff: RenderDiff;
  readonly from: SideName;
  readonly to: SideName;
}

/** One of the two: what runs, what Git says, what was released, or what an environment was released with last. */
interface Side {
  readonly name: SideName;
  /** Without the namespace that objects go to anyway: environments differ in it. */
  readonly documents: readonly DocumentAt[];
  /** Whether these are the objects as the server has them, with what it and others have added. */
  readonly isLive: boolean;
}

/**
 * Compares two states of an application: `live`, `git`, a release (`r12`) or an environment, each of which stands for its
 * last release. Errors: `EnvironmentMissing`, `ReleaseMissing`, `Usage` where it is not clear which environment is meant.
 */
export async function diffApplication(
  cli: CliContext,
  chosen: ChosenApplication,
  { from, to = 'live' }: RevisionRange,
  env: string | undefined,
): Promise<ApplicationDiff> {
  const left = await sideOf(cli, chosen, from, env);
  const right = await sideOf(cli, chosen, to, env);
  return { diff: differenceOf(left, right), from: left.name, to: right.name };
}

function differenceOf(left: Side, right: Side): RenderDiff {
  if (left.isLive === right.isLive) return diffRenders(left.documents, right.documents, { namespace: '' });
  if (right.isLive) return turned(differenceOf(right, left));
  // What is run and not kept need not be there.
  const kept = ({ documents }: Side): readonly DocumentAt[] =>
    documents.filter(({ value }) => !saysHook(fieldAt(value, 'metadata', 'annotations')));
  const mask = secretMask(randomBytes(32));
  const objects = (side: Side): KubeObject[] => kept(side).map(({ value }) => value as unknown as KubeObject);
  const { items, unchanged, liveOnly } = compareFiles(objects(left), objects(right), { namespace: '', mask });
  const origins = new Map(right.documents.map(({ value, origin }) => [identityOf(value), origin]));
  return {
    unchanged,
    items: [
      ...liveOnly.map((ref): RenderDiffItem => ({ action: 'delete', ref, origin: LIVE, changes: [] })),
      ...items.map(({ action, ref, changes }): RenderDiffItem => {
        const origin = origins.get(`${ref.kind} ${ref.namespace} ${ref.name}`) ?? LIVE;
        return { action, ref, origin, changes: action === 'create' ? [] : changes };
      }),
    ].toSorted(byActionAndName),
  };
}

const LIVE = { file: 'the cluster' } as const;

function identityOf(value: JsonObject): string {
  const { kind, namespace, name } = refOf(value as unknown as KubeObject);
  return `${kind} ${namespace} ${name}`;
}

const TURNED = { create: 'delete', change: 'change', delete: 'create' } as const;

function turned({ items, unchanged }: RenderDiff): RenderDiff {
  return {
    unchanged,
    items: items
      .map((item) => ({
        ...item,
        action: TURNED[item.action],
        changes: item.changes.map(({ path, before, after }) => ({
          path,
          ...(after === undefined ? {} : { before: after }),
          ...(before === undefined ? {} : { after: before }),
        })),
      }))
      .toSorted(byActionAndName),
  };
}

async function sideOf(
  cli: CliContext,
  chosen: ChosenApplication,
  text: string,
  env: string | undefined,
): Promise<Side> {
  const { application } = chosen;
  const environments = application.spec.environments?.map(({ name }) => name) ?? [];
  if (environments.includes(text)) return await releasedSide(chosen, text, undefined);
  const environment = env ?? (environments.length > 1 ? undefined : environments[0]);
  const release = /^r(\d+)$/.exec(text)?.[1];
  if (release === undefined && text !== 'live' && text !== 'git') {
    throw new PlumbError('EnvironmentMissing', `${application.metadata.name} has no environment ${text}`, {
      fix: `Compare two of: live, git, a release such as r12${environments.map((name) => `, ${name}`).join('')}.`,
    });
  }
  if (environment === undefined && environments.length > 1) {
    throw new PlumbError('Usage', `of which environment ${text} is meant is not said`, {
      fix: `Pass -e with one of: ${environments.join(', ')}.`,
    });
  }
  if (release !== undefined) return await releasedSide(chosen, environment, Number(release));
  return text === 'live' ? await liveSide(cli, chosen, environment) : await gitSide(cli, chosen, environment);
}

async function releasedSide(
  { application, cluster }: ChosenApplication,
  environment: string | undefined,
  number: number | undefined,
): Promise<Side> {
  const { namespace, name } = application.metadata;
  const target = targetKey({ namespace, application: name, environment });
  await using ledger = await openLedgerReadOnly(cluster.stateFolder);
  const releases = await ledger.releases(target, { limit: MAX_RELEASES });
  const release = number === undefined ? releases[0] : releases.find((one) => one.number === number);
  const stored = release === undefined ? undefined : await ledger.releaseObjects(target, release.number);
  if (release === undefined || stored === undefined) {
    const what = number === undefined ? 'no release' : `no objects of release r${number}`;
    throw new PlumbError(
      'ReleaseMissing',
      `the ledger has ${what} of ${name}${environment === undefined ? '' : ` ${environment}`}`,
    );
  }
  const spec = specOf(application, environment);
  const label = number === undefined ? (environment ?? releaseName(release.number)) : releaseName(release.number);
  return {
    name: { label, commit: release.commit },
    documents: stored.map(({ object, origin }) => documentOf(object, origin ?? { file: '' }, spec)),
    isLive: false,
  };
}

const MAX_RELEASES = 1_000;

async function gitSide(
  cli: CliContext,
  { application, client, cluster }: ChosenApplication,
  environment: string | undefined,
): Promise<Side> {
  const { signal } = cli.surroundings;
  const spec = specOf(application, environment);
  await using remote = await openRemote(client, await repositoryOf(client, application, signal), signal);
  const source = await remote.at(spec.revision, { signal });
  await using rendering = await openRendererHere(cli.surroundings, client, cluster);
  const { renderer } = rendering;
  const externals = await renderer.externalsOf(spec, { signal });
  const { tree, committedMs } = source;
  const rendered = await renderer.render(spec, { tree, externals, committedMs }, { signal });
  if (!rendered.ok) throwAll(rendered.error);
  return {
    name: { label: 'git', commit: source.commit },
    documents: rendered.value.objects.map(({ object, origin }) => documentOf(object, origin, spec)),
    isLive: false,
  };
}

async function liveSide(
  cli: CliContext,
  { application, client }: ChosenApplication,
  environment: string | undefined,
): Promise<Side> {
  const { signal } = cli.surroundings;
  const spec = specOf(application, environment);
  const objects = await listMembers(client, application, spec.target, { signal });
  return {
    name: { label: 'live', commit: undefined },
    documents: objects.map((object) => documentOf(object, LIVE, spec)),
    isLive: true,
  };
}

function specOf(application: Application, environment: string | undefined): TargetSpec {
  const spec = targetsOf(application).find((one) => one.environment === (environment ?? ''));
  if (spec === undefined) throw new PlumbError('EnvironmentMissing', `there is no environment ${environment ?? ''}`);
  return spec;
}

function documentOf(object: KubeObject, origin: DocumentAt['origin'], spec: TargetSpec): DocumentAt {
  const { namespace, ...metadata } = object.metadata;
  // How Git says the data of a Secret is no difference.
  const stored = withPlainData(object);
  const isElsewhere = namespace !== undefined && namespace !== spec.namespace;
  const placed = { ...stored, metadata: isElsewhere ? { ...metadata, namespace } : metadata };
  return { value: placed as unknown as JsonObject, origin };
}
