import type { Attribution } from '../attribution.ts';
import type { FieldChange } from '../diff.ts';
import type { FieldConflict } from '../field-conflict.ts';
import { formatChange } from '../change-text.ts';
import type { ObjectKey } from '../key.ts';
import type { Json } from '../object.ts';

/**
 * How live objects deviate from the release:
 *
 * | kind | what was done |
 * | --- | --- |
 * | `edited` | fields that Git sets were changed or removed |
 * | `added` | something was put into what Git sets as a whole (a selector, a list of arguments) |
 * | `taken` | fields were taken by a server-side apply that was told to force, with the same value or another one |
 * | `deleted` | the object is gone |
 * | `recreated` | another object of its name is there |
 * | `unmarked` | the label or the annotation by which Plumb knows its objects was removed or changed |
 * | `namespace-deleted` | the object is gone with its namespace |
 */
export const DRIFT_KINDS = [
  'edited',
  'added',
  'taken',
  'deleted',
  'recreated',
  'unmarked',
  'namespace-deleted',
] as const;
export type DriftKind = (typeof DRIFT_KINDS)[number];

/** One field that is not as Git says. Values of Secrets are masked; a side is left out where the field is not there. */
export interface DriftField {
  /** As `formatFieldPath` writes it. */
  readonly path: string;
  readonly git?: Json;
  readonly live?: Json;
  /** Only the order of a list differs. */
  readonly isOrder?: true;
  /** Who owns the field besides us, latest first. Nobody where it was removed. */
  readonly owners: readonly FieldConflict[];
  readonly by: Attribution;
}

/** What was found out about one object that is not as it was applied. */
export interface Drift {
  readonly key: ObjectKey;
  readonly kind: DriftKind;
  /** Empty where the object as a whole deviates, and where only the ownership of fields does. */
  readonly fields: readonly DriftField[];
  /** Who did it: of several authors the latest. */
  readonly by: Attribution;
  /** Names the live state that it is of, see `driftState`: with any other one it says nothing. */
  readonly state: string;
  /** Of the live object; undefined where there is none. A write that names it changes nothing else. */
  readonly resourceVersion: string | undefined;
  readonly desiredHash: string;
  /** What exactly differs could not be found out: the API server would not try it. */
  readonly isUnclear?: true;
  /** Epoch milliseconds. */
  readonly foundAt: number;
}

/**
 * Whether nothing differs but who owns fields: somebody has put the value back that Git says, or has taken it over. To take the
 * ownership back changes nothing, so it is nobody's wish to keep it.
 */
export function isOwnershipOnly({ kind, fields, isUnclear }: Drift): boolean {
  return fields.length === 0 && (kind === 'edited' || kind === 'taken') && isUnclear !== true;
}

/** One field as a change from Git's value to the live one, which is how people tell of a drift. */
export function driftChange({ path, git, live, isOrder }: DriftField): FieldChange {
  return {
    path,
    ...(git === undefined ? {} : { before: git }),
    ...(live === undefined ? {} : { after: live }),
    ...(isOrder === true ? { isOrder } : {}),
  };
}

const KIND_TEXT: Readonly<Record<DriftKind, string>> = {
  edited: 'edited',
  added: 'added to',
  taken: 'taken over',
  deleted: 'deleted',
  recreated: 'deleted and made anew',
  unmarked: 'no longer marked as managed',
  'namespace-deleted': 'deleted with its namespace',
};

/** What happened, in a few words: `replicas 3 → 9`, `deleted`. */
export function driftText({ kind, fields }: Pick<Drift, 'kind' | 'fields'>): string {
  const [first] = fields;
  if (first === undefined) return KIND_TEXT[kind];
  const more = fields.length > 1 ? ` and ${fields.length - 1} more` : '';
  return `${formatChange(driftChange(first))}${more}`;
}
