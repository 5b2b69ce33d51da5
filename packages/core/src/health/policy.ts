import { isJsonArray, parseJson } from '../canonical.ts';
import { type KubeObject } from '../object.ts';
import { conditionsIn, conditionsOf, type Condition } from './conditions.ts';
import { because, degraded, healthy, numberAt, progressing, type Health, type HealthRule } from './health.ts';

export const podDisruptionBudget: HealthRule = {
  assess: assessBudget,
  reads: { status: ['currentHealthy', 'desiredHealthy', 'disruptionsAllowed'] },
};

function assessBudget(object: KubeObject): Health {
  const failed = conditionsOf(object).find((condition) => condition.reason === 'SyncFailed');
  if (failed !== undefined) return degraded(because('the allowed disruptions cannot be computed', failed.message));
  const allowed = numberAt(object, 'status', 'disruptionsAllowed');
  if (allowed === undefined) {
    const isSeen = numberAt(object, 'status', 'observedGeneration') !== undefined;
    return isSeen ? healthy('is observed') : progressing('waiting for the allowed disruptions to be computed');
  }
  const current = numberAt(object, 'status', 'currentHealthy') ?? 0;
  const desired = numberAt(object, 'status', 'desiredHealthy') ?? 0;
  // Too few pods is the health of the workload, not of its budget.
  return healthy(`${current} healthy pods of at least ${desired}, ${allowed} may be disrupted`);
}

export const horizontalPodAutoscaler: HealthRule = {
  assess: assessAutoscaler,
  reads: { status: ['currentReplicas', 'desiredReplicas'] },
};

function assessAutoscaler(object: KubeObject): Health {
  const conditions = scalingConditions(object);
  const able = conditions.find(({ type }) => type === 'AbleToScale');
  const active = conditions.find(({ type }) => type === 'ScalingActive');
  if (able === undefined) return progressing('waiting for the first look at the metrics');
  // It is "able" all the same when it could not even read what it is to scale.
  if (able.status === 'False' || able.reason?.startsWith('Failed')) {
    return degraded(because('cannot scale', able.message, able.reason));
  }
  if (active === undefined) return progressing('waiting for the first look at the metrics');
  // Scaling is disabled while the target has no replicas: that is asked for.
  if (active?.status === 'False' && active.reason !== 'ScalingDisabled') {
    return degraded(because('does not scale', active.message, active.reason));
  }
  const current = numberAt(object, 'status', 'currentReplicas') ?? 0;
  const desired = numberAt(object, 'status', 'desiredReplicas') ?? 0;
  return healthy(current === desired ? `holds ${current} replicas` : `scales from ${current} to ${desired} replicas`);
}

/** `autoscaling/v1` knows no conditions: the API server puts them into an annotation, as JSON. */
const CONDITIONS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/conditions';

function scalingConditions(object: KubeObject): readonly Condition[] {
  const text = object.metadata.annotations?.[CONDITIONS_ANNOTATION];
  if (text === undefined) return conditionsOf(object);
  const list = parseJson(text);
  return conditionsIn(isJsonArray(list) ? list : []);
}
