/** Columns of plain or coloured text, padded to their widest cell. The last cell of a row is not padded and may be long. */
export function formatTable(rows: readonly (readonly string[])[], options: { readonly gap?: number } = {}): string {
  const gap = ' '.repeat(options.gap ?? 3);
  const widths: number[] = [];
  for (const row of rows) {
    const padded = row.slice(0, -1);
    for (const [column, cell] of padded.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join(gap)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

// eslint-disable-next-line no-control-regex -- our own colours
const COLOR_CODES = /\u001b\[[0-9;]*m/g;

/** How many columns a text takes: colours take none. Wide characters are counted as one; names here are ASCII. */
function widthOf(text: string): number {
  return [...text.replaceAll(COLOR_CODES, '')].length;
}
