import { APPLICATION, decodeApplication, type Application } from '@plumb/api';
import { PlumbError, type KubeObject, type Plan, type TargetKey } from '@plumb/core';
import { planTarget, targetsOf, type PlanRequest, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { listObjects } from './applications.ts';
import type { ChosenCluster } from './cluster.ts';
import { openRemote, repositoryOf, type PlanSource, type WorkingCopy } from './plan-source.ts';
import { throwAll } from './report-error.ts';

export interface Planned {
  readonly application: Application;
  readonly spec: TargetSpec;
  readonly plan: Plan;
  readonly source: PlanSource;
}

export interface PlanContext {
  readonly client: KubeClient;
  readonly renderer: PlanRequest['renderer'];
  readonly known: readonly KubeObject[];
  readonly workingCopy: WorkingCopy | undefined;
  /** The environment to plan; undefined plans all. */
  readonly env: string | undefined;
  /** Instead of the ref that is followed. */
  readonly ref: string | undefined;
  readonly signal: AbortSignal;
}

/** What a commit, or the working copy, would do to the targets of an application, one after another. */
export async function planApplication(context: PlanContext, application: Application): Promise<readonly Planned[]> {
  const { client, renderer, known, workingCopy, env, ref, signal } = context;
  const specs = targetsOf(application).filter(({ environment }) => env === undefined || environment === env);
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
    const source = workingCopy ?? (await remote?.at(ref ?? spec.revision, { signal }));
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
    planned.push({ application, spec, plan: result.value, source });
  }
  return planned;
}

/** The Applications of the cluster; none where it does not know Plumb and a working copy says itself what there is. */
export async function knownApplications(
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
