import { keyOf, type LiveObject, type ObjectKey, type TargetKey } from '@plumb/core';
import { RELEASES_WITH_OBJECTS, type LedgerReader } from '@plumb/ledger';

/** The commit that removed an object from what Git wants. */
export interface Removal {
  /** The full id. */
  readonly commit: string;
  readonly author: string;
}

/**
 * Which commit removed each object: that of the first release without it, found by walking back through the releases. An
 * object that no kept release has is laid to the newest commit.
 */
export async function removalsOf(
  objects: readonly LiveObject[],
  {
    ledger,
    target,
    now,
  }: {
    readonly ledger: Pick<LedgerReader, 'releases' | 'releaseObjects'>;
    readonly target: TargetKey;
    /** The commit that is wanted now. */
    readonly now: Removal;
  },
): Promise<ReadonlyMap<ObjectKey, Removal>> {
  const removals = new Map<ObjectKey, Removal>();
  const open = new Set(objects.map(({ key }) => key));
  let without = now;
  for (const release of await ledger.releases(target, { limit: RELEASES_WITH_OBJECTS })) {
    if (open.size === 0) break;
    const stored = await ledger.releaseObjects(target, release.number);
    if (stored === undefined) break;
    for (const { object } of stored) {
      const key = keyOf(object);
      if (open.delete(key)) removals.set(key, without);
    }
    without = { commit: release.commit, author: release.author };
  }
  for (const key of open) removals.set(key, now);
  return removals;
}
