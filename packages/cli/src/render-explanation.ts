import { oneLine } from '@plumb/core';
import { readsCapabilities, type RenderOutcome } from '@plumb/render';
import type { RenderInputFlags } from './render-folder.ts';
import { paint, type Style } from './style.ts';
import { formatTable } from './table.ts';

/** A path that was asked about, and what stood there. */
interface Read {
  readonly path: string;
  readonly mark: string;
}

const ABSENT = '-';
/** Of an id, as much as tells it from others; all of it is in the JSON. */
const SHORT_ID = 12;

/** Which renderer and why, what was read, and what names the result: for programs. */
export function explanationData(outcome: RenderOutcome, flags: RenderInputFlags): object {
  const { choice, key, documents } = outcome;
  return {
    renderer: choice?.renderer,
    because: becauseOf(outcome, flags),
    objects: documents.length,
    key,
    readsCapabilities: readsCapabilities(outcome.reads),
    reads: Object.fromEntries(readsOf(outcome).map(({ path, mark }) => [path, mark])),
  };
}

/** The same for people: what was read is grouped by what it was. */
export function explanationText(outcome: RenderOutcome, flags: RenderInputFlags, style: Style): string {
  const { choice, key, documents } = outcome;
  const reads = readsOf(outcome);
  const groups: readonly (readonly [title: string, rows: readonly (readonly string[])[]])[] = [
    ['Files', rowsOf(reads, 'file ')],
    ['Links', rowsOf(reads, 'symlink ')],
    ['Submodules', rowsOf(reads, 'submodule ')],
    ['Folders, with all that is in them', rowsOf(reads, 'tree ')],
    ['Folders, as far as they are there', rowsOf(reads, 'folder')],
    ['Nothing there', absentRows(reads)],
  ];
  const rows = groups.flatMap(([title, group]) =>
    group.length === 0
      ? []
      : [[title], ...group.map(([path = '', mark = '']) => [`  ${path}`, paint(style, 'gray', mark)])],
  );
  const capabilities = readsCapabilities(outcome.reads)
    ? [['Cluster', 'the chart asks what the cluster can do, and is answered as "helm template" would']]
    : [];
  const head = [
    [
      'Renderer',
      choice === undefined ? 'none: the folder could not be read' : `${choice.renderer}: ${becauseOf(outcome, flags)}`,
    ],
    ['Objects', String(documents.length)],
    ['Key', key === '' ? 'none' : key],
    ...capabilities,
  ];
  const read =
    rows.length === 0
      ? ''
      : `\nWhat was read. As long as it stays the same, so does the result.\n${indented(formatTable(rows))}`;
  return `${formatTable(head)}${read}`;
}

function becauseOf({ choice }: RenderOutcome, { renderer }: RenderInputFlags): string | undefined {
  return renderer !== undefined && choice?.renderer === renderer ? '--renderer says so' : choice?.because;
}

/** Paths only: that the cluster was asked about is told apart. */
function readsOf({ reads }: RenderOutcome): readonly Read[] {
  const all = [...reads].map(([path, mark]) => ({ path, mark })).filter(({ path }) => !path.startsWith('\0'));
  return all.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function rowsOf(reads: readonly Read[], kind: string): readonly (readonly string[])[] {
  return reads
    .filter(({ mark }) => mark.startsWith(kind))
    .map(({ path, mark }) => [nameOf(path), mark.slice(kind.length, kind.length + SHORT_ID)]);
}

/** One row a folder: a renderer looks for the same few names in each. */
function absentRows(reads: readonly Read[]): readonly (readonly string[])[] {
  const namesByFolder = new Map<string, string[]>();
  for (const { path, mark } of reads) {
    if (mark !== ABSENT) continue;
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, slash));
    const names = namesByFolder.get(folder) ?? [];
    names.push(path.slice(slash + 1));
    namesByFolder.set(folder, names);
  }
  return [...namesByFolder].map(([folder, names]) => [nameOf(folder), `${ABSENT} ${oneLine(names.join(', '))}`]);
}

function nameOf(path: string): string {
  return path === '' ? '.' : oneLine(path);
}

function indented(table: string): string {
  return table.replaceAll(/^(?=.)/gm, '  ');
}
