import { digest, desiredHash } from './canonical.ts';
import { PlumbError } from './error.ts';
import { keyOf, objectKey, refOf, shortName, shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import { fieldAt, groupOf, kindName, type GroupKind, type KubeObject } from './object.ts';
import { applyPhase } from './order.ts';
import type { Origin, RenderedObject } from './rendered.ts';
import { withTracking } from './tracking.ts';

/** One object as Git wants it, ready to be sent: with its namespace and the marks of membership. */
export interface DesiredObject {
  readonly key: ObjectKey;
  readonly hash: string;
  readonly phase: number;
  readonly origin: Origin;
  readonly object: KubeObject;
}

/** All that Git wants of one target. Always complete: see `Rendered`. */
export interface DesiredSet {
  readonly objects: readonly DesiredObject[];
  /** Over all keys and hashes: two sets with one digest are the same. */
  readonly digest: string;
}

export type Scope = 'namespaced' | 'cluster';

export interface Placement {
  readonly target: TargetKey;
  /** Where objects go that name no namespace. */
  readonly namespace: string;
  readonly applySet: string;
  /** The scope of a kind, or undefined where the cluster does not know the kind. */
  scopeOf(groupKind: GroupKind): Scope | undefined;
}

/**
 * Places rendered objects: fills in namespaces, sets the marks, orders. A kind that the cluster does not know is an
 * error, unless a CustomResourceDefinition in the same set brings it.
 */
export function place(
  rendered: readonly RenderedObject[],
  placement: Placement,
): { readonly desired: DesiredSet; readonly errors: readonly PlumbError[] } {
  const brought = kindsBroughtBy(rendered);
  const objects: DesiredObject[] = [];
  const errors: PlumbError[] = [];
  const seen = new Map<ObjectKey, Origin>();
  for (const { object, origin } of rendered) {
    const groupKind = { group: groupOf(object.apiVersion), kind: object.kind };
    const scope = placement.scopeOf(groupKind) ?? brought.get(kindName(groupKind));
    const subject = shortName(refOf(object));
    if (scope === undefined) {
      const message = `The cluster has no kind ${object.kind} in ${object.apiVersion}`;
      errors.push(new PlumbError('KindMissing', message, { where: origin, subject }));
      continue;
    }
    if (scope === 'cluster' && object.metadata.namespace !== undefined) {
      const message = `${subject} is of a cluster-scoped kind and cannot have a namespace`;
      errors.push(new PlumbError('ObjectInvalid', message, { where: origin, subject, field: 'metadata.namespace' }));
      continue;
    }
    const placed =
      scope === 'namespaced' && object.metadata.namespace === undefined
        ? { ...object, metadata: { ...object.metadata, namespace: placement.namespace } }
        : object;
    const key = keyOf(placed);
    const first = seen.get(key);
    if (first !== undefined) {
      const message = `${subject} is defined twice: in ${atOrigin(first)} and in ${atOrigin(origin)}`;
      errors.push(new PlumbError('DuplicateObject', message, { where: origin, subject }));
      continue;
    }
    seen.set(key, origin);
    const marked = withTracking(placed, placement.target, placement.applySet);
    objects.push({ key, hash: desiredHash(marked), phase: applyPhase(groupKind), origin, object: marked });
  }
  objects.sort((a, b) => a.phase - b.phase || (a.key < b.key ? -1 : 1));
  return { desired: { objects, digest: digestOf(objects) }, errors };
}

export function digestOf(objects: readonly { readonly key: ObjectKey; readonly hash: string }[]): string {
  return digest(objects.map(({ key, hash }) => `${key} ${hash}`).sort());
}

function kindsBroughtBy(rendered: readonly RenderedObject[]): ReadonlyMap<string, Scope> {
  const brought = new Map<string, Scope>();
  for (const { object } of rendered) {
    if (object.kind !== 'CustomResourceDefinition') continue;
    const group = fieldAt(object, 'spec', 'group');
    const kind = fieldAt(object, 'spec', 'names', 'kind');
    if (typeof group !== 'string' || typeof kind !== 'string') continue;
    brought.set(kindName({ group, kind }), fieldAt(object, 'spec', 'scope') === 'Cluster' ? 'cluster' : 'namespaced');
  }
  return brought;
}

function atOrigin(origin: Origin): string {
  return origin.line === undefined ? origin.file : `${origin.file}:${origin.line}`;
}

/** The key of the CustomResourceDefinition that must be established before objects of these kinds can be written. */
export function crdKeyFor(desired: readonly DesiredObject[], groupKind: GroupKind): ObjectKey | undefined {
  const crd = desired.find(
    ({ object }) =>
      object.kind === 'CustomResourceDefinition' &&
      fieldAt(object, 'spec', 'group') === groupKind.group &&
      fieldAt(object, 'spec', 'names', 'kind') === groupKind.kind,
  );
  return crd === undefined
    ? undefined
    : objectKey({
        group: 'apiextensions.k8s.io',
        kind: 'CustomResourceDefinition',
        namespace: '',
        name: crd.object.metadata.name,
      });
}

/** An error about a desired object, with the line that a person has to look at where it knows none itself. */
export function located(error: PlumbError, { origin, key }: DesiredObject): PlumbError {
  return new PlumbError(error.code, error.message, {
    where: error.where ?? origin,
    subject: error.subject ?? shortNameOf(key),
    field: error.field,
    fix: error.fix,
    retryAfterMs: error.retryAfterMs,
    cause: error,
  });
}
