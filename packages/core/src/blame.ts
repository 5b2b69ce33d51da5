import { attributeField, type Attribution } from './attribution.ts';
import { equalJson } from './canonical.ts';
import { diffObjects } from './diff.ts';
import { formatFieldPath, valueAt } from './field-path.ts';
import { isOurHolder, liveFields, shownValue, type FieldHolder, type LiveFieldsOptions } from './live-fields.ts';
import { isJsonObject, type Json, type KubeObject } from './object.ts';
import { withPlainData } from './offline-diff/comparable.ts';

/** A field of a live object with whom it is from. */
export interface BlamedField {
  /** As `formatFieldPath` writes it. */
  readonly path: string;
  /** Undefined where Git sets it and the live object does not have it. */
  readonly value?: Json;
  /** Ours first, then the latest; empty of a default. */
  readonly holders: readonly FieldHolder[];
  /** Whether it is there because we applied it. */
  readonly isOurs: boolean;
  /** Of what is not ours: what Git says, where it says anything. */
  readonly git?: Json;
  /** Git says something else than what is live. */
  readonly isDifferent: boolean;
  /** Of what somebody else owns: who wrote it, as far as the object itself tells. */
  readonly attribution?: Attribution;
}

export interface BlameOptions extends LiveFieldsOptions {
  /** Whether the policy that stamps edits is in force. */
  readonly isStamped: boolean;
}

/**
 * Every field of a live object, in its own order, with whom it is from; last what Git wants and the object does not have.
 * `desired` is the object as it was released last; undefined where that is not known.
 */
export function blameFields(
  live: KubeObject,
  desired: KubeObject | undefined,
  options: BlameOptions,
): readonly BlamedField[] {
  const evidence = { object: live, isStamped: options.isStamped, events: [] };
  const wanted = desired === undefined ? undefined : withPlainData(desired);
  const fields = liveFields(live, options).map(({ path, value, holders }): BlamedField => {
    const [first] = holders;
    const isOurs = first !== undefined && isOurHolder(first);
    // What is ours is as we applied it, but for what was once sent as stringData: nobody loses that when it changes.
    const isTold = isOurs && wanted === desired;
    const said = isTold || wanted === undefined ? undefined : valueAt(wanted, path);
    const isDifferent = said !== undefined && !equalJson(said, valueAt(live, path));
    return {
      path: formatFieldPath(path),
      value,
      holders,
      isOurs,
      ...(said === undefined ? {} : { git: shownValue(live, path, said) }),
      isDifferent,
      ...(isOurs || first === undefined ? {} : { attribution: attributeField(first, evidence) }),
    };
  });
  return [...fields, ...missingFields(live, wanted)];
}

function missingFields(live: KubeObject, desired: KubeObject | undefined): readonly BlamedField[] {
  if (desired === undefined) return [];
  return diffObjects(live, desired).flatMap(({ path, before, after }) => {
    // What is empty is left out where it is stored.
    if (before !== undefined || after === undefined || isEmpty(after)) return [];
    return [{ path, holders: [], isOurs: false, git: after, isDifferent: true }];
  });
}

function isEmpty(value: Json): boolean {
  if (value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isJsonObject(value) && Object.values(value).every(isEmpty);
}
