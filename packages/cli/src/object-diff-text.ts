import { formatChanges, type ComparedObject, type FilesComparison, type OfflineChange, oneLine } from '@plumb/core';
import { changeTable, countsLine, type ChangeTableOptions } from './change-table.ts';
import { fieldCountsText, nameWithNamespace, normalisedData, normalisedText, type Listing } from './normalised-text.ts';
import { JSON_VERSION } from './version.ts';

export interface ComparedFiles {
  readonly comparison: FilesComparison;
  /** The names of the files. */
  readonly live: string;
  readonly desired: string;
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
      name: nameWithNamespace(item.ref),
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
  const listing = isListed ? normalisedText(comparison.normalised) : '';
  return `Diff  ${oneLine(live)} → ${oneLine(desired)}\n${table}${objects}${fieldCountsText(changeCount(comparison), comparison.normalised)}\n${listing}`;
}

function changeLines(changes: readonly OfflineChange[]): readonly string[] {
  const lines = formatChanges(changes);
  return changes.map((change, index) => {
    const line = lines[index] ?? '';
    return change.owners === undefined ? line : `${line}  (also set by ${change.owners.join(', ')})`;
  });
}

function changeCount({ items }: FilesComparison): number {
  return items.reduce((sum, item) => sum + (item.action === 'create' ? 0 : item.changes.length), 0);
}

function countOf(items: readonly ComparedObject[], action: ComparedObject['action']): number {
  return items.filter((item) => item.action === action).length;
}

/** The same for programs. */
export function objectDiffData({ comparison, live, desired }: ComparedFiles, { isListed }: Listing): object {
  const { items, unchanged, normalised, liveOnly } = comparison;
  const { count, reasons, listed } = normalisedData(normalised, { isListed });
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
      normalised: count,
      liveOnly: liveOnly.length,
    },
    reasons,
    ...(listed === undefined ? {} : { normalised: listed }),
  };
}
