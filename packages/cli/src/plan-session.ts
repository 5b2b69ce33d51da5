import { decodeHold, HOLD, type Application, type Hold } from '@plumb/api';
import {
  fieldAt,
  isJsonArray,
  parseObjectKey,
  PlumbError,
  REVERT_ALL,
  targetKey,
  type Clock,
  type ErrorCode,
  type KubeObject,
  type NormalisedObject,
  type ObjectKey,
  type Plan,
  type PlanPolicies,
  type TargetKey,
} from '@plumb/core';
import { holdOf, PlanLive, planTarget, targetsOf, type Judge, type PlanRequest, type TargetSpec } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';
import { openLedgerReadOnly, type AppliedObject, type LedgerReader } from '@plumb/ledger';
import { listObjects } from './list-objects.ts';
import type { ChosenCluster } from './cluster.ts';
import { openRemote, repositoryOf, type PlanSource, type Remote, type WorkingCopy } from './plan-source.ts';
import type { PoliciesAtHand } from './policy-files.ts';
import type { PullRequestHere } from './pull-request-source.ts';
import { throwAll } from './report-error.ts';

export interface Planned {
  /** What policies say of it. */
  readonly judgement: PlanPolicies;
  readonly application: Application;
  readonly spec: TargetSpec;
  readonly plan: Plan;
  /** What differs and is no change; undefined where nobody asked. */
  readonly normalised: readonly NormalisedObject[] | undefined;
  readonly source: PlanSource;
}

export interface PlanSessionOptions {
  readonly client: KubeClient;
  readonly cluster: ChosenCluster;
  readonly renderer: PlanRequest['renderer'];
  /** The Applications of the cluster. */
  readonly known: readonly KubeObject[];
  readonly workingCopy: WorkingCopy | undefined;
  /** What a merge of this pull request would do is planned, instead of what a ref has. */
  readonly pullRequest?: number | undefined;
  readonly clock: Clock;
  /** Whether many applications are planned: what is live is then read once for all of them. */
  readonly isWide: boolean;
  /** Those to look at besides: over the starter set, or over those of the application where it names any. */
  readonly policies: PoliciesAtHand | undefined;
  /** Whether to show what others have changed although it is to stand. Default: no, as the engine leaves it. */
  readonly isDriftShown?: boolean | undefined;
  /** Whether to tell what differs and is no change. Default: no. */
  readonly isNormalisedTold?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** Plans applications one after another; what they have in common is read once. */
export class PlanSession implements AsyncDisposable {
  readonly #options: PlanSessionOptions;
  readonly #remotes = new Map<string, Promise<Remote>>();
  /** By repository and ref: what it is at is asked for once, so that all plans of one command are of one moment. */
  readonly #sources = new Map<string, Promise<PlanSource>>();
  /** By repository. */
  readonly #pullRequests = new Map<string, Promise<PullRequestHere>>();
  readonly #live: PlanLive;
  readonly #living: ReadonlySet<TargetKey>;
  #holds: Promise<HoldsHere> | undefined;
  #applied: Promise<ReadonlyMap<TargetKey, readonly AppliedObject[]> | undefined> | undefined;

  constructor(options: PlanSessionOptions) {
    this.#options = options;
    this.#live = new PlanLive(options.client, options);
    this.#living = new Set(options.known.flatMap(targetKeysOf));
  }

