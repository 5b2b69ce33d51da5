import { deletionDigest } from './deletion.ts';
import type { PlumbError } from './error.ts';
import { parseObjectKey, shortNameOf, type ObjectKey } from './key.ts';
import type { LiveObject } from './live.ts';

/** What a deletion would take with it besides the object: the instances of a definition, what lives in a namespace. */
export interface Contents {
  readonly count: number;
  /** A few of them by name; none for instances, which are only counted. */
  readonly some: readonly string[];
}

/** A close look at a set of objects right before it is deleted. It costs requests and a render, so it is kept for a while. */
export interface Inspection {
  /** `deletionDigest` of the set that was looked at. */
  readonly digest: string;
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly contents: ReadonlyMap<ObjectKey, Contents>;
  /** The commit that removed the objects from Git, as people name it: `3f2a1bc by Demo Author`. */
  readonly removals: ReadonlyMap<ObjectKey, string>;
  /** Why nothing may be deleted: something could not be read, or two renders of the same do not agree. */
  readonly error: PlumbError | undefined;
}

/** How long a look counts: what was seen may change meanwhile. */
export const INSPECTION_MS = 60_000;

/** Whether the set has to be looked at (again) before anything is said of it. */
export function needsInspection(
  candidates: readonly LiveObject[],
  inspection: Inspection | undefined,
  now: number,
): boolean {
  if (inspection === undefined || inspection.digest !== deletionDigest(candidates)) return true;
  return now - inspection.at >= INSPECTION_MS;
}

/** Namespaces that are Kubernetes' own or the engine's: never deleted, whoever approves it. */
function isUntouchable(name: string): boolean {
  return name === 'default' || name === 'plumb-system' || name.startsWith('kube-');
}

/** Why an object stays, whoever approves its deletion; undefined where it may go. */
export function whyKept({ key }: LiveObject, inspection: Inspection): string | undefined {
  const ref = parseObjectKey(key);
  if (ref?.kind !== 'Namespace' || ref.group !== '') return undefined;
  if (isUntouchable(ref.name)) return `${shortNameOf(key)} is never deleted`;
  const held = inspection.contents.get(key);
  if (held === undefined || held.count === 0) return undefined;
  const more = held.count > held.some.length ? ` and ${held.count - held.some.length} more` : '';
  return `${shortNameOf(key)} stays: it holds ${held.some.join(', ')}${more}, not of this application or still wanted`;
}

/** What goes with the definitions of a set: `CustomResourceDefinition/widgets.example.org takes 500 objects with it`. */
export function whatGoesAlong(objects: readonly LiveObject[], inspection: Inspection): string {
  return objects
    .flatMap(({ key }) => {
      const ref = parseObjectKey(key);
      const count = inspection.contents.get(key)?.count ?? 0;
      if (ref?.kind !== 'CustomResourceDefinition') return [];
      return [`${shortNameOf(key)} takes ${count === 1 ? '1 object' : `${count} objects`} with it`];
    })
    .join('; ');
}
