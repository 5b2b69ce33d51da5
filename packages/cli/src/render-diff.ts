import {
  diffObjects,
  fieldAt,
  groupOf,
  objectKey,
  type DocumentAt,
  type KubeObject,
  type ObjectRef,
  type Origin,
} from '@plumb/core';
import type { FieldPlaces } from '@plumb/render';
import type { PlacedChange } from './change-lines.ts';

/** What two renders differ in. */
export interface RenderDiff {
  /** Deletions first, then changes, then what is new, each by name. */
  readonly items: readonly RenderDiffItem[];
  readonly unchanged: number;
}

export interface RenderDiffItem {
  readonly action: 'delete' | 'change' | 'create';
  /** As rendered: the namespace is empty where the object names none. */
  readonly ref: ObjectRef;
  /** Of what is deleted, where it was. */
  readonly origin: Origin;
  /** Empty for what is created or deleted whole. Values of Secrets are masked. */
  readonly changes: readonly PlacedChange[];
}

const ORDER = ['delete', 'change', 'create'] as const;

/** Compares objects by group, kind, namespace and name; `namespace` is where those go that name none. */
export function diffRenders(
  before: readonly DocumentAt[],
  after: readonly DocumentAt[],
  { namespace }: { readonly namespace: string },
): RenderDiff {
  const left = byIdentity(before, namespace);
  const right = byIdentity(after, namespace);
  const items: RenderDiffItem[] = [];
  let unchanged = 0;
  for (const [identity, { value, origin }] of left) {
    const other = right.get(identity);
    if (other === undefined) {
      items.push({ action: 'delete', ref: refIn(value), origin, changes: [] });
      continue;
    }
    const changes = diffObjects(asObject(value), asObject(other.value));
    if (changes.length === 0) unchanged += 1;
    else items.push({ action: 'change', ref: refIn(other.value), origin: other.origin, changes });
  }
  for (const [identity, { value, origin }] of right) {
    if (!left.has(identity)) items.push({ action: 'create', ref: refIn(value), origin, changes: [] });
  }
  return { items: items.toSorted(byActionAndName), unchanged };
}

/** The line of each change, as far as `places` knows it. */
export async function withPlaces(
  diff: RenderDiff,
  places: FieldPlaces,
  call: { readonly signal: AbortSignal },
): Promise<RenderDiff> {
  const items: RenderDiffItem[] = [];
  for (const item of diff.items) {
    const changes: PlacedChange[] = [];
    for (const change of item.changes) {
      const place = await places.placeOf(item.origin, change, call);
      changes.push(place === undefined ? change : { ...change, place });
    }
    items.push({ ...item, changes });
  }
  return { ...diff, items };
}

export function countOf({ items }: RenderDiff, action: RenderDiffItem['action']): number {
  return items.filter((item) => item.action === action).length;
}

/** What upstream renders twice is told apart by its number. */
function byIdentity(documents: readonly DocumentAt[], namespace: string): ReadonlyMap<string, DocumentAt> {
  const found = new Map<string, DocumentAt>();
  for (const document of documents) {
    const ref = refIn(document.value);
    const key = objectKey({ ...ref, namespace: ref.namespace === '' ? namespace : ref.namespace });
    let number = 1;
    while (found.has(`${key} ${number}`)) number += 1;
    found.set(`${key} ${number}`, document);
  }
  return found;
}

/** Upstream may render what no API server would take, so nothing is sure to be there. */
function refIn(value: DocumentAt['value']): ObjectRef {
  const text = (...path: readonly string[]): string => {
    const found = fieldAt(value, ...path);
    return typeof found === 'string' ? found : '';
  };
  return {
    group: groupOf(text('apiVersion')),
    kind: text('kind'),
    namespace: text('metadata', 'namespace'),
    name: text('metadata', 'name') || text('metadata', 'generateName'),
  };
}

function asObject(value: DocumentAt['value']): KubeObject {
  return value as unknown as KubeObject;
}

/** What is lost first, then by name. */
export function byActionAndName(a: RenderDiffItem, b: RenderDiffItem): number {
  return ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || (objectKey(a.ref) < objectKey(b.ref) ? -1 : 1);
}
