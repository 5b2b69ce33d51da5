import { createHash } from 'node:crypto';
import { canonicalJson, parseJson } from './canonical.ts';
import { type FieldPath, type PathElement } from './field-path.ts';
import { isJsonObject, type JsonObject, type KubeObject, type ManagedFieldsEntry } from './object.ts';
import { FIELD_MANAGER } from './tracking.ts';

/**
 * Drift is read from the object itself: the API server keeps for each manager the set of fields it owns
 * (`metadata.managedFields`). When somebody changes a field that we applied, our set loses it and theirs gains it.
 *
 * A set is a tree (`fieldsV1` of structured-merge-diff): `f:name` is a field, `k:{…}` a list item by its keys, `v:…` an
 * item of a set, `i:n` an item by position; a node without children is owned, and so is one that holds `.`.
 */

/** What this manager applied to the object itself; the entries of subresources and of updates are not it. */
export function ownEntry(object: KubeObject, manager: string = FIELD_MANAGER): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find(
    (entry) => entry.manager === manager && entry.operation === 'Apply' && !entry.subresource,
  );
}

/** When our entry last changed, as the server wrote it (RFC 3339). */
export function ownTime(object: KubeObject): string | undefined {
  return ownEntry(object)?.time;
}

/**
 * A fingerprint of the set of fields that we own: 16 hex digits, or undefined where we own nothing. It leaves the time
 * out, so that only a real gain or loss changes it.
 */
export function fieldsHash(object: KubeObject): string | undefined {
  const entry = ownEntry(object);
  return entry === undefined ? undefined : hashOf(entry, entry.fieldsV1 ?? {});
}

/**
 * The fingerprint as it would be with the number of replicas among our fields; undefined unless an autoscaler has taken
 * that number, and it alone is what may be missing. So a scaling is told from a drift without knowing any autoscaler.
 */
export function fieldsHashBeforeScaling(object: KubeObject): string | undefined {
  const entry = ownEntry(object);
  if (entry === undefined || autoscalerOf(object) === undefined) return undefined;
  const fields = entry.fieldsV1 ?? {};
  const spec = subtree(fields, 'f:spec') ?? {};
  return hashOf(entry, { ...fields, 'f:spec': { ...spec, 'f:replicas': {} } });
}

function hashOf({ apiVersion = '' }: ManagedFieldsEntry, fields: JsonObject): string {
  return createHash('sha256')
    .update(`${apiVersion}\n${canonicalJson(fields)}`)
    .digest('hex')
    .slice(0, 16);
}

/**
 * Who scales by itself through the subresource: the HorizontalPodAutoscaler's controller (KEDA drives one too) and the
 * ones that stand in for it. A person's `kubectl scale` writes there as `kubectl`, and is a drift.
 */
const AUTOSCALERS: ReadonlySet<string> = new Set(['kube-controller-manager', 'keda-operator', 'keda']);

/** The autoscaler that owns `spec.replicas`, alone; undefined where there is none. */
export function autoscalerOf(object: KubeObject): string | undefined {
  return object.metadata.managedFields?.find(
    ({ manager = '', subresource, fieldsV1 }) =>
      subresource === 'scale' &&
      AUTOSCALERS.has(manager) &&
      subtree(subtree(fieldsV1, 'f:spec'), 'f:replicas') !== undefined,
  )?.manager;
}

/**
 * The fields that an entry owns, in the order of the entry. A path may lead to a whole list or map where the server
 * treats it as one value (arguments, selectors).
 */
export function ownedPaths(entry: ManagedFieldsEntry): readonly FieldPath[] {
  const paths: FieldPath[] = [];
  collectLeaves(entry.fieldsV1 ?? {}, [], paths);
  return paths;
}

function collectLeaves(node: JsonObject, path: FieldPath, into: FieldPath[]): void {
  const children = childrenOf(node);
  if (children.length === 0 && path.length > 0) into.push(path);
  for (const { element, child } of children) collectLeaves(child, [...path, element], into);
}

export interface Child {
  /** The name in the tree: `f:spec`. */
  readonly name: string;
  readonly element: PathElement;
  readonly child: JsonObject;
}

/** What a node of `fieldsV1` holds, as steps of a path. */
export function childrenOf(node: JsonObject): readonly Child[] {
  const children: Child[] = [];
  for (const [name, child] of Object.entries(node)) {
    const element = parseElement(name);
    if (element !== undefined && isJsonObject(child)) children.push({ name, element, child });
  }
  return children;
}

