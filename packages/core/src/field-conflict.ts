import { equalJson, isJsonArray } from './canonical.ts';
import { parseFieldPath, type FieldPath, type PathElement } from './field-path.ts';
import { isJsonObject, type Json, type KubeObject } from './object.ts';

/** A field that somebody else owns and wants to be something else, as the API server names it. */
export interface FieldConflict {
  readonly manager: string;
  /** Through which subresource it was written: `scale`. */
  readonly subresource: string | undefined;
  /** As `formatFieldPath` writes it. */
  readonly field: string;
}

/**
 * Controllers that are never fought: what they own is theirs to decide, and whoever writes it back only makes them write
 * again. A field, where one is named, limits that to it.
 */
const NEVER_FOUGHT: readonly { readonly manager: RegExp; readonly field?: RegExp }[] = [
  { manager: /^kube-controller-manager$/ },
  { manager: /^kube-scheduler$/ },
  { manager: /^kubelet$/ },
  { manager: /^(aws-)?cloud-controller-manager$/ },
  // The certificates of webhooks, conversions and aggregated APIs.
  { manager: /(^|-)cainjector$/, field: /(^|\.)caBundle$/ },
  { manager: /^(pilot-discovery|istiod|linkerd-.*)$/, field: /(^|\.)caBundle$/ },
  // Sizes of Pods.
  { manager: /^(vpa-(updater|recommender|admission-controller))$/ },
  { manager: /^(keda|keda-operator)$/ },
];

/** Whether the field is left to who owns it. Replicas written through `scale` are an autoscaler's, unless by kubectl. */
export function isNeverFought({ manager, subresource, field }: FieldConflict): boolean {
  if (subresource === 'scale') return isAutoscaler(manager);
  return NEVER_FOUGHT.some((known) => known.manager.test(manager) && (known.field?.test(field) ?? true));
}

function isAutoscaler(manager: string): boolean {
  return !manager.startsWith('kubectl');
}

/** The object without fields: an apply that does not name them leaves them to whoever owns them. */
export function withoutFields(object: KubeObject, fields: readonly string[]): KubeObject {
  let rest: Json = object as unknown as Json;
  for (const field of fields) rest = without(rest, parseFieldPath(field) ?? []);
  return rest as unknown as KubeObject;
}

function without(at: Json, [element, ...path]: FieldPath): Json {
  if (element === undefined) return at;
  if ('field' in element) {
    if (!isJsonObject(at) || !Object.hasOwn(at, element.field)) return at;
    const { [element.field]: child = null, ...others } = at;
    return path.length === 0 ? others : { ...at, [element.field]: without(child, path) };
  }
  if (!isJsonArray(at)) return at;
  const index = at.findIndex((item, position) => isAt(item, position, element));
  const child = at[index];
  if (child === undefined) return at;
  return path.length === 0 ? at.toSpliced(index, 1) : at.with(index, without(child, path));
}

function isAt(item: Json, position: number, element: Exclude<PathElement, { readonly field: string }>): boolean {
  if ('index' in element) return position === element.index;
  if ('value' in element) return equalJson(item, element.value);
  // A key that the API server fills in (`protocol`) may be missing in what was written.
  return (
    isJsonObject(item) &&
    Object.entries(element.key).every(([name, value]) => item[name] === undefined || equalJson(item[name], value)) &&
    Object.keys(element.key).some((name) => item[name] !== undefined)
  );
}
