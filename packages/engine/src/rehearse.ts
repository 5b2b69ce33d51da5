import {
  DELETION,
  isAbort,
  isForeseen,
  located,
  parseObjectKey,
  PlumbError,
  rehearsedState,
  replacedFor,
  shortNameOf,
  toPlumbError,
  type LiveObject,
  type ObjectKey,
  type Rehearsed,
  type Write,
} from '@plumb/core';
import type { WriteContext } from './apply.ts';
import { applyWish } from './apply-wish.ts';
import { tryCreation } from './replace.ts';

/** As `Rehearsed`, before anybody has said when to ask again. */
export type RehearsalAnswer = Omit<Rehearsed, 'retryAt'> & { readonly key: ObjectKey };

/**
 * Asks the API server what it would say to writes and deletions, as the same user and all together; nothing is stored. An
 * API server that does not answer is thrown: then nothing is known.
 */
export async function rehearseAll(
  writes: readonly Write[],
  deletions: readonly LiveObject[],
  liveOf: (key: ObjectKey) => LiveObject | undefined,
  context: WriteContext,
): Promise<readonly RehearsalAnswer[]> {
  const { signal } = context;
  const changing = [...writes, ...deletions].map(({ key }) => key);
  const foreseen = (thrown: unknown): PlumbError | undefined => {
    if (isAbort(thrown, signal)) throw thrown;
    const error = toPlumbError(thrown);
    if (error.code === 'ClusterUnreachable' || error.code === 'ClusterUnauthorized') throw error;
    if (error.code === 'NamespaceMissing' && context.createNamespace !== undefined) return undefined;
    return isForeseen(error, changing) ? error : undefined;
  };
  return Promise.all([
    ...writes.map(async (write): Promise<RehearsalAnswer> => {
      const { key, desired } = write;
      const state = rehearsedState(liveOf(key));
      const refused = await tryWrite(write, context).then(() => undefined, foreseen);
      return { key, hash: desired.hash, state, error: refused && located(refused, desired) };
    }),
    ...deletions.map(async (live): Promise<RehearsalAnswer> => {
      const { key } = live;
      const error = await tryDeletion(live, context).then(() => undefined, foreseen);
      return { key, hash: DELETION, state: rehearsedState(live), error };
    }),
  ]);
}

/** Where an object would be replaced, what counts is whether the new one would be taken. */
async function tryWrite({ action, desired, force }: Write, context: WriteContext): Promise<void> {
  try {
    await applyWish(desired.object, { force, dryRun: true }, context);
  } catch (thrown) {
    if (action !== 'update' || replacedFor(desired, toPlumbError(thrown)) === undefined) throw thrown;
    await tryCreation(desired, context);
  }
}

async function tryDeletion({ key, uid }: LiveObject, { client, writeAs, signal }: WriteContext): Promise<void> {
  const ref = parseObjectKey(key);
  if (ref === undefined) throw new PlumbError('Internal', `${shortNameOf(key)} is not an object key`);
  const resource = await client.resource({ group: ref.group, kind: ref.kind }, { signal });
  await client.delete(
    resource,
    { name: ref.name, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) },
    { uid, dryRun: true, signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) },
  );
}
