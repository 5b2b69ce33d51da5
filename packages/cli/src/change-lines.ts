import { formatChanges, formatWhere, type FieldChange, type Where } from '@plumb/core';

/** A field that changes, and the line that makes it so, as far as that is known. */
export interface PlacedChange extends FieldChange {
  readonly place?: Where;
}

/** Each change of an object in one line, with its place where that of the object does not say it already. */
export function changeLines(changes: readonly PlacedChange[], origin: Where | undefined): readonly string[] {
  const lines = formatChanges(changes);
  return changes.map(({ place }, index) => `${lines[index] ?? ''}${placeText(place, origin)}`);
}

function placeText(place: Where | undefined, origin: Where | undefined): string {
  if (place === undefined || (place.file === origin?.file && place.line === origin?.line)) return '';
  return place.file === origin?.file ? `  (line ${place.line ?? ''})` : `  (${formatWhere(place)})`;
}
