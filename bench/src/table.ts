import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RESULTS_FOLDER, type BenchResult, type Goal } from './result.ts';

const README = join(import.meta.dirname, '..', 'README.md');
const BEGIN = '<!-- results: begin, written by npm run bench -->';
const END = '<!-- results: end -->';

/** Puts the latest results into the README, between its two marks. */
export async function rewriteTable(): Promise<void> {
  const names = (await readdir(RESULTS_FOLDER)).filter((name) => name.endsWith('.json')).sort();
  const results = await Promise.all(
    names.map(async (file) => {
      const text = await readFile(join(RESULTS_FOLDER, file), 'utf8');
      return { name: file.slice(0, -'.json'.length), result: JSON.parse(text) as BenchResult };
    }),
  );
  const tables = results.map(({ name, result }) => tableOf(name, result)).join('\n');
  await writeFile(README, replaceBetween(await readFile(README, 'utf8'), tables));
}

/** One result as a heading and its tables, in the form that the formatter leaves alone. */
export function tableOf(name: string, { machine, figures, goals }: BenchResult): string {
  const { cores, memoryGiB, load } = machine;
  const count = typeof figures['count'] === 'number' ? `, count ${figures['count']}` : '';
  const parts = [
    `### ${name}\n\nOn ${cores} cores with ${memoryGiB} GiB${count}; load average before it ${load}.`,
    markdown(
      ['goal', 'limit', 'measured', 'met'],
      goals.map(({ name: goal, limit, value, unit, met }) => [
        goal,
        inUnit(limit, unit),
        inUnit(value, unit),
        met ? 'yes' : '**no**',
      ]),
    ),
  ];
  const phases = Object.entries(figures).flatMap(([phase, value]) => (isPhase(value) ? [{ phase, value }] : []));
  if (phases.length > 0) {
    parts.push(
      markdown(
        ['phase', 'seconds', 'floor', 'requests', 'engine CPU-s', 'peak RSS MiB'],
        phases.map(({ phase, value }) => [
          phase,
          ...[value.seconds, value.floorSeconds, value.requests, value.engineCpuSeconds].map(String),
          String(Math.round(value.peakRssMiB)),
        ]),
      ),
    );
  }
  for (const rows of Object.values(figures)) {
    const [first] = isList(rows) ? rows : [];
    if (first === undefined || !isList(rows)) continue;
    const fields = Object.keys(first);
    parts.push(
      markdown(
        fields.map(titleOf),
        rows.map((row) => fields.map((field) => String(row[field] ?? ''))),
      ),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

/** A list of figures that all have the same fields is a table of its own. */
function isList(value: unknown): value is readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object' && item !== null);
}

/** `binaryP50Ms` → `binary p50 ms`, `rssMiB` → `RSS MiB`. */
function titleOf(field: string): string {
  return field
    .replaceAll(/MiB|P\d+|[A-Z]/g, (part) => ` ${part === 'MiB' ? part : part.toLowerCase()}`)
    .replace(/^rss /, 'RSS ');
}

/** The text with what stands between the two marks replaced. */
export function replaceBetween(text: string, content: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('bench/README.md has lost the marks that the results stand between');
  return `${text.slice(0, begin + BEGIN.length)}\n\n${content}\n${text.slice(end)}`;
}

/** Goals that were missed, one line each. */
export function missedOf(goals: readonly Goal[]): readonly string[] {
  return goals
    .filter(({ met }) => !met)
    .map(({ name, limit, value, unit }) => `${name}: ${inUnit(value, unit)}, wanted at most ${inUnit(limit, unit)}`);
}

interface Phase {
  readonly seconds: number;
  readonly floorSeconds: number;
  readonly requests: number;
  readonly engineCpuSeconds: number;
  readonly peakRssMiB: number;
}

function isPhase(value: unknown): value is Phase {
  return typeof value === 'object' && value !== null && 'engineCpuSeconds' in value;
}

function inUnit(value: number, unit: string): string {
  return unit === 'requests' ? String(value) : `${value} ${unit}`;
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const cells = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  return [cells(head), cells(widths.map((width) => '-'.repeat(width))), ...rows.map(cells)].join('\n');
}
