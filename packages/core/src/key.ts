import { groupOf, type GroupKind, type KubeObject } from './object.ts';

declare const brand: unique symbol;

/**
 * `group/kind/namespace/name`: the identity of an object within one cluster. Group and namespace may be empty
 * (`/ConfigMap/shop/env`, `rbac.authorization.k8s.io/ClusterRole//reader`). One formatter and one parser, used in logs,
 * the ledger, events and maps.
 */
export type ObjectKey = string & { readonly [brand]: 'ObjectKey' };

export interface ObjectRef extends GroupKind {
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}

export function objectKey(ref: ObjectRef): ObjectKey {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}` as ObjectKey;
}

export function keyOf(object: KubeObject): ObjectKey {
  return objectKey(refOf(object));
}

export function refOf(object: KubeObject): ObjectRef {
  return {
    group: groupOf(object.apiVersion),
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
}

/** The parts of a key, or undefined where the text is not one. */
export function parseObjectKey(text: string): ObjectRef | undefined {
  const parts = text.split('/');
  if (parts.length !== 4) return undefined;
  const [group, kind, namespace, name] = parts as [string, string, string, string];
  return kind === '' || name === '' ? undefined : { group, kind, namespace, name };
}

/** How people write it: `Deployment/api`, with the namespace in front where the reader cannot know it. */
export function shortName(ref: ObjectRef): string {
  return `${ref.kind}/${ref.name}`;
}

/** As `shortName`, of a key; what is not one is shown as it is. */
export function shortNameOf(key: ObjectKey): string {
  const ref = parseObjectKey(key);
  return ref === undefined ? key : shortName(ref);
}

/**
 * `namespace/application` or `namespace/application/environment`: one application in one environment on one cluster,
 * the unit of reconciliation.
 */
export type TargetKey = string & { readonly [brand]: 'TargetKey' };

export interface TargetRef {
  readonly namespace: string;
  readonly application: string;
  /** Undefined where the application names no environments. */
  readonly environment?: string | undefined;
}

export function targetKey(ref: TargetRef): TargetKey {
  const base = `${ref.namespace}/${ref.application}`;
  return (ref.environment === undefined ? base : `${base}/${ref.environment}`) as TargetKey;
}

export function parseTargetKey(text: string): TargetRef | undefined {
  const [namespace, application, environment, ...rest] = text.split('/');
  if (!namespace || !application || environment === '' || rest.length > 0) return undefined;
  return { namespace, application, environment };
}
