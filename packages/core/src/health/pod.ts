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
} from './health.ts';

export const pod: HealthRule = {
  assess: assessPod,
  reads: { status: ['phase', 'reason', 'message', 'containerStatuses', 'initContainerStatuses'] },
};

function assessPod(object: KubeObject): Health {
  const phase = textAt(object, 'status', 'phase');
  switch (phase) {
    case undefined:
      return progressing('waiting for the pod to be seen by a scheduler');
    case 'Succeeded':
      return healthy('has completed');
    case 'Failed':
      return degraded(failedMessage(object));
    case 'Running':
      if (conditionOf(object, 'Ready')?.status === 'True') return healthy('is ready');
      return stuckContainer(object) ?? progressing(notReadyMessage(object));
    case 'Pending': {
      const scheduled = conditionOf(object, 'PodScheduled');
      if (scheduled?.status === 'False') {
        // A node may still come (an autoscaler, a drain that ends), so this is not a failure by itself.
        return progressing(because('cannot be scheduled', scheduled.message, scheduled.reason));
      }
      return stuckContainer(object) ?? progressing(notReadyMessage(object));
    }
    default:
      return progressing(`is in phase ${phase}`);
  }
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

function failedMessage(object: KubeObject): string {
  const detail = textAt(object, 'status', 'message') ?? textAt(object, 'status', 'reason');
  if (detail !== undefined) return because('has failed', detail);
  for (const container of containerStatuses(object)) {
    const terminated = fieldAt(container, 'state', 'terminated');
    if (numberAt(terminated, 'exitCode') === 0) continue;
    const exit = exitMessage(terminated);
    if (exit !== undefined) return `container ${textAt(container, 'name') ?? ''} has failed: ${exit}`;
  }
  return 'has failed';
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
