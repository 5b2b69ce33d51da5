import { type KubeObject } from '../object.ts';
import { listAt, numberAt, textAt } from './health.ts';

/** One entry of `status.conditions`, as the API conventions of Kubernetes describe it. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly observedGeneration: number | undefined;
}

export function conditionsOf(object: KubeObject): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const item of listAt(object, 'status', 'conditions')) {
    const type = textAt(item, 'type');
    const status = textAt(item, 'status');
    if (type === undefined || (status !== 'True' && status !== 'False' && status !== 'Unknown')) continue;
    const observedGeneration = numberAt(item, 'observedGeneration');
    conditions.push({
      type,
      status,
      reason: textAt(item, 'reason'),
      message: textAt(item, 'message'),
      observedGeneration,
    });
  }
  return conditions;
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}
