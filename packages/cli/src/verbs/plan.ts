import { API_VERSION, APPLICATION, decodeApplication, type Application } from '@plumb/api';
import { PlumbError, type KubeObject, type Plan, type TargetKey } from '@plumb/core';
import { planTarget, targetsOf, type PlanRequest } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { checkEnvironment, decodedApplication, listObjects, selectNamed, selectOne } from '../applications.ts';
import { chooseCluster, openClient, type ChosenCluster, type ClusterFlags } from '../cluster.ts';
import type { CliContext } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { EveryVerb } from '../flags.ts';
import {
  applicationsIn,
  openRemote,
  openWorkingCopy,
  repositoryOf,
  type PlanSource,
  type WorkingCopy,
} from '../plan-source.ts';
import { planData, planText } from '../plan-text.ts';
import { jsonText } from '../printable.ts';
import { openRendererHere } from '../renderer-here.ts';
import { throwAll } from '../report-error.ts';
import { JSON_VERSION } from '../version.ts';

export interface PlanFlags extends EveryVerb, ClusterFlags {
  readonly env?: string | undefined;
  readonly ref?: string | undefined;
  readonly local?: string | undefined;
  readonly release?: string | undefined;
  readonly full?: boolean | undefined;
  readonly exitCode?: boolean | undefined;
  readonly detailedExitcode?: boolean | undefined;
  readonly output: 'table' | 'json';
}

interface Planned {
  readonly plan: Plan;
  readonly source: PlanSource;
}

/** `plumb plan`: what a commit or a working copy would change on the cluster. Writes nothing. */
export async function plan(this: CliContext, flags: PlanFlags, name?: string): Promise<void> {
  const { cwd, clock, signal } = this.surroundings;
  if (flags.local !== undefined && flags.ref !== undefined) {
    throw new PlumbError('Usage', '--local and --ref exclude each other', { fix: 'Leave one of them out.' });
  }
  const workingCopy = flags.local === undefined ? undefined : await openWorkingCopy(flags.local, cwd, clock);
  const cluster = await chooseCluster(this, flags);
  await using client = openClient(this.surroundings, cluster.config);
  await using rendering = await openRendererHere(this.surroundings, client, cluster);
  const { renderer } = rendering;

  const known = await knownApplications(client, cluster, workingCopy !== undefined, signal);
  const chosen =
    workingCopy === undefined
      ? selectNamed(known, name, cluster).map((object) => decodedApplication(object))
      : await applicationsFor(this, workingCopy, known, name, cluster, flags);
  if (chosen.length === 0) {
    throw new PlumbError('ApplicationMissing', 'there is no application on this cluster', {
      fix: 'Add one with "plumb app add", or plan a working copy with --local DIR.',
    });
  }
  const planned: Planned[] = [];
  for (const application of chosen) {
    checkEnvironment(application, chosen.length === 1 ? flags.env : undefined);
    planned.push(...(await planApplication({ client, renderer, known, workingCopy, flags, signal }, application)));
  }

  for (const { plan: made, source } of flags.output === 'table' ? planned : []) {
    this.show(planText({ plan: made, label: source.label }, { style: this.style, isFull: flags.full ?? false }));
  }
  if (flags.output === 'json') {
    const items = planned.map(({ plan: made, source }) => planData({ plan: made, label: source.label }, source.commit));
    this.print(`${jsonText({ apiVersion: JSON_VERSION, kind: 'Plan', items }, 2)}\n`);
  }
  this.answer(exitCodeFor(planned, flags));
}

interface PlanContext {
  readonly client: KubeClient;
  readonly renderer: PlanRequest['renderer'];
  readonly known: readonly KubeObject[];
  readonly workingCopy: WorkingCopy | undefined;
  readonly flags: PlanFlags;
  readonly signal: AbortSignal;
}

