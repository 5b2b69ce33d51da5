import { formatWhere, type Where, oneLine } from '@plumb/core';
import { ACTION_SIGNS, paint, showSign, type Style } from './style.ts';
import { formatTable } from './table.ts';

/** What happens to one object, as one row and the rows below it. */
export interface ObjectChange {
  readonly action: keyof typeof ACTION_SIGNS;
  /** `Deployment/api`. */
  readonly name: string;
  readonly origin: Where | undefined;
  /** One line each: the fields that change, or why. */
  readonly details: readonly string[];
  /** Whether the details are whole sentences; they then stand below the name and widen no column. */
  readonly hasSentences?: boolean;
}

/** At most this many fields of one object, unless all are asked for. */
const FEW_FIELDS = 6;

export interface ChangeTableOptions {
  readonly style: Style;
  /** Every field of every object. */
  readonly isFull: boolean;
}

/** The objects of a plan or a diff: sign and action, name, the first field, file and line; the other fields below. */
export function changeTable(changes: readonly ObjectChange[], options: ChangeTableOptions): string {
  const rows = changes.flatMap((change) => rowsOf(change, options));
  return rows.length === 0 ? '' : formatTable(rows, { gap: 2 }).replaceAll(/^(?=.)/gm, '  ');
}

function rowsOf(
  { action, name, origin, details, hasSentences = false }: ObjectChange,
  { style, isFull }: ChangeTableOptions,
): readonly (readonly string[])[] {
  const place = origin === undefined ? '' : paint(style, 'gray', oneLine(formatWhere(origin)));
  const lines = details.map(oneLine);
  const shown = isFull ? lines : lines.slice(0, FEW_FIELDS);
  const hidden = lines.length - shown.length;
  const [first = '', ...others] = hidden > 0 ? [...shown, `and ${hidden} more fields (--full)`] : shown;
  const sign = `${showSign(style, ACTION_SIGNS[action])} ${action}`;
  // What is long stands last in its row, so that it widens no column.
  const head = hasSentences ? [sign, name, place] : [sign, name, first, place];
  const more = hasSentences ? [first, ...others] : others;
  return [head, ...more.map((detail) => ['', '', detail])];
}

/** `1 to delete, 2 to change, 36 unchanged.` */
export function countsLine(counts: readonly (readonly [count: number, what: string])[], unchanged: number): string {
  const some = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return `${[...some, `${unchanged} unchanged`].join(', ')}.\n`;
}
