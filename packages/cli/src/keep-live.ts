import { digest, type FieldChange, type TargetKey, type Where } from '@plumb/core';
import { keepEdits, keepMessage, fieldsWithoutSecrets, type KeepEditsRequest, type KeptObject } from '@plumb/engine';
import { pushEdits, type EditPush, type PushedEdits } from './push-edits.ts';
import { throwAll } from './report-error.ts';

type Search = Pick<KeepEditsRequest, 'spec' | 'renderer' | 'others' | 'allowsOthers' | 'file'>;

export interface KeepLiveRequest extends Search, EditPush, KeptObject {
  readonly reason: string | undefined;
}

interface KeptPlaces {
  /** What is kept, as it may be told: without what Secrets hold. */
  readonly changes: readonly FieldChange[];
  /** Where each field is written now. */
  readonly places: readonly { readonly path: string; readonly where: Where }[];
  /** Other targets that change as well. */
  readonly others: readonly string[];
}

export interface KeptLive extends KeptPlaces, Omit<PushedEdits<never>, 'about'> {}

/**
 * Puts live values of an object into Git: finds the edit at the tip of the followed branch, proves it by renders, commits it in
 * the name of who asks, and pushes. Throws what `keepEdits` and `pushEdits` say.
 */
export async function keepLive(request: KeepLiveRequest): Promise<KeptLive> {
  const { spec, key, changes, changedBy, reason } = request;
  const pushed = await pushEdits<KeptPlaces>(request, async ({ tree, committedMs }) => {
    const fields = changes.map(({ path, after }) => ({ path, live: after }));
    const result = await keepEdits({ ...request, tree, committedMs, fields });
    if (!result.ok) throwAll(result.error);
    const { files, places, others, secrets } = result.value;
    const told = fieldsWithoutSecrets(changes, secrets);
    const message = keepMessage({ target: spec.target, objects: [{ key, changes: told, changedBy }], reason });
    return { files, about: { places, others, changes: told }, message };
  });
  const { about, ...rest } = pushed;
  return { ...rest, ...about };
}

/** A name for a branch that holds one kept change: the same change, the same name. */
export function keepBranchName({
  target,
  key,
  changes,
}: Omit<KeptObject, 'changedBy'> & { readonly target: TargetKey }): string {
  const words = `${target.split('/').slice(1).join('-')}-${key.split('/').at(-1) ?? ''}`.toLowerCase();
  const name = words.replaceAll(/[^a-z0-9-]+/g, '-').slice(0, 60);
  const wanted = changes.map(({ path, after }: FieldChange) => [path, after ?? null]);
  return `plumb/keep-${name}-${digest([target, key, ...wanted]).slice(0, 8)}`;
}
