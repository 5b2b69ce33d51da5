import { PlumbError } from '@plumb/core';

/** One kind as one version of the API serves it. */
export interface ApiResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  /** `group/version`, or `version` for the core group. */
  readonly apiVersion: string;
  /** The path of the group version: `/apis/apps/v1`, or `/api/v1` for the core group. */
  readonly root: string;
}

export interface ResourceRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export function apiResource(parts: Omit<ApiResource, 'apiVersion' | 'root'>): ApiResource {
  const apiVersion = parts.group === '' ? parts.version : `${parts.group}/${parts.version}`;
  return { ...parts, apiVersion, root: parts.group === '' ? `/api/${parts.version}` : `/apis/${apiVersion}` };
}

/** The path of all objects of a resource, in one namespace or (without one) in all of them. */
export function collectionPath(resource: ApiResource, namespace?: string): string {
  return resource.namespaced && namespace !== undefined && namespace !== ''
    ? `${resource.root}/namespaces/${segment(namespace, 'metadata.namespace')}/${resource.plural}`
    : `${resource.root}/${resource.plural}`;
}

/**
 * The path of one object. A name that would leave its place in the path (`..`, `a/b`) is refused here (`NameInvalid`)
 * and a namespaced object without a namespace too (`ObjectInvalid`): its path would mean another object.
 */
export function objectPath(resource: ApiResource, ref: ResourceRef): string {
  if (resource.namespaced && (ref.namespace === undefined || ref.namespace === '')) {
    throw new PlumbError('ObjectInvalid', `${resource.kind}/${ref.name} needs a namespace`, {
      field: 'metadata.namespace',
    });
  }
  return `${collectionPath(resource, ref.namespace)}/${segment(ref.name, 'metadata.name')}`;
}

/** How people write it: `Deployment/api in shop`. */
export function subjectOf(resource: { readonly kind: string }, ref: ResourceRef): string {
  const name = `${resource.kind}/${ref.name}`;
  return ref.namespace === undefined || ref.namespace === '' ? name : `${name} in ${ref.namespace}`;
}

// What the API server itself refuses in a name that is part of a path (apimachinery, IsValidPathSegmentName).
const UNSAFE_SEGMENT = /^\.{0,2}$|[/%]/;

function segment(name: string, field: string): string {
  if (UNSAFE_SEGMENT.test(name)) {
    throw new PlumbError('NameInvalid', `"${name}" cannot be a name in the Kubernetes API`, { field });
  }
  return encodeURIComponent(name);
}
