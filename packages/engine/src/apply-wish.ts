import { isNeverFought, PlumbError, withoutFields, type FieldConflict, type KubeObject } from '@plumb/core';
import type { Applied } from '@plumb/kube';
import { inNamespace, type NamespaceContext } from './create-namespace.ts';

export interface AppliedWish extends Applied {
  /** Fields that were left to controllers that are never fought. */
  readonly left: readonly FieldConflict[];
}

/**
 * Applies what Git wants: first without force, so that nobody's field is taken unseen. Where there are conflicts, fields of
 * controllers that are never fought, and what `isLeft` names, are left out, which keeps their values; the others are taken if `force` says so, and
 * are the error `FieldConflict` if not. Without a conflict that is one request, with one it is two.
 */
export async function applyWish(
  object: KubeObject,
  { force, dryRun }: { readonly force: boolean; readonly dryRun: boolean },
  context: NamespaceContext,
  isLeft: (conflict: FieldConflict) => boolean = () => false,
): Promise<AppliedWish> {
  const { client, writeAs, signal } = context;
  const options = { dryRun, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) };
  try {
    const send = (): Promise<Applied> => client.apply(object, { ...options, force: false });
    const answer = dryRun ? await send() : await inNamespace(object.metadata.namespace, context, send);
    return { ...answer, left: [] };
  } catch (thrown) {
    if (!(thrown instanceof PlumbError) || thrown.code !== 'FieldConflict') throw thrown;
    const left = thrown.conflicts.filter((conflict) => isNeverFought(conflict) || isLeft(conflict));
    const isContested = left.length < thrown.conflicts.length || thrown.conflicts.length === 0;
    if (isContested && !force) throw thrown;
    const fields = left.map(({ field }) => field);
    return { ...(await client.apply(withoutFields(object, fields), { ...options, force: isContested })), left };
  }
}
