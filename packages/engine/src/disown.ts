import {
  isAbort,
  observe,
  parseObjectKey,
  PlumbError,
  toPlumbError,
  type LiveObject,
  type ObjectKey,
} from '@plumb/core';
import type { WriteOutcome } from '@plumb/ledger';
import type { WriteContext, WriteResult } from './apply.ts';

/**
 * Takes our marks off objects and leaves them as they are otherwise; recorded like any write. What is gone meanwhile, or
 * does not bear the marks of this target any more, is left alone.
 */
export async function disownAll(
  objects: readonly LiveObject[],
  context: WriteContext,
): Promise<readonly WriteResult[]> {
  const { client, ledger, target, commit, writeAs, identity, signal } = context;
  const seqs = await ledger.intend(
    objects.map(({ key }) => ({
      change: commit,
      target,
      verb: 'apply',
      object: key,
      reason: 'forgotten',
      actor: writeAs ?? identity,
    })),
  );
  const outcomes: WriteOutcome[] = [];
  const removed: ObjectKey[] = [];
  const results = await Promise.all(
    objects.map(async ({ key, uid }, index): Promise<WriteResult> => {
      const seq = seqs[index] ?? 0;
      try {
        const ref = parseObjectKey(key);
        if (ref === undefined) throw new PlumbError('Internal', `${key} is not an object key`);
        const resource = await client.resource({ group: ref.group, kind: ref.kind }, { signal });
        const place = { name: ref.name, ...(ref.namespace === '' ? {} : { namespace: ref.namespace }) };
        const live = await client.get(resource, place, { signal });
        if (live !== undefined && live.metadata.uid === uid && observe(live).target === target) {
          await client.disown(resource, live, { signal, ...(writeAs === undefined ? {} : { impersonate: writeAs }) });
        }
        outcomes.push({ seq, result: 'ok', uid });
        removed.push(key);
        return { key, ok: true, object: undefined, uid, gone: true };
      } catch (thrown) {
        if (isAbort(thrown, signal)) throw thrown;
        const error = toPlumbError(thrown);
        outcomes.push({ seq, result: 'failed', error: error.toRecord() });
        return { key, ok: false, error };
      }
    }),
  );
  await ledger.concludeBatch({ target, outcomes, applied: [], removed });
  return results;
}
