import { fieldAt, isJsonArray, type Json, type KubeObject } from '@plumb/core';
import type { TreeNode } from './live-tree.ts';

/** One container whose log is read. */
export interface LogSource {
  readonly pod: KubeObject;
  readonly container: string;
  /** What stands before each line: the pod, and the container where it has several. */
  readonly label: string;
}

/**
 * Whose logs are read, and in which order: containers of pods that are not well before the others, and within a pod those
 * that are not ready. With `isPrevious` only containers that had a life before.
 */
export function chooseLogs(
  tree: readonly TreeNode[],
  options: { readonly container: string | undefined; readonly isPrevious: boolean },
): readonly LogSource[] {
  const pods = tree.flatMap(withChildren).filter(({ object }) => object.kind === 'Pod');
  const ordered = pods.toSorted((a, b) => Number(isWell(a)) - Number(isWell(b)));
  return ordered.flatMap(({ object }) => sourcesOf(object, options));
}

function withChildren(node: TreeNode): readonly TreeNode[] {
  return [node, ...node.children.flatMap(withChildren)];
}

function isWell({ health }: TreeNode): boolean {
  return health.status === 'Healthy';
}

function sourcesOf(
  pod: KubeObject,
  { container: wanted, isPrevious }: { readonly container: string | undefined; readonly isPrevious: boolean },
): readonly LogSource[] {
  const inits = new Set(list(pod, 'initContainerStatuses'));
  const statuses = [...inits, ...list(pod, 'containerStatuses')];
  const several = statuses.length - inits.size > 1;
  return (
    statuses
      .filter((status) => wanted === undefined || fieldAt(status, 'name') === wanted)
      .filter((status) => !isPrevious || fieldAt(status, 'lastState', 'terminated') !== undefined)
      // An init container that is through has nothing to say about what is wrong, unless somebody asks.
      .filter((status) => wanted !== undefined || !inits.has(status) || fieldAt(status, 'ready') !== true)
      .toSorted((a, b) => Number(fieldAt(a, 'ready') === true) - Number(fieldAt(b, 'ready') === true))
      .flatMap((status) => {
        const container = fieldAt(status, 'name');
        if (typeof container !== 'string') return [];
        const { name } = pod.metadata;
        return { pod, container, label: several || inits.has(status) ? `${name}/${container}` : name };
      })
  );
}

function list(pod: KubeObject, field: string): readonly Json[] {
  const value = fieldAt(pod, 'status', field);
  return isJsonArray(value) ? value : [];
}
