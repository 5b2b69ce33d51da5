import { PlumbError } from '../error.ts';
import { objectKey, refOf, shortName, type ObjectRef } from '../key.ts';
import type { KubeObject } from '../object.ts';
import {
  compareObjects,
  createdFields,
  type CompareOptions,
  type Normalised,
  type OfflineChange,
} from './compare-objects.ts';
import { isClusterScoped } from './kind-schema.ts';

/** How objects that run differ from objects that are wanted. */
export interface FilesComparison {
  /** What would change or be created, in the order of the desired objects. */
  readonly items: readonly ComparedObject[];
  /** How many desired objects run as they should. */
  readonly unchanged: number;
  /** Every object with something that differs and is no change. */
  readonly normalised: readonly NormalisedObject[];
  /** Live objects that nothing desired stands for. They are no deletions: a file is not all that is wanted. */
  readonly liveOnly: readonly ObjectRef[];
  /** Objects whose owners are not on record, so that what is not desired was left alone. */
  readonly withoutOwners: readonly ObjectRef[];
}

export interface ComparedObject {
  readonly action: 'create' | 'change';
  readonly apiVersion: string;
  readonly ref: ObjectRef;
  readonly changes: readonly OfflineChange[];
}

export interface NormalisedObject {
  readonly ref: ObjectRef;
  readonly fields: readonly Normalised[];
}

export interface CompareFilesOptions extends CompareOptions {
  /** Where desired objects go that name no namespace. Default `default`. */
  readonly namespace?: string | undefined;
}

/**
 * Compares each desired object with the live one of the same group, kind, namespace and name, in whatever version either is
 * written. One that names no namespace stands for the one in the default namespace, or for the only one of its name.
 * Throws `DuplicateObject` where an object is desired twice.
 */
export function compareFiles(
  live: readonly KubeObject[],
  desired: readonly KubeObject[],
  options: CompareFilesOptions,
): FilesComparison {
  const found = new LiveObjects(live, options.namespace ?? 'default');
  const items: ComparedObject[] = [];
  const normalised: NormalisedObject[] = [];
  const withoutOwners: ObjectRef[] = [];
  const seen = new Set<string>();
  let unchanged = 0;
  for (const object of desired) {
    const running = found.matching(object);
    const ref = running === undefined ? refOf(object) : refOf(running);
    const key = objectKey(ref);
    if (seen.has(key) && ref.name !== '') {
      throw new PlumbError('DuplicateObject', `${shortName(ref)} is desired twice`, {
        fix: 'Give each object once.',
      });
    }
    seen.add(key);
    const { apiVersion } = object;
    if (running === undefined) {
      items.push({ action: 'create', apiVersion, ref: named(object), changes: createdFields(object, options) });
      continue;
    }
    const comparison = compareObjects(running, object, options);
    if (!comparison.hasOwners) withoutOwners.push(ref);
    if (comparison.normalised.length > 0) normalised.push({ ref, fields: comparison.normalised });
    if (comparison.changes.length === 0) unchanged += 1;
    else items.push({ action: 'change', apiVersion, ref, changes: comparison.changes });
  }
  return { items, unchanged, normalised, liveOnly: found.notMatched(), withoutOwners };
}

/** An object that is to get its name from the server is known by how that begins. */
function named(object: KubeObject): ObjectRef {
  const { generateName } = object.metadata as { readonly generateName?: unknown };
  const ref = refOf(object);
  return ref.name === '' && typeof generateName === 'string' ? { ...ref, name: generateName } : ref;
}

class LiveObjects {
  readonly #byKey = new Map<string, KubeObject[]>();
  readonly #byName = new Map<string, Set<string>>();
  readonly #matched = new Set<string>();
  readonly #namespace: string;

  constructor(live: readonly KubeObject[], namespace: string) {
    this.#namespace = namespace;
    for (const object of live) {
      const ref = refOf(object);
      const key = objectKey(ref);
      this.#byKey.set(key, [...(this.#byKey.get(key) ?? []), object]);
      const name = objectKey({ ...ref, namespace: '' });
      this.#byName.set(name, (this.#byName.get(name) ?? new Set()).add(key));
    }
  }

  matching(desired: KubeObject): KubeObject | undefined {
    const key = this.#keyFor(desired);
    const versions = key === undefined ? undefined : this.#byKey.get(key);
    if (key === undefined || versions === undefined) return undefined;
    this.#matched.add(key);
    return versions.find(({ apiVersion }) => apiVersion === desired.apiVersion) ?? versions[0];
  }

  #keyFor(desired: KubeObject): string | undefined {
    const ref = refOf(desired);
    if (ref.name === '') return undefined;
    if (isClusterScoped(ref.group, ref.kind)) return objectKey({ ...ref, namespace: '' });
    if (this.#byKey.has(objectKey(ref))) return objectKey(ref);
    if (ref.namespace !== '') {
      // A live object that was written without its namespace.
      return ref.namespace === this.#namespace ? objectKey({ ...ref, namespace: '' }) : undefined;
    }
    const inDefault = objectKey({ ...ref, namespace: this.#namespace });
    if (this.#byKey.has(inDefault)) return inDefault;
    const all = this.#byName.get(objectKey(ref)) ?? new Set();
    return all.size === 1 ? [...all][0] : undefined;
  }

  notMatched(): readonly ObjectRef[] {
    return [...this.#byKey].flatMap(([key, [object]]) =>
      this.#matched.has(key) || object === undefined ? [] : [refOf(object)],
    );
  }
}
