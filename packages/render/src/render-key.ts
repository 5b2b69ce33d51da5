import { createHash } from 'node:crypto';
import checksums from '../wasm/checksums.json' with { type: 'json' };
import type { RendererName } from '@plumb/core';
import type { RenderRequest } from './request.ts';

/** Part of every cache key: raised whenever the same input may render to something else. */
const RENDERER_VERSION = 2;

/**
 * A digest (hex) of all that a render depends on besides the files it reads, which its trace names. Inputs that a
 * renderer never looks at are not in it: applications of one Kustomize base share a result, whatever their namespaces.
 */
export function renderKey(renderer: RendererName, request: RenderRequest): string {
  const { path, release, namespace, values, valuesFiles, layers, set, setString, chart, environment } = request;
  const templated = {
    release,
    namespace,
    values,
    valuesFiles,
    layers,
    set,
    setString,
    seed: request.isVolatile === true ? 'chance' : request.seed,
  };
  const inputs = {
    plain: () => [request.include, request.exclude],
    values: () => [templated, environment, request.include, request.exclude],
    helm: () => [templated, request.helm, chart?.digest, request.liveObjects],
    kustomize: () => [request.kustomize],
  };
  return digestOf([
    RENDERER_VERSION,
    checksums[renderer === 'kustomize' ? 'kustomize' : 'helm'].sha256,
    renderer,
    path,
    inputs[renderer](),
  ]);
}

/** What random functions draw from where nobody gives a seed: the same inputs, the same randomness. */
export function seedOf(request: RenderRequest): string {
  return request.seed ?? renderKey('helm', request);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('hex');
}

/** JSON with sorted keys, so that the order in which values were written does not matter. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
