import { parseObjectKey, type DesiredObject, type DesiredSet, type GroupKind, type ObjectKey } from '@plumb/core';

/** What is kept, and what is run. */
export function everythingIn(desired: DesiredSet | undefined): readonly DesiredObject[] {
  return desired === undefined ? [] : [...desired.objects, ...desired.hooks];
}

export function keysOf(desired: DesiredSet): readonly ObjectKey[] {
  return everythingIn(desired).map(({ key }) => key);
}

export function kindsIn(objects: readonly { readonly key: ObjectKey }[] = []): readonly GroupKind[] {
  return objects.flatMap(({ key }) => {
    const ref = parseObjectKey(key);
    return ref === undefined ? [] : [{ group: ref.group, kind: ref.kind }];
  });
}
