import {
  fieldAt,
  formatFieldPath,
  valueAt,
  type FieldPath,
  type KubeObject,
  type Origin,
  type Rendered,
  type SourceTree,
  type Where,
} from '@plumb/core';
import { FieldPlaces } from './field-places.ts';

/**
 * The lines that a person has to change: that of a field, or of the nearest field around one that is missing; where the
 * object comes from a template, the line of the values file that holds the value, and otherwise the object's own.
 */
export class FindingPlaces {
  readonly #places: FieldPlaces;
  readonly #isTemplate: boolean;

  constructor(tree: SourceTree, rendered: Rendered) {
    this.#places = new FieldPlaces(tree, rendered);
    this.#isTemplate = rendered.renderer === 'helm' || rendered.renderer === 'values';
  }

  /** `isFieldName`: it is about the name of the field, which no values file holds. */
  async placeOf(
    { object, origin }: { readonly object: KubeObject; readonly origin: Origin },
    path: FieldPath,
    { isFieldName, signal }: { readonly isFieldName: boolean; readonly signal: AbortSignal },
  ): Promise<Where> {
    const ownLine = origin.line === undefined ? { file: origin.file } : { file: origin.file, line: origin.line };
    if (this.#isTemplate && isFieldName) return ownLine;
    for (let length = path.length; length > 0; length--) {
      const part = path.slice(0, length);
      const after = valueAt(object, part);
      // What a values file holds of a whole map cannot be told, and one of its other fields is not meant.
      if (this.#isTemplate && (length < path.length || typeof after === 'object')) return ownLine;
      if (after === undefined) continue;
      const place = await this.#places.placeOf(origin, { path: formatFieldPath(part), after }, { signal });
      if (place !== undefined) return place;
      // A kustomization writes maps in another order, so a container is found by its name.
      const name = fieldAt(after, 'name');
      if (name === undefined) continue;
      const named = { path: formatFieldPath([...part, { field: 'name' }]), after: name };
      const near = await this.#places.placeOf(origin, named, { signal });
      if (near?.file === origin.file) return near;
    }
    return ownLine;
  }
}
