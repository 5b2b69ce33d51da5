import { fieldAt, type Json, type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import { count, listAt, numberAt, textAt, type Health } from './health.ts';

// Why a rollout does not arrive, told from its pods: a workload itself says so only when its deadline has passed.

/** What tells the pods of a workload's current template from older ones, and how many of them are wanted. */
export interface Rollout {
  /** Undefined where the kind has no revisions (Job, ReplicaSet). */
  readonly revision: string | undefined;
  readonly wanted: number;
  readonly available: number;
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
      return { revision: (isObserved && object.metadata.annotations?.[REVISION_NOTE]) || '', wanted, available };
    case 'apps/v1/StatefulSet':
      return { revision: (isObserved && textAt(object, 'status', 'updateRevision')) || '', wanted, available };
    case 'apps/v1/DaemonSet':
      return {
        revision: object.metadata.annotations?.['deprecated.daemonset.template.generation'] ?? '',
        wanted: numberAt(object, 'status', 'desiredNumberScheduled') ?? 0,
        available: numberAt(object, 'status', 'numberAvailable') ?? 0,
      };
    case 'apps/v1/ReplicaSet':
      return { revision: undefined, wanted, available };
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

/**
 * The pods that a workload's controller made of its *current* template and still counts on: those of an older one say
 * nothing about it, those that are being deleted or have failed (evicted) are replaced. Owners are held against uids, never against labels alone.
 */
export function podsOfRollout(
  workload: { readonly kind: string; readonly uid: string; readonly rollout: Rollout },
  pods: Iterable<KubeObject>,
  replicaSets: Iterable<KubeObject>,
): readonly KubeObject[] {
  const { kind, uid, rollout } = workload;
  const owners = new Set<string>();
  if (kind === 'Deployment') {
    for (const { metadata } of replicaSets) {
      const isCurrent = metadata.annotations?.[REVISION_NOTE] === rollout.revision;
      if (isCurrent && controllerOf(metadata) === uid && metadata.uid !== undefined) owners.add(metadata.uid);
    }
  } else owners.add(uid);
  const label = REVISION_LABELS[kind];
  return [...pods].filter((pod) => {
    const { metadata } = pod;
    if (textAt(pod, 'status', 'phase') === 'Failed') return false;
    if (metadata.deletionTimestamp !== undefined || !owners.has(controllerOf(metadata) ?? '')) return false;
    return label === undefined || metadata.labels?.[label] === rollout.revision;
  });
}

const REVISION_LABELS: Readonly<Record<string, string>> = {
  StatefulSet: 'controller-revision-hash',
  DaemonSet: 'pod-template-generation',
};

/** The uid of the owner that manages the object. */
export function controllerOf(metadata: KubeObject['metadata']): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

/** What is the matter with one pod. */
export interface PodTrouble {
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `OOMKilled`, `Unschedulable` …: one word. */
  readonly reason: string;
  /** `image registry.example/web:2 cannot be pulled (not found)`. */
  readonly detail: string;
  /** Whether it is a failure, or may still pass by itself (no node has room yet). */
  readonly isFailure: boolean;
}

/** From so many crashes on a container counts as one that does not stay up: one may be a start before its database. */
const MIN_CRASHES = 2;

/**
 * The first thing that keeps a pod from its work, or undefined where it works or just starts. The words do not change
 * while one container goes round in its loop (pull, back off, pull), so that a status does not either. What a process
 * itself wrote (its termination message) is left out: it may hold anything.
 */
export function podTrouble(pod: KubeObject): PodTrouble | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason !== 'SchedulingGated') {
    return {
      reason: scheduled.reason ?? 'Unschedulable',
      detail: short(scheduled.message ?? 'no node takes it'),
      isFailure: false,
    };
  }
  const containers = [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')];
  for (const container of containers) {
    const trouble = waitingTrouble(container) ?? crashTrouble(container);
    if (trouble !== undefined) return trouble;
  }
  if (textAt(pod, 'status', 'phase') !== 'Failed') return undefined;
  const exit = containers.map((container) => fieldAt(container, 'state', 'terminated')).find(hasFailed);
  return {
    reason: textAt(pod, 'status', 'reason') ?? textAt(exit, 'reason') ?? 'Failed',
    detail: exit === undefined ? short(textAt(pod, 'status', 'message') ?? 'has failed') : exitText(exit),
    isFailure: true,
  };
}

/** What the kubelet waits for without expecting much of it. */
function waitingTrouble(container: Json): PodTrouble | undefined {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? '';
  const message = textAt(container, 'state', 'waiting', 'message') ?? '';
  const name = textAt(container, 'name') ?? '';
  if (/^ErrImage|^ImagePull|^ErrImageNeverPull|^InvalidImageName|^ImageInspect|^RegistryUnavailable/.test(reason)) {
    const image = short(textAt(container, 'image') ?? '', MAX_IMAGE);
    const why = PULL_CAUSES.find(([pattern]) => pattern.test(message))?.[1];
    return {
      reason: reason === 'ErrImagePull' ? 'ImagePullBackOff' : reason,
      detail: `image ${image} cannot be pulled${why === undefined ? '' : ` (${why})`}`,
      isFailure: true,
    };
  }
  if (reason.endsWith('Error')) {
    return { reason, detail: `container ${name}${message === '' ? '' : `: ${short(message)}`}`, isFailure: true };
  }
  return undefined;
}

const PULL_CAUSES: readonly (readonly [RegExp, string])[] = [
  [/not found|manifest unknown|does not exist/i, 'not found'],
  [/unauthorized|denied|forbidden|authentication|authorization/i, 'access denied'],
  [/no such host|timeout|timed out|refused|unreachable|x509/i, 'the registry cannot be reached'],
];

function crashTrouble(container: Json): PodTrouble | undefined {
  const now = fieldAt(container, 'state', 'terminated');
  const last = hasFailed(now) ? now : fieldAt(container, 'lastState', 'terminated');
  const crashes = (numberAt(container, 'restartCount') ?? 0) + (hasFailed(now) ? 1 : 0);
  const isBackedOff = textAt(container, 'state', 'waiting', 'reason') === 'CrashLoopBackOff';
  const isUp = fieldAt(container, 'ready') === true;
  if (!isBackedOff && (isUp || crashes < MIN_CRASHES || last === undefined)) return undefined;
  const isKilled = textAt(last, 'reason') === 'OOMKilled';
  const name = textAt(container, 'name') ?? '';
  return {
    reason: isKilled ? 'OOMKilled' : 'CrashLoopBackOff',
    detail: `container ${name} ${isKilled ? `needs more memory than its limit, ${exitText(last)}` : exitsText(last)}`,
    isFailure: true,
  };
}

function hasFailed(terminated: Json | undefined): boolean {
  return (numberAt(terminated, 'exitCode') ?? 0) !== 0;
}

function exitText(terminated: Json | undefined): string {
  return `exit code ${numberAt(terminated, 'exitCode') ?? 'unknown'}`;
}

function exitsText(terminated: Json | undefined): string {
  const code = numberAt(terminated, 'exitCode');
  return code === undefined ? 'keeps stopping' : `keeps stopping with exit code ${code}`;
}

/**
 * What the pods of the current template say about a workload that is not healthy: a failure, or what is waited for.
 * Undefined where they say nothing: then the workload's own words count.
 */
export function causeOf(rollout: Rollout, pods: readonly KubeObject[]): Health | undefined {
  const troubles = pods
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .flatMap((pod) => {
      const trouble = podTrouble(pod);
      return trouble === undefined ? [] : [{ name: pod.metadata.name, ...trouble }];
    });
  const first = troubles.find(({ isFailure }) => isFailure) ?? troubles[0];
  if (first === undefined) return undefined;
  const { name, reason, detail, isFailure } = first;
  const alike = troubles.filter((trouble) => trouble.reason === reason).length;
  const who = alike === 1 ? name : `${count(alike, 'pod')} like ${name}`;
  const reached = rollout.hasOwnLimit ? 'completed' : 'available';
  const message = `${rollout.available} of ${count(rollout.wanted, 'pod')} ${reached}; ${who}: ${reason}, ${detail}`;
  return { status: isFailure && !rollout.hasOwnLimit ? 'Degraded' : 'Progressing', message };
}

const MAX_DETAIL = 200;
const MAX_IMAGE = 120;

/** On one line and not endless: it goes into a status. */
function short(text: string, max: number = MAX_DETAIL): string {
  const line = text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}

/** The health of a workload with what its pods say. A workload that works or stands still is not asked why it does not. */
export function withCause(health: Health, cause: Health | undefined): Health {
  if (cause === undefined || (health.status !== 'Progressing' && health.status !== 'Degraded')) return health;
  return { status: health.status === 'Degraded' ? 'Degraded' : cause.status, message: cause.message };
}
