import type { KubeObject } from './object.ts';

/** Where an object came from, so that every later message can point at the line that a person has to change. */
export interface Origin {
  /** Path in the repository. */
  readonly file: string;
  /** 1-based line of the object's first line; for a template, of the document in the template where it is known. */
  readonly line?: number;
  /** Files of patches that changed it afterwards, in order. */
  readonly patches?: readonly string[];
}

/** Helm's marks of a hook: run at these events instead of being kept like any other object. */
export interface Hook {
  /** `pre-install`, `post-upgrade` and the like; test hooks are never rendered. */
  readonly events: readonly string[];
  /** Lower ones first. */
  readonly weight: number;
  readonly deletePolicies: readonly string[];
}

export interface RenderedObject {
  readonly object: KubeObject;
  readonly origin: Origin;
  readonly hook?: Hook;
}

export const RENDERERS = ['plain', 'values', 'helm', 'kustomize'] as const;
export type RendererName = (typeof RENDERERS)[number];

/**
 * A *complete* desired set. There is no partial one: where any file could not be read, parsed or rendered, the renderer
 * returns errors and no objects, because a missing object would read as a deletion.
 */
export interface Rendered {
  readonly renderer: RendererName;
  /** Objects to keep, and hooks to run. */
  readonly objects: readonly RenderedObject[];
  /** Paths of the files that had a part in it, sorted. */
  readonly files: readonly string[];
  /** Values files of the repository that it was rendered with, later ones over earlier ones. */
  readonly valuesFiles?: readonly string[];
  /** What a person should know and nothing stops for. */
  readonly warnings: readonly string[];
}