/** Undefined for `.` and for what a later server may add. */
function parseElement(name: string): PathElement | undefined {
  const rest = name.slice(2);
  switch (name.slice(0, 2)) {
    case 'f:':
      return { field: rest };
    case 'k:': {
      const key = parseJson(rest);
      return isJsonObject(key) ? { key } : undefined;
    }
    case 'v:': {
      const value = parseJson(rest);
      return value === undefined ? undefined : { value };
    }
    case 'i:':
      return /^\d+$/.test(rest) ? { index: Number(rest) } : undefined;
    default:
      return undefined;
  }
}

export interface FieldOwner {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  /** When the owner's entry last changed (RFC 3339), where the server says so. */
  readonly time: string | undefined;
}

/**
 * Who owns a field besides us, latest first: the field itself, something in it, or the whole that it is in. What wrote a
 * status or scaled through a subresource counts as any other.
 */
export function ownersOf(object: KubeObject, path: FieldPath): readonly FieldOwner[] {
  return entriesOwning(object, path).map(ownerOf);
}

/** The entries of those, which also tell the subresource that was written through. */
export function entriesOwning(object: KubeObject, path: FieldPath): readonly ManagedFieldsEntry[] {
  const own = ownEntry(object);
  return (object.metadata.managedFields ?? [])
    .filter((entry) => entry !== own && entry.manager !== own?.manager && owns(entry.fieldsV1 ?? {}, path))
    .sort((a, b) => compareTimes(b.time, a.time));
}

function owns(node: JsonObject, path: FieldPath): boolean {
  const [first, ...rest] = path;
  if (first === undefined) return true;
  const children = childrenOf(node);
  const found = children.find(({ element }) => canonicalJson(element) === canonicalJson(first));
  if (found !== undefined) return owns(found.child, rest);
  // Without children it is one value, and all that is in it is theirs.
  return children.length === 0 && Object.keys(node).length === 0;
}

export interface LostField {
  readonly path: FieldPath;
  /** Who owns it now, latest first; nobody where the field was removed. */
  readonly managers: readonly FieldOwner[];
}

/**
 * The fields that our entry `before` owned and that our entry of the object `after` no longer does, with those who own
 * them now. A list item or map that is lost as a whole is one field.
 */
export function lostFields(before: ManagedFieldsEntry, after: KubeObject): readonly LostField[] {
  const own = ownEntry(after, before.manager);
  const others = (after.metadata.managedFields ?? [])
    .filter((entry) => entry !== own)
    .map((entry) => ({ owner: ownerOf(entry), node: entry.fieldsV1 }))
    .sort((a, b) => compareTimes(b.owner.time, a.owner.time));
  const lost: LostField[] = [];
  collectLost(before.fieldsV1 ?? {}, own?.fieldsV1, others, [], lost);
  return lost;
}

interface OwnedNode {
  readonly owner: FieldOwner;
  /** What the owner has at the path that is looked at; undefined where it has nothing there. */
  readonly node: JsonObject | undefined;
}

function collectLost(
  before: JsonObject,
  after: JsonObject | undefined,
  others: readonly OwnedNode[],
  path: FieldPath,
  into: LostField[],
): void {
  const children = childrenOf(before);
  const wasOwned = path.length > 0 && (children.length === 0 || Object.hasOwn(before, '.'));
  const isOwned = after !== undefined && (Object.hasOwn(after, '.') || Object.keys(after).length === 0);
  if (wasOwned && !isOwned) {
    into.push({ path, managers: others.filter((other) => other.node !== undefined).map((other) => other.owner) });
    if (after === undefined) return;
  }
  for (const { name, element, child } of children) {
    collectLost(
      child,
      subtree(after, name),
      others.map((other) => stepDown(other, name)),
      [...path, element],
      into,
    );
  }
}

function stepDown(owned: OwnedNode, name: string): OwnedNode {
  return { owner: owned.owner, node: subtree(owned.node, name) };
}

function subtree(node: JsonObject | undefined, name: string): JsonObject | undefined {
  const child = node !== undefined && Object.hasOwn(node, name) ? node[name] : undefined;
  return isJsonObject(child) ? child : undefined;
}

export function ownerOf(entry: ManagedFieldsEntry): FieldOwner {
  return { manager: entry.manager ?? '', operation: entry.operation ?? 'Update', time: entry.time };
}

/** RFC 3339 times in UTC without fractions, as the server writes them here, sort as text. */
function compareTimes(a: string | undefined, b: string | undefined): number {
  const left = a ?? '';
  const right = b ?? '';
  return left < right ? -1 : left > right ? 1 : 0;
}
