import { fieldAt, type Json, type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import { listAt, numberAt, textAt } from './health.ts';

/** What is the matter with one pod, or with the making of pods. */
export interface Trouble {
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
export function podTrouble(pod: KubeObject): Trouble | undefined {
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.status === 'False' && scheduled.reason !== 'SchedulingGated') {
    return {
      reason: scheduled.reason ?? 'Unschedulable',
      detail: shortLine(scheduled.message ?? 'no node takes it'),
      isFailure: false,
    };
  }
  const containers = [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')];
  for (const container of containers) {
    const trouble = waitingTrouble(container) ?? crashTrouble(container);
    if (trouble !== undefined) return trouble;
  }
  if (textAt(pod, 'status', 'phase') !== 'Failed') return gateTrouble(pod);
  const exit = containers.map((container) => fieldAt(container, 'state', 'terminated')).find(hasFailed);
  return {
    reason: textAt(pod, 'status', 'reason') ?? textAt(exit, 'reason') ?? 'Failed',
    detail: exit === undefined ? shortLine(textAt(pod, 'status', 'message') ?? 'has failed') : exitText(exit),
    isFailure: true,
  };
}

/** All containers are ready, and somebody else (a load balancer, a mesh) has not said yes. */
function gateTrouble(pod: KubeObject): Trouble | undefined {
  const ready = conditionOf(pod, 'Ready');
  if (ready?.status !== 'False' || ready.reason !== 'ReadinessGatesNotReady') return undefined;
  return { reason: ready.reason, detail: shortLine(ready.message ?? 'a readiness gate is not met'), isFailure: false };
}

/** What the kubelet waits for without expecting much of it. */
function waitingTrouble(container: Json): Trouble | undefined {
  const reason = textAt(container, 'state', 'waiting', 'reason') ?? '';
  const message = textAt(container, 'state', 'waiting', 'message') ?? '';
  const name = textAt(container, 'name') ?? '';
  if (/^ErrImage|^ImagePull|^ErrImageNeverPull|^InvalidImageName|^ImageInspect|^RegistryUnavailable/.test(reason)) {
    return imageTrouble(
      textAt(container, 'image') ?? '',
      message,
      reason === 'ErrImagePull' ? 'ImagePullBackOff' : reason,
    );
  }
  if (reason.endsWith('Error')) {
    return { reason, detail: `container ${name}${message === '' ? '' : `: ${shortLine(message)}`}`, isFailure: true };
  }
  return undefined;
}

/** An image that cannot be had, for a cause that the message tells: it stays the same whichever try is being made. */
export function imageTrouble(image: string, message: string, reason: string): Trouble {
  const why = PULL_CAUSES.find(([pattern]) => pattern.test(message))?.[1];
  const detail = `image ${shortLine(image, MAX_IMAGE)} cannot be pulled${why === undefined ? '' : ` (${why})`}`;
  return { reason, detail, isFailure: true };
}

const PULL_CAUSES: readonly (readonly [RegExp, string])[] = [
  [/not found|manifest unknown|does not exist/i, 'not found'],
  [/unauthorized|denied|forbidden|authentication|authorization/i, 'access denied'],
  [/no such host|timeout|timed out|refused|unreachable|x509/i, 'the registry cannot be reached'],
];

function crashTrouble(container: Json): Trouble | undefined {
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

const MAX_DETAIL = 200;
const MAX_IMAGE = 120;

/** On one line and not endless: it goes into a status. */
export function shortLine(text: string, max: number = MAX_DETAIL): string {
  const line = text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}
