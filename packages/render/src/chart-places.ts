import type { JsonObject, Origin } from '@plumb/core';
import { joinPath } from './repository-path.ts';
import type { SourceFile } from './source-files.ts';
import { templateLine } from './template-lines.ts';

/** From the names that Helm gives to templates back to files of the repository. */
export class ChartPlaces {
  readonly #folder: string;
  readonly #files = new Map<string, { readonly path: string; readonly bytes: Uint8Array }>();
  readonly #archive: string | undefined;
  /** Of a source, how many objects of a kind were placed. */
  readonly #placed = new Map<string, number>();

  constructor(
    folder: string,
    files: readonly SourceFile[],
    contents: readonly Uint8Array[],
    archive: string | undefined,
  ) {
    this.#folder = folder;
    this.#archive = archive;
    for (const [index, { name, path }] of files.entries()) {
      this.#files.set(name, { path, bytes: contents[index] ?? new Uint8Array() });
    }
  }

  /** The template's text, or undefined where it lies in an archive. */
  textOf(source: string): string | undefined {
    const file = this.#find(source);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  }

  /** The file of a template: itself, the archive in `charts/` that holds it, or the chart that was fetched. */
  fileOf(source: string): string {
    const file = this.#find(source);
    if (file !== undefined) return file.path;
    const inside = source.slice(source.indexOf('/') + 1);
    if (this.#archive !== undefined) return `${this.#archive}: ${inside}`;
    const [, subchart] = /^charts\/([^/]+)\//.exec(inside) ?? [];
    for (const [name, { path }] of this.#files) {
      if (subchart !== undefined && name.startsWith(`charts/${subchart}-`) && name.endsWith('.tgz')) return path;
    }
    return this.#folder === '' ? inside : `${this.#folder}/${inside}`;
  }

  /** Where a template lies in an archive in `charts/`, which has no lines: its name there. */
  nameInArchive(source: string): string | undefined {
    if (this.#archive !== undefined || this.#find(source) !== undefined) return undefined;
    const inside = source.slice(source.indexOf('/') + 1);
    return this.fileOf(source).endsWith('.tgz') ? inside.replace(/^charts\//, '') : undefined;
  }

  /** Whether upstream means a template by this name: others it gives to the texts of `tpl`. */
  isTemplate(source: string): boolean {
    return source.includes('/templates/') || this.#find(source) !== undefined;
  }

  /** The text of a file of the chart by its path in it, or undefined where there is none. */
  textIn(name: string): string | undefined {
    const file = this.#files.get(name);
    return file === undefined ? undefined : new TextDecoder().decode(file.bytes);
  }

  /** The path in the repository of a file of the chart, or where it would have to be. */
  pathIn(name: string): string {
    const path = this.#files.get(name)?.path;
    if (path !== undefined) return path;
    return this.#archive === undefined ? joinPath(this.#folder, name) : `${this.#archive}: ${name}`;
  }

  /** The paths in the chart of its files with a name, those of the chart itself before those of its subcharts. */
  named(base: string): readonly string[] {
    return [...this.#files.keys()]
      .filter((name) => name === base || name.endsWith(`/${base}`))
      .toSorted((a, b) => a.length - b.length);
  }

  /** Where the template writes an object, as far as its kind stands there literally. */
  originOf(source: string, value: JsonObject): Origin {
    const file = this.fileOf(source);
    const text = this.textOf(source);
    const { kind } = value;
    if (text === undefined || typeof kind !== 'string') return { file };
    const counter = `${source} ${kind}`;
    const nth = this.#placed.get(counter) ?? 0;
    this.#placed.set(counter, nth + 1);
    const line = templateLine(text, kind, nth);
    return line === undefined ? { file } : { file, line };
  }

  #find(source: string): { readonly path: string; readonly bytes: Uint8Array } | undefined {
    const inside = source.slice(source.indexOf('/') + 1);
    const exact = this.#files.get(inside);
    if (exact !== undefined) return exact;
    // A subchart is named as its Chart.yaml or an alias says, whatever its folder is called.
    const rest = /^charts\/[^/]+(\/.*)$/.exec(inside)?.[1];
    if (rest === undefined) return undefined;
    const candidates = [...this.#files].filter(([name]) => name.startsWith('charts/') && name.endsWith(rest));
    return candidates.length === 1 ? candidates[0]?.[1] : undefined;
  }
}
