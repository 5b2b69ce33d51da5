import { isJsonObject, type Json, type RenderedObject } from '@plumb/core';
import type { CandidateList, TextFile, WishedChange } from './edit-candidate.ts';
import { writtenObjects, type WrittenObject } from './written-objects.ts';

/** The field where the object itself is written down. */
export function tryManifest(source: TextFile, { object, path, after }: WishedChange, into: CandidateList): void {
  const found = placeOfObject(source, object);
  if (found === undefined) return;
  into.tryEdit(source, [{ document: found.document, path: [...found.path, ...path], value: after }]);
}

/** Where in a file an object is written. */
function placeOfObject(source: TextFile, { object, origin }: RenderedObject): WrittenObject | undefined {
  const ofKind = writtenObjects(source).filter(({ value }) => isJsonObject(value) && value['kind'] === object.kind);
  const here = ofKind.filter(({ line }) => line === origin.line);
  const named = ofKind.filter(({ value }) => nameIn(value) === object.metadata.name);
  // What a kustomization renames still stands at its line.
  return [here.filter((place) => named.includes(place)), here, named, ofKind].find((some) => some.length === 1)?.[0];
}

export function nameIn(value: Json): Json | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  return isJsonObject(metadata) ? metadata['name'] : undefined;
}
