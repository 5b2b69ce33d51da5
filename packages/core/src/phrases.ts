import { shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import type { LiveObject } from './live.ts';

/** The first three by name, and how many there are besides. */
export function nameSome(keys: readonly ObjectKey[]): string {
  const names = keys.slice(0, 3).map(shortNameOf);
  return keys.length > 3 ? `${names.join(', ')} and ${keys.length - 3} more` : names.join(', ');
}

/** A target as arguments of the command line: `shop -n team -e prod`. */
export function commandName(target: TargetKey): string {
  const [namespace, application, environment] = target.split('/');
  const inNamespace = namespace === 'default' ? '' : ` -n ${namespace}`;
  return `${application}${inNamespace}${environment === undefined ? '' : ` -e ${environment}`}`;
}

/** What keeps objects that are being deleted: `Waiting until ConfigMap/a is gone (finalizer example.com/b).` */
export function waitingUntilGone(leaving: readonly LiveObject[]): string {
  const finalizers = [...new Set(leaving.flatMap((live) => live.finalizers ?? []))].sort();
  const cause = finalizers.length === 0 ? '' : ` (finalizer ${finalizers.slice(0, 3).join(', ')})`;
  return `Waiting until ${nameSome(leaving.map(({ key }) => key))} is gone${cause}.`;
}
