import type { KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import { creationEventTrouble, creationWords, podEventTrouble, stageOf, type Question } from './event-trouble.ts';
import { count, numberAt, textAt, type Health } from './health.ts';
import { podTrouble, type Trouble } from './pod-trouble.ts';

// Why a rollout does not arrive, told from its pods: a workload itself says so only when its deadline has passed.

/** What tells the pods of a workload's current template from older ones, and how many of them are wanted. */
export interface Rollout {
  /** Undefined where the kind has no revisions (Job, ReplicaSet). */
  readonly revision: string | undefined;
  readonly wanted: number;
  readonly available: number;
  /** Why no more pods can be made, where the controller writes it into a condition: a quota, a policy. */
  readonly refused?: string;
  /** A Job counts its failures itself, and ends when they are too many: until then none of them is the end. */
  readonly hasOwnLimit?: true;
}

const REVISION_NOTE = 'deployment.kubernetes.io/revision';

/** The rollout that a workload is in; undefined for kinds that own no pods. `CronJob` counts through its Jobs. */
export function rolloutOf(object: KubeObject): Rollout | undefined {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const available = numberAt(object, 'status', 'availableReplicas') ?? 0;
  // Until the controller has seen the new template, what it says of revisions is about the old one: no pod has this name.
  const isObserved = (numberAt(object, 'status', 'observedGeneration') ?? 0) >= (object.metadata.generation ?? 0);
  switch (`${object.apiVersion}/${object.kind}`) {
    case 'apps/v1/Deployment':
      return {
        revision: (isObserved && object.metadata.annotations?.[REVISION_NOTE]) || '',
        wanted,
        available,
        ...(isObserved ? refusalOf(object) : {}),
      };
    case 'apps/v1/StatefulSet':
      return { revision: (isObserved && textAt(object, 'status', 'updateRevision')) || '', wanted, available };
    case 'apps/v1/DaemonSet':
      return {
        revision: object.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '',
        wanted: numberAt(object, 'status', 'desiredNumberScheduled') ?? 0,
        available: numberAt(object, 'status', 'numberAvailable') ?? 0,
      };
    case 'apps/v1/ReplicaSet':
      return { revision: undefined, wanted, available, ...refusalOf(object) };
    case 'batch/v1/Job':
      return {
        revision: undefined,
        wanted: numberAt(object, 'spec', 'completions') ?? 1,
        available: numberAt(object, 'status', 'succeeded') ?? 0,
        hasOwnLimit: true,
      };
    default:
      return undefined;
  }
}

function refusalOf(object: KubeObject): { readonly refused?: string } {
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.status !== 'True') return {};
  return { refused: creationWords(failure.message ?? failure.reason ?? 'refused') };
}

/** A workload, with what its pods are told by. */
export interface Workload {
  readonly kind: string;
  readonly uid: string;
  readonly rollout: Rollout;
}

/** What a cause is looked for in. More than the workload's own may be there: owners are held against uids, never against labels alone. */
export interface Evidence {
  readonly pods: Iterable<KubeObject>;
  readonly replicaSets: Iterable<KubeObject>;
  /** The Events that were read, by the uid of the object that they are about. */
  readonly events?: ReadonlyMap<string, readonly KubeObject[]>;
}

export interface Finding {
  /** Undefined where nothing tells it: then the workload's own words count. */
  readonly cause: Health | undefined;
  /** Whose Events would tell more; undefined where enough is known, or nothing is wrong with what there is. */
  readonly question: Question | undefined;
}

/** Why a workload that is not healthy is not: a failure, or what is waited for. */
export function findCause(workload: Workload, evidence: Evidence): Finding {
  const pods = podsOf(workload, evidence);
  const known = troubleOf(workload.rollout, pods);
  if (known !== undefined) return { cause: healthOf(workload.rollout, known), question: undefined };
  const question = questionAbout(workload, pods);
  const events = question === undefined ? undefined : evidence.events?.get(question.uid);
  if (question === undefined || events === undefined) return { cause: undefined, question };
  const pod = pods.current.find(({ metadata }) => metadata.uid === question.uid);
  const told = pod === undefined ? creationEventTrouble(events) : podEventTrouble(pod, events);
  if (told === undefined) return { cause: undefined, question };
  const found = pod === undefined ? creationFound(told, pods) : { who: pod.metadata.name, trouble: told };
  return { cause: healthOf(workload.rollout, found), question };
}

interface Pods {
  /**
   * Those that the controller made of its *current* template and still counts on: those of an older one say nothing about
   * it, those that are being deleted or have failed (evicted) are replaced.
   */
  readonly current: readonly KubeObject[];
  /** Whatever is still there. */
  readonly all: readonly KubeObject[];
}

