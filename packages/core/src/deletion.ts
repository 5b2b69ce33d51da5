import { digest } from './canonical.ts';
import { PlumbError } from './error.ts';
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

/** Where the engine keeps what is its own. */
export const SYSTEM_NAMESPACE = 'plumb-system';

/** What was found out about an object that Git no longer wants. */
export interface Finding {
  /** Who removed it from Git, as far as the releases tell: `3f2a1bc by Demo Author`. */
  readonly removedBy?: string | undefined;
  /** Of a CustomResourceDefinition: the objects in the cluster that would go with it. */
  readonly instances?: number | undefined;
  /** Of a Namespace: names of what is in it and does not go with this set (`ConfigMap/env`), sorted. */
  readonly foreign?: readonly string[] | undefined;
}

export type Findings = ReadonlyMap<ObjectKey, Finding>;

/** What is known before a deletion, once somebody has looked. */
export interface Examination {
  readonly findings: Findings;
  /** Why the set itself is not believed, and when it is looked at again (monotonic milliseconds). */
  readonly doubt?: { readonly error: PlumbError; readonly retryAt: number } | undefined;
}

/** Why deletions of a whole cluster wait. */
export interface Pause {
  readonly reason: string;
  /** Monotonic milliseconds; undefined where only an approval ends it. */
  readonly until: number | undefined;
  /** Whether an approval does not help either. */
  readonly isFrozen: boolean;
}

/** What deletions ask, besides what is wanted and what is there. */
export interface DeletionFacts {
  /** What was found out about these objects; undefined where they have to be examined, or have to be so again. */
  examined(objects: readonly LiveObject[]): Examination | undefined;
  /** The set that was last allowed to go, of which a part may be gone. */
  readonly allowed: AllowedDeletion | undefined;
  /** Whether so many deletions at once are too many for the cluster just now. */
  pause(count: number): Pause | undefined;
}

export interface AllowedDeletion {
  readonly by: 'approval' | 'budget';
  /** By `deletionId`. */
  readonly ids: ReadonlySet<string>;
}

export interface BlockedDeletion {
  readonly verdict: 'blocked';
  readonly objects: readonly LiveObject[];
  /** Names exactly this set: approving it approves nothing else. */
  readonly digest: string;
  readonly reason: string;
  readonly findings: Findings;
  /** All targets of the cluster wait. */
  readonly pause?: Pause | undefined;
}

export type DeletionVerdict =
  | { readonly verdict: 'none' }
  /** It has to be found out first what these are. */
  | { readonly verdict: 'unexamined'; readonly objects: readonly LiveObject[] }
  | {
      readonly verdict: 'allowed';
      readonly objects: readonly LiveObject[];
      readonly digest: string;
      /** Whether a person has approved it, or the budget allows it. */
      readonly by: 'approval' | 'budget';
    }
  | BlockedDeletion;

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
  readonly findings?: Findings | undefined;
  readonly facts?: Pick<DeletionFacts, 'allowed' | 'pause'> | undefined;
}

const NO_FINDINGS: Findings = new Map();

/**
 * Whether a set of deletions may go ahead. All or nothing: a part of a suspicious deletion is as wrong as the whole.
 *
 * | approved digest | frozen | protected kind in it | Git wants nothing | over budget | cluster pauses | verdict |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | - | yes | - | - | - | - | blocked |
 * | this set, or it was allowed | no | - | - | - | - | allowed |
 * | other or none | no | yes | - | - | - | blocked |
 * | other or none | no | no | yes | - | - | blocked |
 * | other or none | no | no | no | yes | - | blocked |
 * | other or none | no | no | no | no | yes | blocked |
 * | other or none | no | no | no | no | no | allowed |
 */
