import { type KubeObject } from '../object.ts';
import { conditionsOf } from './conditions.ts';
import { because, degraded, numberAt, progressing, type Health } from './health.ts';

/**
 * What holds for every kind, before its own rule is asked: an object on its way out, a spec that its controller has not
 * seen, and the two conditions of kstatus (`Reconciling`, `Stalled`). Undefined where they say nothing.
 *
 * Source: `sigs.k8s.io/cli-utils/pkg/kstatus/status`, generic.go.
 */
export function assessGeneric(object: KubeObject): Health | undefined {
  const { deletionTimestamp, generation } = object.metadata;
  if (deletionTimestamp !== undefined) {
    const finalizers = object.metadata.finalizers ?? [];
    const waitsFor = finalizers.length === 0 ? '' : `, waiting for ${finalizers.join(', ')}`;
    return progressing(`is being deleted${waitsFor}`);
  }
  const observed = numberAt(object, 'status', 'observedGeneration');
  if (generation !== undefined && observed !== undefined && observed < generation) {
    return progressing(`waiting for generation ${generation} to be observed`);
  }
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Reconciling') return progressing(because('is being reconciled', message, reason));
    if (type === 'Stalled') return degraded(because('is stalled', message, reason));
  }
  return undefined;
}
