import { createHash } from 'node:crypto';
import checksums from '../wasm/checksums.json' with { type: 'json' };
import type { RenderRequest } from './renderer.ts';

/** Part of every cache key: raised whenever the same input may render to something else. */
const RENDERER_VERSION = 1;

/** All that a render depends on besides the folder's own content. */
export type RenderInputs = Pick<
  RenderRequest,
  'environment' | 'release' | 'namespace' | 'values' | 'valuesFiles' | 'set' | 'include' | 'exclude' | 'seed' | 'nowMs'
>;

/**
 * A digest of the inputs (hex). Together with the tree id of the folder it names the result: the same two give the same
 * objects. Files outside the folder (`valuesFiles` with `..`, links) are not in it: use the root's tree id for these.
 */
export function inputsKey(inputs: RenderInputs): string {
  const { environment, release, namespace, values, valuesFiles, set, include, exclude, seed, nowMs } = inputs;
  const fields = [
    RENDERER_VERSION,
    checksums.helm.sha256,
    environment,
    release,
    namespace,
    values,
    valuesFiles,
    set,
    include,
    exclude,
    seed,
    nowMs,
  ];
  return createHash('sha256').update(stableJson(fields)).digest('hex');
}

/** JSON with sorted keys, so that the order in which values were written does not matter. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
