import { type KubeObject } from '../object.ts';
import { because, degraded, healthy, progressing, textAt, type Health, type HealthRule } from './health.ts';

export const persistentVolumeClaim: HealthRule = { assess: assessClaim, reads: { status: ['phase'] } };

function assessClaim(object: KubeObject): Health {
  const phase = textAt(object, 'status', 'phase');
  if (phase === 'Bound') return healthy('is bound');
  if (phase === 'Lost') return degraded('has lost its volume');
  return progressing('waiting to be bound to a volume');
}

export const persistentVolume: HealthRule = { assess: assessVolume, reads: { status: ['phase', 'message', 'reason'] } };

function assessVolume(object: KubeObject): Health {
  const phase = textAt(object, 'status', 'phase');
  if (phase === undefined || phase === 'Pending') return progressing('waiting to be available');
  if (phase !== 'Failed') return healthy(`is ${phase.toLowerCase()}`);
  return degraded(because('has failed', textAt(object, 'status', 'message'), textAt(object, 'status', 'reason')));
}
