import { fieldAt, type Json, type KubeObject } from '../object.ts';
import { conditionOf } from './conditions.ts';
import {
  because,
  count,
  degraded,
  healthy,
  listAt,
  numberAt,
  progressing,
  textAt,
  type Health,
  type HealthRule,
  type Look,
} from './health.ts';

export const pod: HealthRule = {
  assess: assessPod,
  reads: {
    spec: ['restartPolicy'],
    status: ['phase', 'reason', 'message', 'containerStatuses', 'initContainerStatuses'],
  },
};

function assessPod(object: KubeObject, look: Look): Health {
  const phase = textAt(object, 'status', 'phase');
  switch (phase) {
    case undefined:
      return progressing('waiting for the pod to be seen by a scheduler');
    case 'Succeeded':
      return healthy('has completed');
    case 'Failed':
      return assessFailed(object, look);
    case 'Running':
      if (look.awaitsEnd && runsToAnEnd(object)) return stuckContainer(object) ?? progressing('is running to its end');
      if (conditionOf(object, 'Ready')?.status === 'True') return healthy('is ready');
      return stuckContainer(object) ?? progressing(notReadyMessage(object));
    case 'Pending': {
      const scheduled = conditionOf(object, 'PodScheduled');
      if (scheduled?.status === 'False') {
        const tell = isTooLong(object, look) && scheduled.reason === 'Unschedulable' ? degraded : progressing;
        return tell(because('cannot be scheduled', scheduled.message, scheduled.reason));
      }
      return stuckContainer(object) ?? progressing(notReadyMessage(object));
    }
    default:
      return progressing(`is in phase ${phase}`);
  }
}

/** How long kstatus gives a scheduler; an autoscaler takes longer, so who waits gives it all the time there is. */
const SCHEDULING_MS = 15_000;

function isTooLong({ metadata }: KubeObject, { now }: Look): boolean {
  const created = Date.parse(metadata.creationTimestamp ?? '');
  return now !== undefined && !(now - created < SCHEDULING_MS);
}

function runsToAnEnd(object: KubeObject): boolean {
  const policy = textAt(object, 'spec', 'restartPolicy');
  return policy === 'Never' || policy === 'OnFailure';
}

/** To kstatus a pod that has ended is done, however it ended; here one that shows its failure is no healthy one. */
function assessFailed(object: KubeObject, { awaitsEnd }: Look): Health {
  const cause = failureCause(object);
  if (cause !== undefined) return degraded(cause);
  return awaitsEnd ? degraded('has failed') : healthy('has ended, and does not say how');
}

/** The kubelet's reasons for a container that does not start: it tries again, but does not expect to succeed. */
const STUCK_REASON = /^Err|BackOff$|Error$|^InvalidImageName$|^ImageInspect/;

function stuckContainer(object: KubeObject): Health | undefined {
  for (const container of containerStatuses(object)) {
    const reason = textAt(container, 'state', 'waiting', 'reason');
    if (reason === undefined || !STUCK_REASON.test(reason)) continue;
    const name = textAt(container, 'name') ?? '';
    const exit = exitMessage(fieldAt(container, 'lastState', 'terminated'));
    const detail = exit === undefined ? textAt(container, 'state', 'waiting', 'message') : exit + restarts(container);
    return degraded(because(`container ${name} is in ${reason}`, detail));
  }
  return undefined;
}

function restarts(container: Json): string {
  const number = numberAt(container, 'restartCount') ?? 0;
  return number === 0 ? '' : `, ${count(number, 'restart')}`;
}

function failureCause(object: KubeObject): string | undefined {
  const disruption = conditionOf(object, 'DisruptionTarget');
  const disrupted =
    disruption?.status === 'True' ? (disruption.message ?? disruption.reason ?? 'disrupted') : undefined;
  const detail = textAt(object, 'status', 'message') ?? textAt(object, 'status', 'reason') ?? disrupted;
  if (detail !== undefined) return because('has failed', detail);
  for (const container of containerStatuses(object)) {
    const terminated = fieldAt(container, 'state', 'terminated');
    if (numberAt(terminated, 'exitCode') === 0) continue;
    const exit = exitMessage(terminated);
    if (exit !== undefined) return `container ${textAt(container, 'name') ?? ''} has failed: ${exit}`;
  }
  return undefined;
}

/** `OOMKilled, exit code 137`. */
function exitMessage(terminated: Json | undefined): string | undefined {
  const exitCode = numberAt(terminated, 'exitCode');
  if (exitCode === undefined) return undefined;
  return `${textAt(terminated, 'reason') ?? 'Error'}, exit code ${exitCode}`;
}

function notReadyMessage(object: KubeObject): string {
  const containers = listAt(object, 'status', 'containerStatuses');
  if (containers.length === 0) return 'waiting for its containers to start';
  const ready = containers.filter((container) => fieldAt(container, 'ready') === true).length;
  const waiting = containers.map((container) => textAt(container, 'state', 'waiting', 'reason'));
  return because(`${ready} of ${containers.length} containers are ready`, ...waiting);
}

function containerStatuses(object: KubeObject): readonly Json[] {
  return [...listAt(object, 'status', 'initContainerStatuses'), ...listAt(object, 'status', 'containerStatuses')];
}
