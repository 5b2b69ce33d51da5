import { isJsonArray, isJsonObject, type FieldPath, type Json, type RenderedObject } from '@plumb/core';
import { documentsIn, type CandidateList, type TextFile, type WishedChange } from './edit-candidate.ts';

/** The field where the object itself is written down. */
export function tryManifest(source: TextFile, { object, path, after }: WishedChange, into: CandidateList): void {
  const found = placeOfObject(source, object);
  if (found === undefined) return;
  into.tryEdit(source, [{ document: found.document, path: [...found.path, ...path], value: after }]);
}

/** Which document of a file an object is, or where in the `items` of a list. */
function placeOfObject(
  source: TextFile,
  { object, origin }: RenderedObject,
): { readonly document: number; readonly path: FieldPath } | undefined {
  const documents = documentsIn(source);
  const places = documents.flatMap(({ value, line }, document) =>
    objectsIn(value).map((at) => ({ ...at, document, line })),
  );
  const ofKind = places.filter(({ value }) => isJsonObject(value) && value['kind'] === object.kind);
  const here = ofKind.filter(({ line }) => line === origin.line);
  const named = ofKind.filter(({ value }) => nameIn(value) === object.metadata.name);
  // What a kustomization renames still stands at its line.
  return [here.filter((place) => named.includes(place)), here, named, ofKind].find((some) => some.length === 1)?.[0];
}

function objectsIn(value: Json): readonly { readonly value: Json; readonly path: FieldPath }[] {
  if (!isJsonObject(value)) return [];
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !isJsonArray(items)) return [{ value, path: [] }];
  return items.map((item, index) => ({ value: item, path: [{ field: 'items' }, { index }] }));
}

export function nameIn(value: Json): Json | undefined {
  const metadata = isJsonObject(value) ? value['metadata'] : undefined;
  return isJsonObject(metadata) ? metadata['name'] : undefined;
}