async function planApplication(context: PlanContext, application: Application): Promise<readonly Planned[]> {
  const { client, renderer, known, workingCopy, flags, signal } = context;
  const specs = targetsOf(application).filter(
    ({ environment }) => flags.env === undefined || environment === flags.env,
  );
  if (specs.length === 0) return [];
  const parent = known.find(
    ({ metadata }) =>
      metadata.name === application.metadata.name &&
      (metadata.namespace ?? 'default') === application.metadata.namespace,
  );
  const living = new Set<TargetKey>(
    known.flatMap((object) => {
      const decoded = decodeApplication(object);
      return decoded.ok ? targetsOf(decoded.value).map(({ target }) => target) : [];
    }),
  );
  await using opened = new AsyncDisposableStack();
  const remote =
    workingCopy === undefined
      ? opened.use(await openRemote(client, await repositoryOf(client, application, signal), signal))
      : undefined;
  const planned: Planned[] = [];
  for (const spec of specs) {
    const source = workingCopy ?? (await remote?.at(flags.ref ?? spec.revision, { signal }));
    if (source === undefined) continue;
    const result = await planTarget({
      client,
      spec,
      tree: source.tree,
      committedMs: source.committedMs,
      renderer,
      parent,
      targets: living,
      removedBy: source.commit === undefined ? undefined : source.label,
      signal,
    });
    if (!result.ok) throwAll(result.error);
    planned.push({ plan: result.value, source });
  }
  return planned;
}

/** The Applications of the cluster; none where it does not know Plumb and a working copy says itself what there is. */
async function knownApplications(
  client: KubeClient,
  cluster: ChosenCluster,
  isLocal: boolean,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  try {
    return await listObjects(client, APPLICATION.kind, cluster, { signal });
  } catch (thrown) {
    if (isLocal && thrown instanceof PlumbError && thrown.code === 'NotRunning') return [];
    throw thrown;
  }
}

/**
 * What a working copy is planned as: the applications of the cluster whose folder it has; else those that it declares
 * itself; else the named folder as one application.
 */
async function applicationsFor(
  cli: CliContext,
  workingCopy: WorkingCopy,
  known: readonly KubeObject[],
  name: string | undefined,
  cluster: ChosenCluster,
  flags: PlanFlags,
): Promise<readonly Application[]> {
  const { signal } = cli.surroundings;
  const { tree, path } = workingCopy;
  if (known.length > 0 && flags.release === undefined) {
    if (name !== undefined) return [decodedApplication(selectOne(known, name, cluster))];
    const matching: Application[] = [];
    for (const application of known.map(decodedApplication)) {
      const folder = application.spec.source.path;
      const isBelow = path === '' || folder === path || folder.startsWith(`${path}/`);
      if (isBelow && (await tree.find(folder, { signal })) !== undefined) matching.push(application);
    }
    const repositories = new Set(
      matching.map(({ metadata, spec }) => `${metadata.namespace}/${spec.source.repository}`),
    );
    if (repositories.size > 1) {
      throw new PlumbError('Usage', 'several repositories have applications with folders of these names', {
        fix: `Name one of: ${matching.map(({ metadata }) => metadata.name).join(', ')}.`,
      });
    }
    if (matching.length > 0) return matching;
  }
  if (flags.release === undefined) {
    const declared = await applicationsIn(tree, { signal });
    if (declared.length > 0) return selectNamed(declared, name, cluster).map((object) => decodedApplication(object));
  }
  const application = {
    apiVersion: API_VERSION,
    kind: APPLICATION.kind,
    metadata: {
      name: flags.release ?? name ?? workingCopy.name,
      namespace: cluster.namespace,
    },
    spec: { source: { repository: 'local', path } },
  };
  cli.note(`No application has this folder: planning it as ${application.metadata.name} in ${cluster.namespace}.`);
  return [decodedApplication(application)];
}

function exitCodeFor(planned: readonly Planned[], flags: PlanFlags): number {
  const items = planned.flatMap(({ plan: made }) => made.items);
  // What the API server refuses now it refuses at the sync too.
  if (items.some(({ action }) => action === 'blocked')) return EXIT.no;
  if (items.length === 0) return EXIT.yes;
  if (flags.detailedExitcode === true) return TERRAFORM_CHANGES;
  return flags.exitCode === true ? EXIT.no : EXIT.yes;
}

/** What `terraform plan -detailed-exitcode` answers where there are changes. */
const TERRAFORM_CHANGES = 2;
