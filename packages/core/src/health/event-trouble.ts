import { fieldAt, type Json, type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import { count, listAt, numberAt, textAt } from './health.ts';
import { imageTrouble, shortLine, type Trouble } from './pod-trouble.ts';

// What only Events tell: the kubelet and the controllers write why they do not get on into no status.

/**
 * Where an object stands that does not get on, and so which Events may be about it now: the others are left over from
 * before. `creating` is a workload that lacks pods; the other stages are of a pod.
 */
export type Stage = 'creating' | 'scheduling' | 'starting' | 'running';

/** An object whose Events would tell more. */
export interface Question {
  readonly uid: string;
  readonly stage: Stage;
}

/** Where a pod stands that is not ready; undefined where it is, is over, or is held back on purpose. */
export function stageOf(pod: KubeObject): Stage | undefined {
  const phase = textAt(pod, 'status', 'phase');
  if (pod.metadata.deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') return undefined;
  if (conditionOf(pod, 'Ready')?.status === 'True') return undefined;
  const containers = listAt(pod, 'status', 'containerStatuses');
  if (containers.some((container) => fieldAt(container, 'state', 'running') !== undefined)) return 'running';
  const scheduled = conditionOf(pod, 'PodScheduled');
  if (scheduled?.reason === 'SchedulingGated') return undefined;
  return scheduled?.status === 'True' || containers.length > 0 ? 'starting' : 'scheduling';
}

/** What an Event says, whichever of the two APIs wrote it. */
interface Said {
  readonly reason: string;
  readonly message: string;
  /** The container that it is about: `app`, of `spec.containers{app}`. */
  readonly container: string | undefined;
  /** Epoch milliseconds of the last time. */
  readonly at: number;
  readonly times: number;
}

interface Telling {
  readonly stage: Stage;
  readonly reasons: ReadonlySet<string>;
  /** Undefined where this message tells nothing. */
  readonly read: (said: Said) => (Omit<Trouble, 'reason'> & { readonly reason?: string }) | undefined;
  /** What says that it has got on since. */
  readonly undoneBy: ReadonlySet<string>;
}

const STARTED: readonly string[] = ['Pulled', 'Created', 'Started'];

/** Which Events tell a cause, the most telling of a stage first. */
const TABLE: readonly Telling[] = [
  {
    stage: 'creating',
    reasons: new Set(['FailedCreate']),
    read: ({ message }) => ({ detail: creationWords(message), isFailure: true }),
    undoneBy: new Set(['SuccessfulCreate']),
  },
  {
    stage: 'scheduling',
    reasons: new Set(['FailedScheduling']),
    // A node may still come.
    read: ({ message }) => ({ detail: shortLine(message), isFailure: false }),
    undoneBy: new Set(['Scheduled']),
  },
  {
    stage: 'starting',
    reasons: new Set(['Failed', 'BackOff']),
    read: ({ message }) => {
      const image = /^(?:Failed to pull|Back-off pulling) image "([^"]*)"/.exec(message)?.[1];
      return image === undefined ? undefined : imageTrouble(image, message, 'ImagePullBackOff');
    },
    undoneBy: new Set(STARTED),
  },
  {
    stage: 'starting',
    reasons: new Set(['FailedAttachVolume']),
    // Whoever holds it may let go of it.
    read: ({ message }) => ({ detail: shortLine(message), isFailure: false }),
    undoneBy: new Set(['SuccessfulAttachVolume', 'Pulling', ...STARTED]),
  },
  {
    stage: 'starting',
    reasons: new Set(['FailedMount', 'FailedMapVolume']),
    read: ({ message }) => ({ detail: mountWords(message), isFailure: MISSING_INPUT.test(message) }),
    undoneBy: new Set(['Pulling', ...STARTED]),
  },
  {
    stage: 'starting',
    reasons: new Set(['FailedCreatePodSandBox', 'NetworkNotReady', 'FailedCreatePodContainer']),
    read: ({ message }) => ({ detail: shortLine(steady(message)), isFailure: false }),
    undoneBy: new Set(['Pulling', ...STARTED]),
  },
  {
    stage: 'running',
    reasons: new Set(['BackOff']),
    read: ({ message, container = '' }) =>
      message.startsWith('Back-off restarting')
        ? {
            reason: 'CrashLoopBackOff',
            detail: `container ${container} keeps stopping`.replace('  ', ' '),
            isFailure: true,
          }
        : undefined,
    undoneBy: new Set(STARTED),
  },
  {
    stage: 'running',
    reasons: new Set(['Unhealthy']),
    read: ({ message }) => {
      const detail = probeWords(message);
      return detail === undefined ? undefined : { detail, isFailure: false };
    },
    undoneBy: new Set(),
  },
];

/** A volume that waits for an object which nobody has written: the kubelet's own word for it in an env would be an error too. */
const MISSING_INPUT = /\b(?:configmap|secret) "[^"]*" not found|references non-existent (?:config|secret) key/i;

/**
 * What the Events of a pod tell about it as it is now, or undefined where it gets on, or they tell nothing. What is
 * older than the running container is about its life before; of probes, those that containers that are ready once failed
 * count for nothing. The words hold no random names, so that they stay the same from one try to the next.
 */
