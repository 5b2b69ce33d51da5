import { API_VERSION, APPLICATION, type Application } from '@plumb/api';
import {
  applySetId,
  APPLYSET_GROUP_KINDS_ANNOTATION,
  causeOf,
  computeHealth,
  groupOf,
  parseGroupKinds,
  PART_OF_LABEL,
  PlumbError,
  podsOfRollout,
  rolloutOf,
  trackedTarget,
  withCause,
  type GroupKind,
  type Health,
  type KubeObject,
  type TargetKey,
} from '@plumb/core';
import type { KubeClient } from '@plumb/kube';

/** An object with what its owner references say was made from it. */
export interface TreeNode {
  readonly object: KubeObject;
  /** With the cause from its pods, where it has any. */
  readonly health: Health;
  readonly children: readonly TreeNode[];
}

/** What controllers make of other objects, and what can be wrong with it. */
const DESCENDANTS: readonly GroupKind[] = [
  { group: 'apps', kind: 'Deployment' },
  { group: 'apps', kind: 'StatefulSet' },
  { group: 'apps', kind: 'ReplicaSet' },
  { group: 'batch', kind: 'Job' },
  { group: '', kind: 'Pod' },
];

/** The live objects of a target, each with its descendants; what is worst comes first. */
export async function readLiveTree(
  client: KubeClient,
  application: Application,
  target: TargetKey,
  { assess, ...options }: { readonly signal: AbortSignal; readonly assess?: Assess },
): Promise<readonly TreeNode[]> {
  const { name, namespace, annotations } = application.metadata;
  const id = applySetId({ group: groupOf(API_VERSION), kind: APPLICATION.kind, namespace, name });
  const kinds = parseGroupKinds(annotations?.[APPLYSET_GROUP_KINDS_ANNOTATION] ?? '');
  const listed = await Promise.all(
    kinds.map((kind) => listKind(client, kind, { labelSelector: `${PART_OF_LABEL}=${id}`, ...options })),
  );
  const members = listed.flat().filter((object) => trackedTarget(object) === target);
  const namespaces = new Set(members.flatMap(({ metadata }) => metadata.namespace ?? []));
  const made = await Promise.all(
    [...namespaces].flatMap((place) =>
      DESCENDANTS.map((kind) => listKind(client, kind, { namespace: place, ...options })),
    ),
  );
  return treeOf(members, made.flat(), assess);
}

/** Tells the health of one object: by rules of the user, or as everybody's. */
type Assess = (object: KubeObject) => Health;

/** Puts objects under their owners. Pure. */
export function treeOf(
  members: readonly KubeObject[],
  others: readonly KubeObject[],
  assess: Assess = (object) => computeHealth(object),
): readonly TreeNode[] {
  const byOwner = new Map<string, KubeObject[]>();
  for (const object of others) {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      byOwner.set(uid, [...(byOwner.get(uid) ?? []), object]);
    }
  }
  const nodeOf = (object: KubeObject, above: ReadonlySet<string>): TreeNode => {
    const uid = object.metadata.uid ?? '';
    const inside = new Set(above).add(uid);
    const owned = above.has(uid) ? [] : (byOwner.get(uid) ?? []);
    const children = owned.map((child) => nodeOf(child, inside)).toSorted(worstFirst);
    return { object, health: healthOf(object, owned, byOwner, assess), children };
  };
  return members.map((object) => nodeOf(object, new Set())).toSorted(worstFirst);
}

function healthOf(
  object: KubeObject,
  owned: readonly KubeObject[],
  byOwner: ReadonlyMap<string, readonly KubeObject[]>,
  assess: Assess,
): Health {
  const health = assess(object);
  const rollout = rolloutOf(object);
  if (rollout === undefined) return health;
  const replicaSets = owned.filter(({ kind }) => kind === 'ReplicaSet');
  const pods = [...owned, ...replicaSets.flatMap(({ metadata }) => byOwner.get(metadata.uid ?? '') ?? [])];
  const workload = { kind: object.kind, uid: object.metadata.uid ?? '', rollout };
  const current = podsOfRollout(
    workload,
    pods.filter(({ kind }) => kind === 'Pod'),
    replicaSets,
  );
  return withCause(health, causeOf(rollout, current));
}

const SEVERITY = ['Degraded', 'Missing', 'Progressing', 'Unknown', 'Suspended', 'Healthy'] as const;

function worstFirst(a: TreeNode, b: TreeNode): number {
  const byHealth = SEVERITY.indexOf(a.health.status) - SEVERITY.indexOf(b.health.status);
  const [left, right] = [a, b].map(({ object }) => `${object.kind}/${object.metadata.name}`) as [string, string];
  return byHealth || (left < right ? -1 : 1);
}

/** A kind that is not served has no objects; one that may not be read is an error of its own. */
async function listKind(
  client: KubeClient,
  kind: GroupKind,
  options: { readonly namespace?: string; readonly labelSelector?: string; readonly signal: AbortSignal },
): Promise<readonly KubeObject[]> {
  try {
    return (await client.list(await client.resource(kind, options), options)).items;
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'KindMissing') return [];
    throw thrown;
  }
}
