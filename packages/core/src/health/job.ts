import { fieldAt, type KubeObject } from '../object.ts';
import { conditionsOf } from './conditions.ts';
import {
  because,
  count,
  degraded,
  healthy,
  numberAt,
  progressing,
  suspended,
  textAt,
  type Health,
  type HealthRule,
  type Look,
} from './health.ts';

export const job: HealthRule = {
  assess: assessJob,
  reads: {
    spec: ['completions', 'parallelism', 'suspend'],
    status: ['succeeded', 'active', 'failed', 'startTime'],
  },
};

function assessJob(object: KubeObject, { awaitsEnd }: Look): Health {
  const wanted = numberAt(object, 'spec', 'completions') ?? numberAt(object, 'spec', 'parallelism') ?? 1;
  const succeeded = numberAt(object, 'status', 'succeeded') ?? 0;
  const active = numberAt(object, 'status', 'active') ?? 0;
  const failed = numberAt(object, 'status', 'failed') ?? 0;
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (status !== 'True') continue;
    if (type === 'Complete') return healthy(`has completed, ${succeeded} of ${wanted} pods succeeded`);
    if (type === 'Failed' || type === 'FailureTarget') {
      return degraded(because(`has failed after ${count(failed, 'failed pod')}`, message, reason));
    }
    if (type === 'Suspended') return suspended('is suspended');
  }
  if (fieldAt(object, 'spec', 'suspend') === true) return suspended('is suspended');
  if (textAt(object, 'status', 'startTime') === undefined) return progressing('waiting to be started');
  const tell = awaitsEnd ? progressing : healthy;
  return tell(`is running, ${succeeded} of ${wanted} pods succeeded, ${active} active, ${failed} failed`);
}

export const cronJob: HealthRule = {
  assess: (object) =>
    fieldAt(object, 'spec', 'suspend') === true ? suspended('is suspended') : healthy('is scheduled'),
  reads: { spec: ['suspend'] },
};
