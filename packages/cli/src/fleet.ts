import { APPLICATION, decodeApplication, REPOSITORY, type State, type TargetStatus } from '@plumb/api';
import { fieldAt, isJsonObject, type KubeObject } from '@plumb/core';
import type { KubeClient } from '@plumb/kube';
import { selectNamed } from './applications.ts';
import { listObjects } from './list-objects.ts';
import type { ChosenCluster } from './cluster.ts';
import { readEngineSign, type EngineSign } from './engine-lease.ts';

/** One target as its Application's status tells it: what every output of `plumb status` is made from. */
export interface FleetRow {
  readonly namespace: string;
  readonly app: string;
  /** Empty where the application names no environments. */
  readonly env: string;
  /** As last told. */
  readonly state: State;
  /** Nobody has looked lately, so `state` need not be true any more. */
  readonly isStale: boolean;
  readonly revision: string | undefined;
  readonly release: string | undefined;
  readonly objects: number | undefined;
  readonly since: string | undefined;
  /** The cause, where it is not healthy. */
  readonly why: string | undefined;
  readonly reason: string | undefined;
  readonly failures: NonNullable<TargetStatus['failures']>;
  readonly pendingDeletions: TargetStatus['pendingDeletions'];
}

export interface Fleet {
  /** Sorted by namespace, application, and the order in which it names its environments. */
  readonly rows: readonly FleetRow[];
  readonly engine: EngineSign;
}

export interface FleetQuery {
  readonly name: string | undefined;
  readonly environment: string | undefined;
}

/** Reads the fleet off the cluster: three lists and the Lease. */
export async function readFleet(
  client: KubeClient,
  cluster: ChosenCluster,
  query: FleetQuery,
  options: { readonly now: number; readonly signal: AbortSignal },
): Promise<Fleet> {
  const [applications, repositories] = await Promise.all([
    listObjects(client, APPLICATION.kind, cluster, options),
    listObjects(client, REPOSITORY.kind, cluster, options),
  ]);
  const chosen = selectNamed(applications, query.name, cluster);
  const namespaces = new Set(chosen.map(({ metadata }) => metadata.namespace ?? 'default'));
  const engine = await readEngineSign(client, { namespaces, ...options });
  return {
    engine,
    rows: fleetRows(chosen, repositories, { environment: query.environment, isStale: !engine.isRunning }),
  };
}

/** The rows of a fleet. Pure. */
export function fleetRows(
  applications: readonly KubeObject[],
  repositories: readonly KubeObject[],
  options: { readonly environment: string | undefined; readonly isStale: boolean },
): readonly FleetRow[] {
  const troubles = new Map(repositories.flatMap(repositoryTrouble));
  return applications
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .flatMap((object) => rowsOf(object, troubles, options.isStale))
    .filter(({ env }) => options.environment === undefined || env === options.environment);
}

function rowsOf(object: KubeObject, troubles: ReadonlyMap<string, string>, isStale: boolean): readonly FleetRow[] {
  const { name: app, namespace = 'default' } = object.metadata;
  const decoded = decodeApplication(object);
  if (!decoded.ok) {
    const { code, message } = decoded.error;
    return [{ ...empty({ app, namespace, env: '' }), state: 'Failed', isStale, why: message, reason: code }];
  }
  const { spec, status } = decoded.value;
  const trouble = troubles.get(`${namespace}/${spec.source.repository}`);
  const told = new Map((status?.environments ?? []).map((target) => [target.name, target]));
  return (spec.environments ?? [{ name: '' }]).map(({ name: env }) => {
    const target = told.get(env);
    if (target === undefined) {
      // A spec that the engine refuses is told for the application as a whole.
      const why = status?.message ?? trouble ?? 'Not looked at yet.';
      return { ...empty({ app, namespace, env }), state: status?.state ?? 'Pending', isStale, why };
    }
    const isWell = target.state === 'Healthy';
    const cause = isWell ? undefined : target.message;
    // A target that cannot be read because of its repository says the same thing.
    const causes = cause !== undefined && trouble?.includes(cause) ? [trouble] : [cause, trouble];
    const why = causes.filter((text) => text !== undefined).join('; ');
    return {
      ...empty({ app, namespace, env }),
      state: target.state,
      isStale,
      revision: target.revision,
      release: target.release,
      objects: target.objects,
      since: target.since,
      why: why === '' ? undefined : why,
      reason: isWell ? undefined : target.reason,
      failures: target.failures ?? [],
      pendingDeletions: target.pendingDeletions,
    };
  });
}

function empty(
  place: Pick<FleetRow, 'app' | 'namespace' | 'env'>,
): Omit<FleetRow, 'state' | 'isStale'> & Pick<FleetRow, 'app' | 'namespace' | 'env'> {
  return {
    ...place,
    revision: undefined,
    release: undefined,
    objects: undefined,
    since: undefined,
    why: undefined,
    reason: undefined,
    failures: [],
    pendingDeletions: undefined,
  };
}

/** Why a repository cannot be read, by its name. */
function repositoryTrouble(repository: KubeObject): readonly (readonly [string, string])[] {
  const conditions = fieldAt(repository, 'status', 'conditions');
  if (!Array.isArray(conditions)) return [];
  const ready = (conditions as readonly unknown[]).find((condition) => fieldAt(condition, 'type') === 'Ready');
  const message = fieldAt(ready, 'message');
  if (!isJsonObject(ready) || ready['status'] !== 'False' || typeof message !== 'string') return [];
  return [[nameOf(repository), `repository ${repository.metadata.name}: ${message}`]];
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? 'default'}/${metadata.name}`;
}
