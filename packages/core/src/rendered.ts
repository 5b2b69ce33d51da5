import type { KubeObject } from './object.ts';

/** Where an object came from, so that every later message can point at the line that a person has to change. */
export interface Origin {
  /** Path in the repository. */
  readonly file: string;
  /** 1-based line of the object's first line; for a template, of the document in the template where it is known. */
  readonly line?: number;
}

export interface RenderedObject {
  readonly object: KubeObject;
  readonly origin: Origin;
}

/**
 * A *complete* desired set. There is no partial one: where any file could not be read, parsed or rendered, the renderer
 * returns errors and no objects, because a missing object would read as a deletion.
 */
export interface Rendered {
  readonly renderer: 'plain' | 'values';
  readonly objects: readonly RenderedObject[];
  /** Paths of the files that were read, for the trace of inputs. */
  readonly files: readonly string[];
}
