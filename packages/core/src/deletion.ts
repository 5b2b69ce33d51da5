import { digest } from './canonical.ts';
import { parseObjectKey, shortNameOf, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';
import { kindName } from './object.ts';

/** How much one sync may delete without being asked. */
export interface DeletionBudget {
  /** At most this many objects. */
  readonly maxObjects: number;
  /** At most this part of the target's objects; two are always allowed, or small applications could never shrink. */
  readonly maxPercent: number;
  /** Kinds (`ConfigMap`, `StatefulSet.apps`) never deleted without an approval, besides the built-in ones. */
  readonly protect: readonly string[];
}

export const DEFAULT_DELETION_BUDGET: DeletionBudget = { maxObjects: 25, maxPercent: 20, protect: [] };

/** Deleting one of these takes more with it than the object itself: data, or every object of a kind or a namespace. */
export const PROTECTED_KINDS: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'StatefulSet',
];

export type DeletionVerdict =
  | { readonly verdict: 'none' }
  | { readonly verdict: 'allowed'; readonly objects: readonly LiveObject[] }
  | {
      readonly verdict: 'blocked';
      readonly objects: readonly LiveObject[];
      /** Names exactly this set: approving it approves nothing else. */
      readonly digest: string;
      readonly reason: string;
    };

export interface DeletionQuestion {
  /** The target's objects that Git no longer wants, each proven to be ours. */
  readonly candidates: readonly LiveObject[];
  /** How many objects the target has in the cluster, candidates included. */
  readonly memberCount: number;
  /** How many objects Git wants. */
  readonly desiredCount: number;
  readonly budget: DeletionBudget;
  /** The digest that a person approved, if any. */
  readonly approved: string | undefined;
}

/**
 * Whether a set of deletions may go ahead. All or nothing: a part of a suspicious deletion is as wrong as the whole.
 *
 * | approved digest | protected kind in it | Git wants nothing | over budget | verdict |
 * | --- | --- | --- | --- | --- |
 * | this set | - | - | - | allowed |
 * | other or none | yes | - | - | blocked |
 * | other or none | no, but one that asks first | - | - | blocked |
 * | other or none | no | yes | - | blocked |
 * | other or none | no | no | yes | blocked |
 * | other or none | no | no | no | allowed |
 */
export function judgeDeletions(question: DeletionQuestion): DeletionVerdict {
  const { candidates, memberCount, desiredCount, budget, approved } = question;
  if (candidates.length === 0) return { verdict: 'none' };
  const setDigest = deletionDigest(candidates);
  if (approved === setDigest) return { verdict: 'allowed', objects: candidates };
  const block = (reason: string): DeletionVerdict => ({
    verdict: 'blocked',
    objects: candidates,
    digest: setDigest,
    reason,
  });

  const guarded = candidates.find(({ key }) => isProtected(key, budget));
  if (guarded !== undefined) return block(`${shortNameOf(guarded.key)} is of a protected kind`);
  const asking = candidates.find(({ askFirst }) => askFirst !== undefined);
  if (asking !== undefined) return block(`${shortNameOf(asking.key)} asks for it (${asking.askFirst})`);
  if (desiredCount === 0) return block('Git wants none of the objects of this application any more');
  const byPercent = Math.max(2, Math.floor((memberCount * budget.maxPercent) / 100));
  const limit = Math.min(budget.maxObjects, byPercent);
  if (candidates.length > limit) {
    return block(`${candidates.length} of ${memberCount} objects would go, and ${limit} may go without being asked`);
  }
  return { verdict: 'allowed', objects: candidates };
}

/** Twelve characters over the keys and uids of the set, in any order. */
export function deletionDigest(objects: readonly Pick<LiveObject, 'key' | 'uid'>[]): string {
  return digest(objects.map(({ key, uid }) => `${key} ${uid}`).sort()).slice(0, 12);
}

function isProtected(key: ObjectKey, budget: DeletionBudget): boolean {
  const ref = parseObjectKey(key);
  return ref !== undefined && (isProtectedKind(key) || budget.protect.includes(kindName(ref)));
}

/** Whether no policy of any hook or object may have it deleted. */
export function isProtectedKind(key: ObjectKey): boolean {
  const ref = parseObjectKey(key);
  return ref !== undefined && PROTECTED_KINDS.includes(ref.kind);
}
