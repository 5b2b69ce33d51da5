import type { Application } from '@plumb/api';
import {
  computeHealth,
  controllerOf,
  findCause,
  PlumbError,
  podEventTrouble,
  podTrouble,
  rolloutOf,
  stageOf,
  withCause,
  type GroupKind,
  type Health,
  type KubeObject,
  type Question,
  type TargetKey,
} from '@plumb/core';
import { listMembers } from '@plumb/engine';
import type { KubeClient } from '@plumb/kube';

/** An object with what its owner references say was made from it. */
export interface TreeNode {
  readonly object: KubeObject;
  /** With the cause from its pods, where it has any. */
  readonly health: Health;
  /** Of a pod, what is the matter with it in one word: `CrashLoopBackOff`. */
  readonly reason?: string | undefined;
  /** Whose Events would tell more about it. */
  readonly question?: Question | undefined;
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

/** Objects whose Events are read at most: where so many are wrong, the first of them tell enough. */
const MAX_QUESTIONS = 10;

/**
 * The live objects of a target, each with its descendants; what is worst comes first. Events are read of what is wrong for
 * no reason that its status tells, and of nothing else.
 */
export async function readLiveTree(
  client: KubeClient,
  application: Application,
  target: TargetKey,
  { assess, ...options }: { readonly signal: AbortSignal; readonly assess?: Assess },
): Promise<readonly TreeNode[]> {
  const members = await listMembers(client, application, target, options);
  const namespaces = new Set(members.flatMap(({ metadata }) => metadata.namespace ?? []));
  const made = await Promise.all(
    [...namespaces].flatMap((place) =>
      DESCENDANTS.map((kind) => listKind(client, kind, { namespace: place, ...options })),
    ),
  );
  const others = made.flat();
  const tree = treeOf(members, others, { assess });
  const questions = questionsIn(tree).slice(0, MAX_QUESTIONS);
  return questions.length === 0
    ? tree
    : treeOf(members, others, { assess, events: await readEvents(client, questions, options) });
}

interface Placed extends Question {
  readonly namespace: string | undefined;
}

/** Each object once: a Deployment and its ReplicaSet ask about the same pod. */
function questionsIn(nodes: readonly TreeNode[]): readonly Placed[] {
  const found = new Map<string, Placed>();
  const add = ({ object, question, children }: TreeNode): void => {
    if (question !== undefined) found.set(question.uid, { ...question, namespace: object.metadata.namespace });
    for (const child of children) add(child);
  };
  for (const node of nodes) add(node);
  return [...found.values()];
}

/** By the uid of what they are about. Whoever may not read Events sees the tree without what they tell. */
async function readEvents(
  client: KubeClient,
  questions: readonly Placed[],
  options: { readonly signal: AbortSignal },
): Promise<ReadonlyMap<string, readonly KubeObject[]>> {
  try {
    const resource = await client.resource({ group: '', kind: 'Event' }, options);
    const entries = questions.map(async ({ uid, namespace }) => {
      const { items } = await client.list(resource, {
        namespace,
        fieldSelector: `involvedObject.uid=${uid}`,
        ...options,
      });
      return [uid, items] as const;
    });
    return new Map(await Promise.all(entries));
  } catch (thrown) {
    if (thrown instanceof PlumbError && thrown.code === 'Forbidden') return new Map();
    throw thrown;
  }
}

/** Tells the health of one object: by rules of the user, or as everybody's. */
type Assess = (object: KubeObject) => Health;
type Events = ReadonlyMap<string, readonly KubeObject[]>;

/** Puts objects under their owners. Pure. */
export function treeOf(
  members: readonly KubeObject[],
  others: readonly KubeObject[],
  {
    assess = computeHealth,
    events = new Map(),
  }: { readonly assess?: Assess | undefined; readonly events?: Events } = {},
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
    const health = assess(object);
    if (!isUnsettled(health)) return { object, health, children };
    const found = object.kind === 'Pod' ? judgePod(object, health, events) : judge(object, health, byOwner, events);
    return { object, ...found, children };
  };
  return members.map((object) => nodeOf(object, new Set())).toSorted(worstFirst);
}

function isUnsettled({ status }: Health): boolean {
  return status === 'Progressing' || status === 'Degraded';
}

type Judged = Pick<TreeNode, 'health' | 'reason' | 'question'>;

function judge(
  object: KubeObject,
  health: Health,
  byOwner: ReadonlyMap<string, readonly KubeObject[]>,
  events: Events,
): Judged {
  const rollout = rolloutOf(object);
  if (rollout === undefined) return { health };
  const uid = object.metadata.uid ?? '';
  const owned = byOwner.get(uid) ?? [];
  const replicaSets = owned.filter(({ kind }) => kind === 'ReplicaSet');
  const pods = [...owned, ...replicaSets.flatMap(({ metadata }) => byOwner.get(metadata.uid ?? '') ?? [])];
  const evidence = { pods: pods.filter(({ kind }) => kind === 'Pod'), replicaSets, events };
  const { cause, question } = findCause({ kind: object.kind, uid, rollout }, evidence);
  return { health: withCause(health, cause), question };
}

function judgePod(pod: KubeObject, health: Health, events: Events): Judged {
  const told = podTrouble(pod);
  if (told !== undefined) return { health, reason: told.reason };
  const { uid = '' } = pod.metadata;
  const trouble = podEventTrouble(pod, events.get(uid) ?? []);
  if (trouble !== undefined) {
    const { reason, detail, isFailure } = trouble;
    return { health: { status: isFailure ? 'Degraded' : health.status, message: `${reason}, ${detail}` }, reason };
  }
  const stage = stageOf(pod);
  // Others are asked about by what made them, one for all that are alike.
  return stage === undefined || controllerOf(pod.metadata) !== undefined
    ? { health }
    : { health, question: { uid, stage } };
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
