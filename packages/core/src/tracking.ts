import { createHash } from 'node:crypto';
import { TOUCHED_AS_ANNOTATION, TOUCHED_BY_ANNOTATION } from './edit-stamp.ts';
import { groupOf, kindName, type GroupKind, type KubeObject } from './object.ts';
import { keyOf, objectKey, parseObjectKey, parseTargetKey, type ObjectRef, type TargetKey } from './key.ts';

/**
 * Membership: which application an object belongs to, told by the object itself. Both marks are set by the same apply
 * that creates the object, so no crash can orphan it.
 *
 * The label and the parent's annotations follow the ApplySet convention of SIG CLI (KEP-3659), so that other tools see
 * the set too. The tracking annotation names the *object* as well as its owner: a copy of an object, with its labels and
 * annotations, names the original and so never counts as a member.
 */
export const PART_OF_LABEL = 'applyset.kubernetes.io/part-of';
export const APPLYSET_ID_LABEL = 'applyset.kubernetes.io/id';
export const APPLYSET_TOOLING_ANNOTATION = 'applyset.kubernetes.io/tooling';
export const APPLYSET_GROUP_KINDS_ANNOTATION = 'applyset.kubernetes.io/contains-group-kinds';
export const APPLYSET_NAMESPACES_ANNOTATION = 'applyset.kubernetes.io/additional-namespaces';
export const TRACKING_ANNOTATION = 'plumb.dev/tracking';

/** The one field manager that every managed object is applied with. Never renamed: a new name would co-own for ever. */
export const FIELD_MANAGER = 'plumb';

/** The ApplySet id of a parent object (KEP-3659: base64url of SHA-256 over `name.namespace.kind.group`). */
export function applySetId(parent: ObjectRef): string {
  const digest = createHash('sha256')
    .update(`${parent.name}.${parent.namespace}.${parent.kind}.${parent.group}`)
    .digest('base64url');
  return `applyset-${digest}-v1`;
}

/** `<target>:<group>/<kind>/<namespace>/<name>`. */
export function trackingValue(target: TargetKey, ref: ObjectRef): string {
  return `${target}:${objectKey(ref)}`;
}

export interface Tracking {
  readonly target: TargetKey;
  readonly ref: ObjectRef;
}

export function parseTracking(value: string): Tracking | undefined {
  const colon = value.indexOf(':');
  if (colon < 0) return undefined;
  const target = value.slice(0, colon);
  // Names of some kinds (RBAC) may contain colons; a target never does, so the first one divides.
  const ref = parseObjectKey(value.slice(colon + 1));
  return ref === undefined || parseTargetKey(target) === undefined ? undefined : { target: target as TargetKey, ref };
}

/**
 * The target that an object says it belongs to, or undefined where it is not a managed object or its tracking value
 * names another object (a copy made with `kubectl get -o yaml | kubectl create`).
 */
export function trackedTarget(object: KubeObject): TargetKey | undefined {
  if (object.metadata.labels?.[PART_OF_LABEL] === undefined) return undefined;
  const value = object.metadata.annotations?.[TRACKING_ANNOTATION];
  const tracking = value === undefined ? undefined : parseTracking(value);
  return tracking !== undefined && objectKey(tracking.ref) === keyOf(object) ? tracking.target : undefined;
}

/** The object with both marks of membership, and without a stamp that was copied into Git with a live object. */
export function withTracking(object: KubeObject, target: TargetKey, applySet: string): KubeObject {
  const { metadata } = object;
  const { [TOUCHED_BY_ANNOTATION]: _by, [TOUCHED_AS_ANNOTATION]: _as, ...annotations } = metadata.annotations ?? {};
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [PART_OF_LABEL]: applySet },
      annotations: {
        ...annotations,
        [TRACKING_ANNOTATION]: trackingValue(target, {
          group: groupOf(object.apiVersion),
          kind: object.kind,
          namespace: metadata.namespace ?? '',
          name: metadata.name,
        }),
      },
    },
  };
}

/** `Deployment.apps,Service` in a stable order: the value of the parent's group-kinds annotation. */
export function formatGroupKinds(groupKinds: Iterable<GroupKind>): string {
  const names = new Set<string>();
  for (const groupKind of groupKinds) names.add(kindName(groupKind));
  return [...names].sort().join(',');
}

export function parseGroupKinds(text: string): readonly GroupKind[] {
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const dot = name.indexOf('.');
      return dot < 0 ? { group: '', kind: name } : { group: name.slice(dot + 1), kind: name.slice(0, dot) };
    });
}
