import { isJsonObject, RENDERERS, type DocumentAt } from '@plumb/core';
import type { CachedRender } from './render-cache.ts';

/** What the cache wrote itself and read back unchanged; throws where it is of another shape, such as of another version. */
export function decodeKept(text: string): readonly CachedRender[] {
  const kept: unknown = JSON.parse(text);
  if (!Array.isArray(kept)) throw new Error('not a list of renders');
  return kept.map((item: unknown) => {
    if (!isJsonObject(item)) throw new Error('not a render');
    const { renderer, reads, documents, files, valuesFiles, warnings } = item;
    const name = RENDERERS.find((known) => known === renderer);
    if (name === undefined || !Array.isArray(reads) || !Array.isArray(documents)) throw new Error('not a render');
    return {
      renderer: name,
      reads: new Map(reads as readonly (readonly [string, string])[]),
      documents: documents as readonly DocumentAt[],
      files: files as unknown as readonly string[],
      valuesFiles: valuesFiles as unknown as readonly string[],
      warnings: warnings as unknown as readonly string[],
      errors: [],
    };
  });
}