export function judgeDeletions(question: DeletionQuestion): DeletionVerdict {
  const { candidates, memberCount, desiredCount, budget, approved, findings = NO_FINDINGS, facts } = question;
  if (candidates.length === 0) return { verdict: 'none' };
  const setDigest = deletionDigest(candidates);
  const allow = (by: 'approval' | 'budget'): DeletionVerdict => ({
    verdict: 'allowed',
    objects: candidates,
    digest: setDigest,
    by,
  });
  const block = (reason: string, pause?: Pause): DeletionVerdict => ({
    verdict: 'blocked',
    objects: candidates,
    digest: setDigest,
    reason: reason + removedText(candidates, findings),
    findings,
    ...(pause === undefined ? {} : { pause }),
  });

  const pause = facts?.pause(candidates.length);
  if (pause?.isFrozen === true) return block(pause.reason, pause);
  if (approved === setDigest) return allow('approval');
  // A set goes step by step: what is left of it is not another set.
  const allowed = facts?.allowed;
  if (allowed !== undefined && candidates.every((live) => allowed.ids.has(deletionId(live)))) return allow(allowed.by);

  const guarded = candidates.find(({ key }) => isProtected(key, budget));
  if (guarded !== undefined) {
    return block(`${shortNameOf(guarded.key)} is of a protected kind${takesText(candidates, findings)}`);
  }
  const asking = candidates.find(({ askFirst }) => askFirst !== undefined);
  if (asking !== undefined) return block(`${shortNameOf(asking.key)} asks for it (${asking.askFirst})`);
  if (desiredCount === 0) return block('Git wants none of the objects of this application any more');
  const byPercent = Math.max(2, Math.floor((memberCount * budget.maxPercent) / 100));
  const limit = Math.min(budget.maxObjects, byPercent);
  if (candidates.length > limit) {
    return block(`${candidates.length} of ${memberCount} objects would go, and ${limit} may go without being asked`);
  }
  if (pause !== undefined) return block(pause.reason, pause);
  return allow('budget');
}

/** Twelve characters over the keys and uids of the set, in any order. */
export function deletionDigest(objects: readonly Pick<LiveObject, 'key' | 'uid'>[]): string {
  return digest(objects.map(deletionId).sort()).slice(0, 12);
}

/** This very object: another one of its name is another. */
export function deletionId({ key, uid }: Pick<LiveObject, 'key' | 'uid'>): string {
  return `${key} ${uid}`;
}

/**
 * Takes out what is never deleted, approved or not: namespaces of the cluster itself and of the engine, and those that
 * hold what does not go with this set. Each comes with the reason.
 */
export function withhold(
  candidates: readonly LiveObject[],
  findings: Findings = NO_FINDINGS,
): { readonly candidates: readonly LiveObject[]; readonly kept: readonly PlumbError[] } {
  const kept: PlumbError[] = [];
  const free = candidates.filter(({ key }) => {
    const error = reasonToKeep(key, findings.get(key)?.foreign ?? []);
    if (error !== undefined) kept.push(error);
    return error === undefined;
  });
  return { candidates: free, kept };
}

function reasonToKeep(key: ObjectKey, foreign: readonly string[]): PlumbError | undefined {
  const ref = parseObjectKey(key);
  if (ref === undefined || ref.group !== '' || ref.kind !== 'Namespace') return undefined;
  const subject = shortNameOf(key);
  const letGo = `or let it stand, no longer managed: kubectl annotate namespace ${ref.name} plumb.dev/tracking-`;
  if (isReservedNamespace(ref.name)) {
    return new PlumbError('NamespaceKept', `${subject} is the cluster's or the engine's own, so it is never deleted`, {
      subject,
      fix: `Restore it in Git, ${letGo}`,
    });
  }
  if (foreign.length === 0) return undefined;
  const more = foreign.length > 3 ? ` and ${foreign.length - 3} more` : '';
  const things = `${foreign.slice(0, 3).join(', ')}${more}`;
  return new PlumbError('NamespaceKept', `${subject} is not deleted, because this is still in it: ${things}`, {
    subject,
    fix: `Move or delete what is in it, restore it in Git, ${letGo}`,
  });
}

/** Namespaces that nothing that Plumb does may delete. */
export function isReservedNamespace(name: string): boolean {
  return name === 'default' || name === SYSTEM_NAMESPACE || name.startsWith('kube-');
}

/** Who removed the objects, where that is known of any: one commit by name, several by their number. */
function removedText(objects: readonly LiveObject[], findings: Findings): string {
  const commits = new Set(objects.flatMap(({ key }) => findings.get(key)?.removedBy ?? []));
  const [first] = commits;
  if (first === undefined) return '';
  return `; removed from Git by ${commits.size === 1 ? first : `${first} and ${commits.size - 1} more commits`}`;
}

/** What goes with definitions of kinds. */
function takesText(objects: readonly LiveObject[], findings: Findings): string {
  const counted = objects.filter(({ key }) => findings.get(key)?.instances !== undefined);
  const texts = counted.slice(0, 3).map(({ key }) => {
    const count = findings.get(key)?.instances ?? 0;
    return `${shortNameOf(key)} would take ${count === 1 ? '1 object' : `${count} objects`} of its kind with it`;
  });
  return texts.length === 0 ? '' : `: ${texts.join(', ')}`;
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
