import { groupOf, type KubeObject } from '../object.ts';
import { isClusterScoped } from '../offline-diff/kind-schema.ts';

/** Whether an object lives in a namespace, as far as that is known without a server: a kind that nobody knows does. */
export function isNamespaced(object: KubeObject): boolean {
  return !isClusterScoped(groupOf(object.apiVersion), object.kind);
}
