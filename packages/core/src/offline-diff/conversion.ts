import { fieldAt, isJsonObject, type Json, type KubeObject } from '../object.ts';

/**
 * The object in another version of its group, where the two versions write the same differently and we know how: an
 * autoscaler on CPU. Undefined where we do not know; the fields of the two are then compared under their names.
 */
export function convertTo(apiVersion: string, object: KubeObject): KubeObject | undefined {
  if (object.apiVersion === apiVersion) return object;
  if (object.kind !== 'HorizontalPodAutoscaler') return undefined;
  const spec = object['spec'];
  if (!isJsonObject(spec)) return undefined;
  if (object.apiVersion === 'autoscaling/v1' && apiVersion === 'autoscaling/v2') {
    const { targetCPUUtilizationPercentage, ...rest } = spec;
    if (targetCPUUtilizationPercentage === undefined) return { ...object, apiVersion };
    return { ...object, apiVersion, spec: { ...rest, metrics: [cpuMetric(targetCPUUtilizationPercentage)] } };
  }
  if (object.apiVersion === 'autoscaling/v2' && apiVersion === 'autoscaling/v1') {
    const { metrics, behavior, ...rest } = spec;
    const percentage = onlyCpuOf(metrics);
    if (behavior !== undefined || (metrics !== undefined && percentage === undefined)) return undefined;
    const target = percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage };
    return { ...object, apiVersion, spec: { ...rest, ...target } };
  }
  return undefined;
}

function cpuMetric(averageUtilization: Json): Json {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } };
}

/** The older version has room for this one alone. */
function onlyCpuOf(metrics: Json | undefined): Json | undefined {
  if (!Array.isArray(metrics) || metrics.length !== 1) return undefined;
  const [metric] = metrics as readonly Json[];
  const isCpu = fieldAt(metric, 'resource', 'name') === 'cpu';
  return isCpu ? fieldAt(metric, 'resource', 'target', 'averageUtilization') : undefined;
}
