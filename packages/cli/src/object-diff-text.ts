import {
  formatChanges,
  LEFT_OUT_REASONS,
  shortName,
  type ComparedObject,
  type FilesComparison,
  type LeftOutReason,
  type Normalised,
  type ObjectRef,
  type OfflineChange,
} from '@plumb/core';
import { changeTable, countsLine, type ChangeTableOptions } from './change-table.ts';
import { oneLine } from './printable.ts';
import { formatTable } from './table.ts';
import { JSON_VERSION } from './version.ts';

export interface ComparedFiles {
  readonly comparison: FilesComparison;
  /** The names of the files. */
  readonly live: string;
  readonly desired: string;
}

interface Listing {
  /** Whether every difference that is no change is told, with its reason. */
  readonly isListed: boolean;
}

/** What applying would change, as people read it: in the form of `plumb plan`. */
export function objectDiffText(
  { comparison, live, desired }: ComparedFiles,
  { isListed, ...options }: ChangeTableOptions & Listing,
): string {
  const { items, unchanged } = comparison;
  const table = changeTable(
    items.map((item) => ({
      action: item.action,
      name: nameOf(item.ref),
      origin: undefined,
      // Of what is new, its name says enough.
      details: item.action === 'create' ? [] : changeLines(item.changes),
    })),
    options,
  );
  const objects = countsLine(
    [
      [countOf(items, 'change'), 'changed'],
      [countOf(items, 'create'), 'created'],
    ],
    unchanged,
  );
  const listing = isListed ? normalisedText(comparison) : '';
  return `Diff  ${oneLine(live)} → ${oneLine(desired)}\n${table}${objects}${fieldCounts(comparison)}\n${listing}`;
}

function changeLines(changes: readonly OfflineChange[]): readonly string[] {
  const lines = formatChanges(changes);
  return changes.map((change, index) => {
    const line = lines[index] ?? '';
    return change.owners === undefined ? line : `${line}  (also set by ${change.owners.join(', ')})`;
  });
}

/** `3 changes, 37 normalised (30 default, 7 spelling).` */
function fieldCounts(comparison: FilesComparison): string {
  const reasons = countReasons(comparison);
  const all = reasons.reduce((sum, [, count]) => sum + count, 0);
  const parts = reasons.map(([reason, count]) => `${count} ${reason}`).join(', ');
  const changes = changeCount(comparison);
  return `${changes} ${changes === 1 ? 'change' : 'changes'}, ${all} normalised${all === 0 ? '' : ` (${parts})`}.`;
}

function normalisedText({ normalised }: FilesComparison): string {
  return normalised
    .map(({ ref, fields }) => {
      const rows = fields.map((field) => [oneLine(field.path), oneLine(reasonText(field))]);
      return `\n${oneLine(nameOf(ref))}\n${formatTable(rows, { gap: 2 }).replaceAll(/^(?=.)/gm, '  ')}`;
    })
    .join('');
}

function reasonText({ reason, managers }: Normalised): string {
  return managers === undefined ? reason : `${reason} ${managers.join(', ')}`;
}

function changeCount({ items }: FilesComparison): number {
  return items.reduce((sum, item) => sum + (item.action === 'create' ? 0 : item.changes.length), 0);
}

function countReasons({ normalised }: FilesComparison): readonly (readonly [LeftOutReason, number])[] {
  const all = normalised.flatMap(({ fields }) => fields);
  return LEFT_OUT_REASONS.map(
    (reason) => [reason, all.filter((field) => field.reason === reason).length] as const,
  ).filter(([, count]) => count > 0);
}

function countOf(items: readonly ComparedObject[], action: ComparedObject['action']): number {
  return items.filter((item) => item.action === action).length;
}

function nameOf(ref: ObjectRef): string {
  return oneLine(shortName(ref)) + (ref.namespace === '' ? '' : ` (${oneLine(ref.namespace)})`);
}

/** The same for programs. */
export function objectDiffData({ comparison, live, desired }: ComparedFiles, { isListed }: Listing): object {
  const { items, unchanged, normalised, liveOnly } = comparison;
  const reasons = countReasons(comparison);
  return {
    apiVersion: JSON_VERSION,
    kind: 'ObjectDiff',
    live,
    desired,
    items: items.map(({ action, apiVersion, ref, changes }) => ({
      action,
      apiVersion,
      kind: ref.kind,
      namespace: ref.namespace,
      name: ref.name,
      changes: changes.map(({ isOrder, ...change }) => ({ ...change, ...(isOrder === true ? { order: true } : {}) })),
    })),
    counts: {
      change: countOf(items, 'change'),
      create: countOf(items, 'create'),
      unchanged,
      changes: changeCount(comparison),
      normalised: reasons.reduce((sum, [, count]) => sum + count, 0),
      liveOnly: liveOnly.length,
    },
    reasons: Object.fromEntries(reasons),
    ...(isListed
      ? {
          normalised: normalised.flatMap(({ ref: { kind, namespace, name }, fields }) =>
            fields.map((field) => ({ kind, namespace, name, ...field })),
          ),
        }
      : {}),
  };
}
