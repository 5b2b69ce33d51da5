import { isJsonArray, isJsonObject, type FieldPath, type Json } from '@plumb/core';
import { documentsIn, type TextFile } from './edit-candidate.ts';

/** An object that a file spells out: a document of it, or one of the `items` of a list. */
export interface WrittenObject {
  readonly value: Json;
  /** Which document, counted from 0. */
  readonly document: number;
  /** Where in the document. */
  readonly path: FieldPath;
  /** The first line of the document. */
  readonly line: number;
}

/** What a file of manifests spells out, in its order; nothing where it is no YAML. */
export function writtenObjects(source: TextFile): readonly WrittenObject[] {
  return documentsIn(source).flatMap(({ value, line }, document) =>
    objectsIn(value).map((at) => ({ ...at, document, line })),
  );
}

function objectsIn(value: Json): readonly Pick<WrittenObject, 'value' | 'path'>[] {
  if (!isJsonObject(value)) return [];
  const { kind, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !isJsonArray(items)) return [{ value, path: [] }];
  return items.map((item, index) => ({ value: item, path: [{ field: 'items' }, { index }] }));
}
