import {
  LEFT_OUT_REASONS,
  shortName,
  type LeftOutReason,
  type Normalised,
  type NormalisedObject,
  type ObjectRef,
  oneLine,
} from '@plumb/core';
import { formatTable } from './table.ts';

/** `3 changes, 37 normalised (30 default, 7 spelling).` */
export function fieldCountsText(changes: number, normalised: readonly NormalisedObject[]): string {
  const reasons = countReasons(normalised);
  const all = sumOf(reasons);
  const parts = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `${changes} ${changes === 1 ? 'change' : 'changes'}, ${all} normalised${all === 0 ? '' : ` (${parts})`}.`;
}

/** Each object with its differences that are no change, and the reason of each. */
export function normalisedText(normalised: readonly NormalisedObject[]): string {
  return normalised
    .map(({ ref, fields }) => {
      const rows = fields.map((field) => [oneLine(field.path), oneLine(reasonText(field))]);
      return `\n${oneLine(nameWithNamespace(ref))}\n${formatTable(rows, { gap: 2 }).replaceAll(/^(?=.)/gm, '  ')}`;
    })
    .join('');
}

/** The same for programs: how many, by reason, and each one where they are to be listed. */
export function normalisedData(normalised: readonly NormalisedObject[], { isListed }: Listing): NormalisedData {
  const reasons = countReasons(normalised);
  const listed = normalised.flatMap(({ ref: { kind, namespace, name }, fields }) =>
    fields.map((field) => ({ kind, namespace, name, ...field })),
  );
  return {
    count: sumOf(reasons),
    reasons: Object.fromEntries(reasons),
    ...(isListed ? { listed } : {}),
  };
}

export interface Listing {
  /** Whether every difference that is no change is told, with its reason. */
  readonly isListed: boolean;
}

interface NormalisedData {
  readonly count: number;
  readonly reasons: Readonly<Record<string, number>>;
  readonly listed?: readonly object[];
}

export function nameWithNamespace(ref: ObjectRef): string {
  return oneLine(shortName(ref)) + (ref.namespace === '' ? '' : ` (${oneLine(ref.namespace)})`);
}

function reasonText({ reason, managers }: Normalised): string {
  return managers === undefined ? reason : `${reason} ${managers.join(', ')}`;
}

function countReasons(normalised: readonly NormalisedObject[]): readonly (readonly [LeftOutReason, number])[] {
  const all = normalised.flatMap(({ fields }) => fields);
  return LEFT_OUT_REASONS.map(
    (reason) => [reason, all.filter((field) => field.reason === reason).length] as const,
  ).filter(([, count]) => count > 0);
}

function sumOf(reasons: readonly (readonly [LeftOutReason, number])[]): number {
  return reasons.reduce((sum, [, count]) => sum + count, 0);
}
