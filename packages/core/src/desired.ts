import { digest, desiredHash } from './canonical.ts';
import { PlumbError } from './error.ts';
import { hookOf, type SyncHook } from './hook.ts';
import { keyOf, parseObjectKey, refOf, shortName, shortNameOf, type ObjectKey, type TargetKey } from './key.ts';
import { fieldAt, groupOf, kindName, type GroupKind, type KubeObject } from './object.ts';
import { orderOf, type Order } from './order-graph.ts';
import { withPlainData } from './offline-diff/comparable.ts';
import { applyPhase } from './order.ts';
import type { Origin, RenderedObject } from './rendered.ts';
import { syncOptionsOf } from './sync-options.ts';
import { withTracking } from './tracking.ts';

/** One object as Git wants it, ready to be sent: with its namespace and the marks of membership. */
export interface DesiredObject extends Order {
  readonly key: ObjectKey;
  readonly hash: string;
  /** Of its kind: see `applyPhase`. */
  readonly phase: number;
  readonly origin: Origin;
  readonly object: KubeObject;
  /** As Git says it, where that is not how it is sent: a Secret with `stringData`. Known of what was rendered now. */
  readonly written?: KubeObject;
}

/** An object that is run and not kept: see `hook.ts`. */
export interface DesiredHook extends DesiredObject {
  readonly hook: SyncHook;
}

export interface AwaitingObject {
  readonly kind: GroupKind;
  /** `Widget/a`. */
  readonly subject: string;
  readonly origin: Origin;
}

/** All that Git wants of one target. Always complete: see `Rendered`. */
export interface DesiredSet {
  /** What is kept, in the order of applying. */
  readonly objects: readonly DesiredObject[];
  /** What is run, in the order of running. */
  readonly hooks: readonly DesiredHook[];
  /** What cannot be placed before the cluster has its kind, and says that this may take a while. */
  readonly awaiting: readonly AwaitingObject[];
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
  /** Whether the cluster serves the kind in another version: then nothing else is going to bring it. */
  isInOtherVersion?(groupKind: GroupKind): boolean;
}

/**
 * Places rendered objects: fills in namespaces, sets the marks, orders. Of a Secret the `stringData` is sent as `data`: who
 * applies `stringData` owns nothing of what the server makes of it, and hears of no edit. A kind that the cluster does not know is an
 * error, unless a CustomResourceDefinition in the same set brings it, or the object says that something else will.
 */
export function place(
  rendered: readonly RenderedObject[],
  placement: Placement,
): { readonly desired: DesiredSet; readonly errors: readonly PlumbError[] } {
  const brought = kindsBroughtBy(rendered);
  const placed: PlacedObject[] = [];
  const errors: PlumbError[] = [];
  const awaiting: AwaitingObject[] = [];
  const seen = new Map<ObjectKey, Origin>();
  for (const { object, origin } of rendered) {
    const groupKind = { group: groupOf(object.apiVersion), kind: object.kind };
    const scope = placement.scopeOf(groupKind) ?? brought.get(kindName(groupKind));
    const subject = shortName(refOf(object));
    const isOther = placement.isInOtherVersion?.(groupKind) ?? false;
    if (scope === undefined && !isOther && syncOptionsOf(object).awaitsKind) {
      awaiting.push({ kind: groupKind, subject, origin });
      continue;
    }
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
    const inNamespace =
      scope === 'namespaced' && object.metadata.namespace === undefined
        ? { ...object, metadata: { ...object.metadata, namespace: placement.namespace } }
        : object;
    const key = keyOf(inNamespace);
    const first = seen.get(key);
    if (first !== undefined) {
      const message = `${subject} is defined twice: in ${atOrigin(first)} and in ${atOrigin(origin)}`;
      errors.push(new PlumbError('DuplicateObject', message, { where: origin, subject }));
      continue;
    }
    seen.set(key, origin);
    const written = withTracking(inNamespace, placement.target, placement.applySet);
    const sent = withPlainData(written);
    placed.push({ origin, object: sent, ...(sent === written ? {} : { written }) });
  }
  return { desired: { ...arrange(placed, errors), awaiting }, errors };
}

/** An object in its namespace, with its marks: as it is sent, and as a release keeps it. */
export interface PlacedObject {
  readonly object: KubeObject;
  readonly origin: Origin;
  readonly written?: KubeObject;
}

/** Tells hooks from what is kept, and puts both into their order. What cannot be ordered goes to `errors`. */
export function arrange(placed: readonly PlacedObject[], errors: PlumbError[]): DesiredSet {
  const ordered = placed.map((one) => {
    const { object, origin } = one;
    return { ...one, key: keyOf(object), hook: hookOf(object, origin, errors) };
  });
  // What never runs is not there for anybody.
  const present = ordered.filter(({ hook }) => hook === undefined || hook.phases.length > 0);
  const orders = orderOf(present, errors);
  const objects: DesiredObject[] = [];
  const hooks: DesiredHook[] = [];
  for (const { hook, ...one } of present) {
    const { key, object } = one;
    const phase = applyPhase(parseObjectKey(key) ?? { group: '', kind: object.kind });
    const desired = { ...one, hash: desiredHash(object), phase, wave: 0, ...orders.get(key) };
    if (hook === undefined) objects.push(desired);
    else hooks.push({ ...desired, hook });
  }
  objects.sort(byOrder);
  hooks.sort(byOrder);
  return { objects, hooks, awaiting: [], digest: digestOf([...objects, ...hooks]) };
}

function byOrder(a: DesiredObject, b: DesiredObject): number {
  return a.wave - b.wave || a.phase - b.phase || (a.key < b.key ? -1 : 1);
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