  /**
   * What a ref, the working copy or a pull request would do to the targets of an application; all environments where none is
   * named. A pull request: to those that it touches.
   */
  async plan(
    application: Application,
    {
      env,
      ref,
      isNamed = false,
    }: {
      readonly env?: string | undefined;
      readonly ref?: string | undefined;
      /** Planned although a pull request does not touch it. */
      readonly isNamed?: boolean;
    },
  ): Promise<readonly Planned[]> {
    const { client, clock, renderer, known, workingCopy, isDriftShown, isNormalisedTold, signal } = this.#options;
    const { name, namespace } = application.metadata;
    const parent = known.find(
      ({ metadata }) => metadata.name === name && (metadata.namespace ?? 'default') === namespace,
    );
    const planned: Planned[] = [];
    for (const spec of targetsOf(application)) {
      if (env !== undefined && spec.environment !== env) continue;
      const source = workingCopy ?? (await this.#remoteSource(application, spec, { ref, isNamed }));
      if (source === undefined) continue;
      let besides = NOT_JUDGED;
      const normalised: NormalisedObject[] = [];
      const leftOut: PlanRequest['leftOut'] = (key, fields) => {
        const about = parseObjectKey(key);
        if (about !== undefined && fields.length > 0) normalised.push({ ref: about, fields });
      };
      const result = await planTarget({
        judging: async (judge, own) => {
          besides = await this.#judge(judge, own);
        },
        ...(isNormalisedTold === true ? { leftOut } : {}),
        client,
        live: this.#live,
        spec: isDriftShown === true ? { ...spec, drift: REVERT_ALL } : spec,
        tree: source.tree,
        committedMs: source.committedMs,
        renderer,
        parent,
        targets: this.#living,
        applied: await this.#appliedOf(spec.target),
        standing: { ...(isDriftShown === true ? { holds: [] } : await this.#holdsOf(spec)), time: clock.now() },
        removedBy: source.removedBy,
        signal,
      });
      if (!result.ok) throwAll(result.error);
      const plan = result.value;
      planned.push({
        application,
        spec,
        plan,
        normalised: isNormalisedTold === true ? normalised : undefined,
        source,
        judgement: together(plan.policies, besides),
      });
    }
    return planned;
  }

  /** Undefined where a pull request does not concern a target. */
  async #remoteSource(
    application: Application,
    spec: TargetSpec,
    { ref, isNamed }: { readonly ref: string | undefined; readonly isNamed: boolean },
  ): Promise<PlanSource | undefined> {
    const { pullRequest, renderer, signal } = this.#options;
    const base = await this.#sourceOf(application, ref ?? spec.revision);
    if (pullRequest === undefined) return base;
    const pull = await this.#pullRequestOf(application, pullRequest);
    const { isTouched, mergedSource } = await loadPullRequests();
    const merged = await mergedSource(pull, await this.remoteOf(application), spec, { base, signal });
    if (merged === undefined || isNamed) return merged;
    const externals = await renderer.externalsOf(spec, { signal });
    const { reads } = await renderer.render(spec, { ...base, externals }, { signal });
    return (await isTouched(spec, reads, merged, { signal })) ? merged : undefined;
  }

  #pullRequestOf(application: Application, number: number): Promise<PullRequestHere> {
    const name = repositoryName(application);
    const found =
      this.#pullRequests.get(name) ??
      this.remoteOf(application).then(async (remote) => {
        const { openPullRequest } = await loadPullRequests();
        return openPullRequest(remote, number, this.#options);
      });
    this.#pullRequests.set(name, found);
    return found;
  }

  /** What the application names was judged already, and binds: what is at hand cannot take it back. */
  async #judge(judge: Judge, own: Parameters<Judge>[0] | undefined): Promise<PlanPolicies> {
    const { policies } = this.#options;
    if (policies === undefined) return NOT_JUDGED;
    const all = policies.over(own);
    return judge(own === undefined ? all : all.filter((policy) => !own.includes(policy)));
  }

  /** Brings the files of many applications in one go, where each would else ask for its own. */
  async prefetch(applications: readonly Application[], { ref }: { readonly ref?: string | undefined }): Promise<void> {
    const { workingCopy, signal } = this.#options;
    await this.#expectApplied();
    if (workingCopy !== undefined) return;
    const specs = applications.flatMap((application) =>
      targetsOf(application).map((spec) => ({ application, revision: ref ?? spec.revision, path: spec.path })),
    );
    const groups = Map.groupBy(specs, ({ application, revision = '' }) => `${repositoryName(application)} ${revision}`);
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const { commit } = await this.#sourceOf(first.application, first.revision);
      const remote = await this.remoteOf(first.application);
      const paths = [...new Set(group.map(({ path }) => path))];
      if (commit !== undefined) await remote.prefetch(commit, paths, { signal });
    }
  }

  /** What was applied is of the kinds that are live: those are read while Git is. */
  async #expectApplied(): Promise<void> {
    const { client, isWide, signal } = this.#options;
    if (!isWide) return;
    const kinds = new Map<string, Parameters<KubeClient['resource']>[0]>();
    for (const rows of (await this.#appliedAll())?.values() ?? []) {
      for (const { key, apiVersion } of rows) {
        const { group, kind } = parseObjectKey(key) ?? {};
        if (group === undefined || kind === undefined) continue;
        kinds.set(`${apiVersion} ${kind}`, { group, kind, version: apiVersion.slice(apiVersion.indexOf('/') + 1) });
      }
    }
    for (const kind of kinds.values()) {
      // A kind that is gone is told by the plan that wants it.
      const resource = await client.resource(kind, { signal }).catch(() => undefined);
      if (resource !== undefined) this.#live.expect(resource, { signal });
    }
  }

  #appliedAll(): Promise<ReadonlyMap<TargetKey, readonly AppliedObject[]> | undefined> {
    return (this.#applied ??= readLedger(this.#options.cluster.stateFolder, (ledger) => ledger.appliedAll()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const remotes = await Promise.allSettled(this.#remotes.values());
    for (const remote of remotes) if (remote.status === 'fulfilled') await remote.value[Symbol.asyncDispose]();
  }

