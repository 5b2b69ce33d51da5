/** A page under `docs/` that is made from the sources, so that it cannot say anything else. */
export interface GeneratedPage {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly text: string;
}

/** The note at the top of such a page: where to change it. */
export function madeFrom(source: string): string {
  return `<!-- Made by tools/docs.ts from ${source}: change it there. -->`;
}

/** Text for a cell of a table: Markdown would read these as syntax, and `|` or a line break would end the cell. */
export function cell(text: string): string {
  return text.replace(/[|<>*_]/g, '\\$&').replaceAll('\n', ' ');
}

/** Lines of a table without padding. Cells are taken as they are: see `cell`. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
