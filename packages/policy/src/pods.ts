import { fieldAt, isJsonObject, type FieldPath, type Json, type JsonObject, type KubeObject } from '@plumb/core';

/** A pod as an object describes it. */
export interface PodIn {
  readonly path: FieldPath;
  /** A `PodSpec`. */
  readonly spec: JsonObject;
}

export interface ContainerIn {
  readonly path: FieldPath;
  readonly container: JsonObject;
  readonly isInit: boolean;
}

/** In the kinds that are built in, and in others that describe pods in the same words. */
const PLACES = [
  ['spec', 'template', 'spec'],
  ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
  ['template', 'spec'],
] as const;

/** The pod that an object is or makes; undefined where it makes none. */
export function podIn(object: KubeObject): PodIn | undefined {
  const places = object.apiVersion === 'v1' && object.kind === 'Pod' ? [['spec']] : PLACES;
  for (const place of places) {
    const spec = fieldAt(object, ...place);
    if (isJsonObject(spec) && Array.isArray(spec['containers'])) {
      return { path: place.map((field) => ({ field })), spec };
    }
  }
  return undefined;
}

/** In the order in which they are written. */
export function containersIn({ path, spec }: PodIn): readonly ContainerIn[] {
  return (['initContainers', 'containers'] as const).flatMap((field) => {
    const list = spec[field];
    if (!Array.isArray(list)) return [];
    return (list as readonly Json[]).flatMap((container, index) => {
      if (!isJsonObject(container)) return [];
      const { name } = container;
      const step = typeof name === 'string' ? { key: { name } } : { index };
      return [{ path: [...path, { field }, step], container, isInit: field === 'initContainers' }];
    });
  });
}