  #sourceOf(application: Application, ref: string | undefined): Promise<PlanSource> {
    const { signal } = this.#options;
    const name = `${repositoryName(application)} ${ref ?? ''}`;
    const source = this.#sources.get(name) ?? this.remoteOf(application).then((remote) => remote.at(ref, { signal }));
    this.#sources.set(name, source);
    return source;
  }

  /** The repository of an application, opened once. It is closed with the session. */
  remoteOf(application: Application): Promise<Remote> {
    const { client, signal } = this.#options;
    const name = repositoryName(application);
    const open = async (): Promise<Remote> => {
      return await openRemote(client, await repositoryOf(client, application, signal), signal);
    };
    const remote = this.#remotes.get(name) ?? open();
    this.#remotes.set(name, remote);
    return remote;
  }

  /** What people want to stand, and why that may not be all. */
  async #holdsOf({
    application,
    environment,
  }: TargetSpec): Promise<Pick<NonNullable<PlanRequest['standing']>, 'holds' | 'unread'>> {
    const { client, cluster, signal } = this.#options;
    const read = async (): Promise<HoldsHere> => {
      const found = await listObjects(client, HOLD.kind, cluster, { signal });
      return {
        holds: found.flatMap((object) => {
          const decoded = decodeHold(object);
          return decoded.ok ? decoded.value : [];
        }),
      };
    };
    this.#holds ??= read().catch((thrown: unknown) => {
      if (thrown instanceof PlumbError && WITHOUT_HOLDS.has(thrown.code)) return { holds: [] };
      if (thrown instanceof PlumbError && thrown.code === 'Forbidden') return { holds: [], unread: thrown.message };
      throw thrown;
    });
    const { holds, unread } = await this.#holds;
    const ours = holds.flatMap((hold) => {
      const { metadata, spec } = hold;
      const isOf =
        `${metadata.namespace}/${spec.application}` === application && (spec.environment ?? '') === environment;
      return isOf ? [holdOf(hold)] : [];
    });
    return { holds: ours, unread };
  }

  /** What the engine's ledger says that it applied, where it lies on this machine: what is as it was needs no dry-run. */
  async #appliedOf(target: TargetKey): Promise<ReadonlyMap<ObjectKey, AppliedObject> | undefined> {
    const { cluster, isWide } = this.#options;
    const rows = isWide
      ? (await this.#appliedAll())?.get(target)
      : await readLedger(cluster.stateFolder, (ledger) => ledger.applied(target));
    return rows === undefined || rows.length === 0 ? undefined : new Map(rows.map((row) => [row.key, row]));
  }
}

const NOT_JUDGED: PlanPolicies = { results: [], counts: { ok: 0, warn: 0, deny: 0 } };

function together(own: PlanPolicies = NOT_JUDGED, besides: PlanPolicies): PlanPolicies {
  const { counts } = besides;
  return {
    results: [...own.results, ...besides.results],
    counts: {
      ok: own.counts.ok + counts.ok,
      warn: own.counts.warn + counts.warn,
      deny: own.counts.deny + counts.deny,
    },
  };
}

/** A cluster without Plumb has none. */
const WITHOUT_HOLDS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['KindMissing', 'NotRunning']);

interface HoldsHere {
  readonly holds: readonly Hold[];
  /** Why there may be others. */
  readonly unread?: string;
}

/** Git hosts are loaded by whoever asks for a pull request. */
function loadPullRequests() {
  return import('./pull-request-source.ts');
}

function repositoryName({ metadata, spec }: Application): string {
  return `${metadata.namespace}/${spec.source.repository}`;
}

/** Undefined where there is no ledger on this machine, or it cannot be read. */
async function readLedger<T>(folder: string, read: (ledger: LedgerReader) => Promise<T>): Promise<T | undefined> {
  try {
    await using ledger = await openLedgerReadOnly(folder);
    return await read(ledger);
  } catch (thrown) {
    if (thrown instanceof PlumbError) return undefined;
    throw thrown;
  }
}

/** Which targets an Application has, without reading all of it: there may be thousands that are not planned. */
function targetKeysOf({ metadata, ...rest }: KubeObject): readonly TargetKey[] {
  const { name: application, namespace = 'default' } = metadata;
  const environments = fieldAt(rest, 'spec', 'environments');
  if (!isJsonArray(environments)) return [targetKey({ namespace, application })];
  return environments.flatMap((item) => {
    const name = fieldAt(item, 'name');
    return typeof name === 'string' ? targetKey({ namespace, application, environment: name }) : [];
  });
}
