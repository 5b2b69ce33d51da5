import type { FieldOwner } from './managed-fields.ts';
import { isJsonObject, type KubeObject } from './object.ts';

/**
 * What the admission policy of Plumb leaves on a managed object: who wrote it last, and which write that was. The API
 * server writes it within the very request, so it cannot be wrong at that moment; but it stays when others write later,
 * and it names one writer only. So the second annotation says how far the first one goes:
 *
 *     plumb.dev/touched-by: j.doe
 *     plumb.dev/touched-as: 261 - Update 2026-11-26T18:03:05Z kubectl-patch
 *                           │   │ └─ the entry in managedFields that the write made: operation, time, manager
 *                           │   └ since when this user alone wrote as this manager; - is since the entry is there
 *                           └ the resource version that was overwritten; - where the object was created
 */
export const TOUCHED_BY_ANNOTATION = 'plumb.dev/touched-by';
export const TOUCHED_AS_ANNOTATION = 'plumb.dev/touched-as';

export interface EditStamp {
  readonly user: string;
  /** The resource version that was overwritten; undefined where the write created the object. */
  readonly over: string | undefined;
  /**
   * The resource version that the last write by another user as this manager has overwritten: all later ones are this
   * user's. Undefined where all that the manager owns was written by this user.
   */
  readonly since: string | undefined;
  readonly operation: FieldOwner['operation'];
  /** Of the manager's entry; undefined where the write left none: it only removed fields. */
  readonly time: string | undefined;
  /** Empty where the server did not say. */
  readonly manager: string;
}

/** The stamp of an object; undefined where there is none, or not one that the policy has written. */
export function readStamp({ metadata }: KubeObject): EditStamp | undefined {
  const user = metadata.annotations?.[TOUCHED_BY_ANNOTATION];
  const parts = /^(\S+) (\S+) (Apply|Update) (\S+) (.*)$/s.exec(metadata.annotations?.[TOUCHED_AS_ANNOTATION] ?? '');
  if (user === undefined || user === '' || parts === null || isWrittenByHand(metadata.managedFields)) return undefined;
  const [, over, since, operation, time, manager = ''] = parts;
  return {
    user,
    over: valueOf(over),
    since: valueOf(since),
    operation: operation === 'Apply' ? 'Apply' : 'Update',
    time: valueOf(time),
    manager,
  };
}

function valueOf(text: string | undefined): string | undefined {
  return text === '-' ? undefined : text;
}

/**
 * The policy's own writing is nobody's field. A write through a subresource passes it by, so that whoever owns the
 * annotations by one has written them himself.
 */
function isWrittenByHand(entries: KubeObject['metadata']['managedFields'] = []): boolean {
  return entries.some(({ subresource, fieldsV1 }) => {
    const metadata = fieldsV1?.['f:metadata'];
    const annotations = isJsonObject(metadata) ? metadata['f:annotations'] : undefined;
    if (!subresource || !isJsonObject(annotations)) return false;
    return [TOUCHED_BY_ANNOTATION, TOUCHED_AS_ANNOTATION].some((name) => Object.hasOwn(annotations, `f:${name}`));
  });
}
