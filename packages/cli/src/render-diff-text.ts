import { shortName, oneLine } from '@plumb/core';
import { changeLines } from './change-lines.ts';
import { changeTable, countsLine, type ChangeTableOptions } from './change-table.ts';
import { countOf, type RenderDiff, type RenderDiffItem } from './render-diff.ts';
import type { SideName } from './render-side.ts';
import { JSON_VERSION } from './version.ts';

export interface ComparedRender {
  readonly diff: RenderDiff;
  /** The folder, in the repository. */
  readonly path: string;
  /** Where objects go that name none. */
  readonly namespace: string;
  readonly from: SideName;
  readonly to: SideName;
  /** What is compared; default `Render` and the folder. */
  readonly what?: string;
}

/** What differs, as people read it: in the form of `plumb plan`. */
export function renderDiffText(
  { diff, path, namespace, from, to, what }: ComparedRender,
  options: ChangeTableOptions,
): string {
  const head = `${what ?? `Render  ${path === '' ? '.' : oneLine(path)}`}   ${sideText(from)} → ${sideText(to)}\n`;
  const table = changeTable(
    diff.items.map((item) => ({
      action: item.action,
      name: nameOf(item, namespace),
      origin: item.origin,
      details: changeLines(item.changes, item.origin),
    })),
    options,
  );
  const counts = countsLine(
    [
      [countOf(diff, 'delete'), 'deleted'],
      [countOf(diff, 'change'), 'changed'],
      [countOf(diff, 'create'), 'created'],
    ],
    diff.unchanged,
  );
  return `${head}${table}${counts}`;
}

/** `main (9f3c1ab)`; an id alone is not said twice. */
function sideText({ label, commit }: SideName): string {
  if (commit === undefined) return oneLine(label);
  const short = commit.slice(0, 7);
  return commit.startsWith(label) ? short : `${oneLine(label)} (${short})`;
}

/** `Deployment/api`, with the namespace where it is not the one that objects go to anyway. */
function nameOf({ ref }: RenderDiffItem, namespace: string): string {
  return (
    oneLine(shortName(ref)) +
    (ref.namespace === '' || ref.namespace === namespace ? '' : ` (${oneLine(ref.namespace)})`)
  );
}

/** The same for programs. */
export function renderDiffData({ diff, path, from, to }: ComparedRender): object {
  return {
    apiVersion: JSON_VERSION,
    kind: 'RenderDiff',
    path,
    from,
    to,
    items: diff.items.map(({ action, ref, origin, changes }) => ({
      action,
      ...ref,
      file: origin.file,
      line: origin.line,
      changes,
    })),
    counts: {
      delete: countOf(diff, 'delete'),
      change: countOf(diff, 'change'),
      create: countOf(diff, 'create'),
      unchanged: diff.unchanged,
    },
  };
}
