import type { DocumentAt, PlumbError, RendererName } from '@plumb/core';
import type { ReadSet } from './read-set.ts';

/** A render as it is kept: upstream's documents with their places in the repository, not yet of any commit. */
export interface CachedRender {
  readonly renderer: RendererName;
  readonly reads: ReadSet;
  readonly documents: readonly DocumentAt[];
  readonly files: readonly string[];
  readonly valuesFiles: readonly string[];
  readonly warnings: readonly string[];
  /** Empty in what is kept. */
  readonly errors: readonly PlumbError[];
}

/**
 * Renders by key. One key has several, for different contents of what was read (branches, environments at different
 * commits); who looks compares the read set.
 */
export interface RenderCache {
  /** The newest first. What is damaged is as if it were not there. */
  load(key: string): Promise<readonly CachedRender[]>;
  store(key: string, render: CachedRender): Promise<void>;
}