export function podEventTrouble(pod: KubeObject, events: readonly KubeObject[]): Trouble | undefined {
  const stage = stageOf(pod);
  if (stage === undefined) return undefined;
  if (stage !== 'running') return tellingTrouble(stage, saidIn(events), { namesContainer: false });
  const containers = listAt(pod, 'status', 'containerStatuses');
  const current = saidIn(events).filter(({ container, at }) => {
    const status = containers.find((item) => container === undefined || textAt(item, 'name') === container);
    const startedAt = Date.parse(textAt(status, 'state', 'running', 'startedAt') ?? '');
    return status !== undefined && fieldAt(status, 'ready') !== true && !(at < startedAt);
  });
  return tellingTrouble(stage, current, { namesContainer: containers.length > 1 });
}

/** Why the controller of a workload makes no pods, by the workload's Events. */
export function creationEventTrouble(events: readonly KubeObject[]): Trouble | undefined {
  return tellingTrouble('creating', saidIn(events), { namesContainer: false });
}

function tellingTrouble(
  stage: Stage,
  said: readonly Said[],
  { namesContainer }: { readonly namesContainer: boolean },
): Trouble | undefined {
  for (const { reasons, read, undoneBy, ...row } of TABLE) {
    if (row.stage !== stage) continue;
    const overAt = Math.max(...said.filter(({ reason }) => undoneBy.has(reason)).map(({ at }) => at), -Infinity);
    const told = said
      .filter(({ reason, at }) => reasons.has(reason) && at >= overAt)
      .flatMap((one) => {
        const trouble = read(one);
        return trouble === undefined ? [] : [{ ...one, trouble: { reason: one.reason, ...trouble } }];
      })
      .toSorted((a, b) => b.at - a.at);
    const [newest] = told;
    if (newest === undefined) continue;
    if (newest.reason !== 'Unhealthy') return newest.trouble;
    const { container, trouble } = newest;
    const times = told
      .filter((one) => one.container === container && one.trouble.detail === trouble.detail)
      .reduce((sum, one) => sum + one.times, 0);
    const of = namesContainer && container !== undefined ? `container ${container}: ` : '';
    return { ...trouble, detail: `${of}${trouble.detail}${times > 1 ? `, ${count(times, 'time')}` : ''}` };
  }
  return undefined;
}

function saidIn(events: readonly KubeObject[]): readonly Said[] {
  return events.map((event) => ({
    reason: textAt(event, 'reason') ?? '',
    // What a recorder puts before a message that stands for several.
    message: (textAt(event, 'message') ?? '').replace(/^\(combined from similar events\): /, ''),
    container: /\{([^}]*)\}$/.exec(textAt(event, 'involvedObject', 'fieldPath') ?? '')?.[1],
    at: timeOf(event),
    times: numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1,
  }));
}

/** 0 where it says none: then anything else is newer. */
function timeOf(event: KubeObject): number {
  const { creationTimestamp } = event.metadata;
  const places: readonly (Json | undefined)[] = [
    fieldAt(event, 'series', 'lastObservedTime'),
    fieldAt(event, 'lastTimestamp'),
    fieldAt(event, 'eventTime'),
    creationTimestamp,
  ];
  const text = places.find((place) => typeof place === 'string');
  const at = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? 0 : at;
}

/** `exceeded quota: small, requested: pods=1 …`: without the random name of the pod that was not made. */
export function creationWords(message: string): string {
  const words = message
    .replace(/^Error creating: /, '')
    .replace(/^create Pod \S+ in StatefulSet \S+ failed error: /, '')
    .replace(/^pods? "[^"]*" is forbidden: /, '');
  return shortLine(words);
}

/** Without the command line of the mount, which may hold a password. */
function mountWords(message: string): string {
  const words = message
    .replace(/Mounting command:[\s\S]*?(?:Output: ?|$)/, '')
    .replace(/^\S+\.\S+ failed for volume "([^"]*)" ?: /, 'volume "$1": ');
  return shortLine(words);
}

/** Without ids, which are others with each try. */
function steady(message: string): string {
  return message.replaceAll(/"?\b[0-9a-f]{12,}\b"?/g, '…');
}

/**
 * `readiness probe failed: HTTP 503`. What the probe's command printed, or the server answered, is left out: it may hold
 * anything.
 */
function probeWords(message: string): string | undefined {
  const [, kind, rest = ''] = /^(Readiness|Liveness|Startup) probe (?:failed|errored)\b(.*)$/s.exec(message) ?? [];
  if (kind === undefined) return undefined;
  const status = /statuscode: (\d{3})\b/.exec(rest)?.[1];
  const why = status === undefined ? PROBE_CAUSES.find(([pattern]) => pattern.test(rest))?.[1] : `HTTP ${status}`;
  return `${kind.toLowerCase()} probe failed${why === undefined ? '' : `: ${why}`}`;
}

const PROBE_CAUSES: readonly (readonly [RegExp, string])[] = [
  [/connection refused/i, 'connection refused'],
  [/deadline exceeded|timed out|\btimeout\b/i, 'no answer in time'],
  [/no such host/i, 'host not found'],
  [/no route to host|network is unreachable/i, 'not reachable'],
  [/x509|\btls\b|certificate/i, 'the certificate is not accepted'],
  [/NOT_SERVING/, 'not serving'],
  [/connection reset|\bEOF\b/, 'the connection was closed'],
];