/** By name. */
function podsOf({ kind, uid, rollout }: Workload, { pods, replicaSets }: Evidence): Pods {
  const owners = new Set<string>([uid]);
  const owning = new Set<string>(kind === 'Deployment' ? [] : [uid]);
  if (kind === 'Deployment') {
    for (const { metadata } of replicaSets) {
      if (controllerOf(metadata) !== uid || metadata.uid === undefined) continue;
      owners.add(metadata.uid);
      if (metadata.annotations?.[REVISION_NOTE] === rollout.revision) owning.add(metadata.uid);
    }
  }
  const label = REVISION_LABELS[kind];
  const all = [...pods]
    .filter(({ metadata }) => owners.has(controllerOf(metadata) ?? ''))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const current = all.filter((pod) => {
    const { metadata } = pod;
    if (textAt(pod, 'status', 'phase') === 'Failed') return false;
    if (metadata.deletionTimestamp !== undefined || !owning.has(controllerOf(metadata) ?? '')) return false;
    return label === undefined || metadata.labels?.[label] === rollout.revision;
  });
  return { current, all };
}

const REVISION_LABELS: Readonly<Record<string, string>> = {
  StatefulSet: 'controller-revision-hash',
  DaemonSet: 'pod-template-generation',
};

/** The uid of the owner that manages the object. */
export function controllerOf(metadata: KubeObject['metadata']): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

/** What is the matter, and with whom. */
interface Found {
  readonly who: string;
  readonly trouble: Trouble;
}

/** What the status tells: a failure before what may still pass. */
function troubleOf({ refused }: Rollout, pods: Pods): Found | undefined {
  const troubles = pods.current.flatMap((pod) => {
    const trouble = podTrouble(pod);
    return trouble === undefined ? [] : [{ name: pod.metadata.name, trouble }];
  });
  const first = troubles.find(({ trouble }) => trouble.isFailure) ?? troubles[0];
  if (refused !== undefined && first?.trouble.isFailure !== true) {
    return creationFound({ reason: 'FailedCreate', detail: refused, isFailure: true }, pods);
  }
  if (first === undefined) return undefined;
  const alike = troubles.filter(({ trouble }) => trouble.reason === first.trouble.reason).length;
  return { who: alike === 1 ? first.name : `${count(alike, 'pod')} like ${first.name}`, trouble: first.trouble };
}

function creationFound(trouble: Trouble, { all }: Pods): Found {
  // What a quota lacks may be what a pod that just goes still holds.
  const isOnItsWay =
    trouble.detail.includes('exceeded quota') && all.some(({ metadata }) => metadata.deletionTimestamp !== undefined);
  return { who: 'pods cannot be created', trouble: { ...trouble, isFailure: trouble.isFailure && !isOnItsWay } };
}

function healthOf(rollout: Rollout, { who, trouble: { reason, detail, isFailure } }: Found): Health {
  const reached = rollout.hasOwnLimit ? 'completed' : 'available';
  const message = `${rollout.available} of ${count(rollout.wanted, 'pod')} ${reached}; ${who}: ${reason}, ${detail}`;
  return { status: isFailure && !rollout.hasOwnLimit ? 'Degraded' : 'Progressing', message };
}

/**
 * Whose Events are worth a request: those of the first pod that is not ready, since pods of one template are alike; else
 * those of a workload that lacks pods and has no condition that would say why.
 */
function questionAbout({ kind, uid, rollout }: Workload, { current, all }: Pods): Question | undefined {
  for (const pod of current) {
    const stage = stageOf(pod);
    if (stage !== undefined && pod.metadata.uid !== undefined) return { uid: pod.metadata.uid, stage };
  }
  if (!TELLS_BY_EVENTS_ONLY.has(kind) || rollout.available >= rollout.wanted) return undefined;
  const isOver = (pod: KubeObject): boolean => textAt(pod, 'status', 'phase') === 'Succeeded';
  const lacksPods = rollout.hasOwnLimit ? current.every(isOver) : all.length < rollout.wanted;
  return lacksPods ? { uid, stage: 'creating' } : undefined;
}

const TELLS_BY_EVENTS_ONLY: ReadonlySet<string> = new Set(['StatefulSet', 'DaemonSet', 'Job']);

/** The health of a workload with what its pods say. A workload that works or stands still is not asked why it does not. */
export function withCause(health: Health, cause: Health | undefined): Health {
  if (cause === undefined || (health.status !== 'Progressing' && health.status !== 'Degraded')) return health;
  return { status: health.status === 'Degraded' ? 'Degraded' : cause.status, message: cause.message };
}
