import { fieldAt, type Json, type KubeObject } from '../object.ts';
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
  return conditionsIn(listAt(object, 'status', 'conditions'));
}

/** The entries of a list that are conditions; whatever else stands in it is left out. */
export function conditionsIn(list: readonly Json[]): readonly Condition[] {
  const conditions: Condition[] = [];
  for (const item of list) {
    const type = textAt(item, 'type');
    const status = statusIn(item);
    if (type === undefined || status === undefined) continue;
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

/** Of whoever does not write it as the conventions say: another case, a boolean; any other word leaves it open. */
function statusIn(item: Json): Condition['status'] | undefined {
  const status = fieldAt(item, 'status');
  if (typeof status !== 'string' && typeof status !== 'boolean') return undefined;
  const word = String(status).toLowerCase();
  if (word === 'true') return 'True';
  return word === 'false' ? 'False' : 'Unknown';
}

export function conditionOf(object: KubeObject, type: string): Condition | undefined {
  return conditionsOf(object).find((condition) => condition.type === type);
}
